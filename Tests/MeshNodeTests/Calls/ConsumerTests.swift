import MeshAgreements
import MeshAudit
import MeshBase
import MeshRouting
import Testing

@testable import MeshNode

@Suite("Calls as the consumer decides them")
struct ConsumerTests {
    @Test("a call is admitted, sent, answered, settled, closed and let go, in this order")
    func order() {
        var rig = DeskRig()
        let id = rig.call("B")
        rig.answerLast()
        let words = rig.effects.flatMap(words)
        #expect(words == ["admitted", "send", "answer", "settled", "event", "finish"])
        #expect(rig.ledger.events.last?.type == .call && rig.ledger.events.last?.success == true)
        #expect(rig.ledger.events.last?.metadata.first?.value == "B: answered 200 after 0 ms")
        #expect(rig.ledger.problems.isEmpty && rig.ledger.finished[id] == 1)
        #expect(rig.desk.load.calls == 0 && rig.desk.nextDeadline == nil)
    }

    @Test(
        "a call that may not leave is refused with every reason, and one event says so",
        arguments: [
            ("D", "orders", "list", [RefusalCode.peerNotFound]), ("B", "nothing", "list", [.resourceUnknown]),
            ("B", "orders", "steal", [.capabilityUnknown]), ("B", "secret", "list", [.agreementMissing]),
            ("B", "old", "list", [.agreementExpired]), ("B", "part", "buy", [.capabilityNotAgreed]),
            ("B", "half", "list", [.agreementPending]), ("any", "none", "list", [.resourceUnknown]),
        ] as [(String, String, String, [RefusalCode])])
    func refuses(target: String, name: String, capability: String, codes: [RefusalCode]) {
        var rig = DeskRig()
        rig.descriptions[node(1)] = ["orders", "secret", "old", "part", "half"].map { DeskRig.described($0) }
        rig.agree(provider: node(1), consumer: node(0), "old", until: -1)
        rig.agree(provider: node(1), consumer: node(0), "part", only: ["list"])
        rig.agree(provider: node(1), consumer: node(0), "half", standing: .pending)
        rig.publish()
        let id = rig.call(target, name, capability)
        #expect(rig.refusal(of: id) == codes)
        #expect(rig.sent.isEmpty && rig.ledger.events.count == 1)
        #expect(rig.ledger.events[0].refusals.map(\.code) == codes && rig.ledger.events[0].type == .call)
        #expect(!rig.ledger.events[0].refusals[0].facts.isEmpty)
    }

    @Test("a capability left out is refused with the list")
    func unnamed() {
        var rig = DeskRig()
        let asked1 = rig.call("B", "orders", nil)
        #expect(rig.refusal(of: asked1) == [.capabilityUnnamed])
    }

    @Test("a path that two readers could read differently never leaves")
    func badPath() {
        var rig = DeskRig()
        let id = rig.call("B", form: .mesh(method: "GET", path: "/list/%2e%2e/x", query: nil))
        #expect(rig.refusal(of: id) == [.pathRefused])
        let other = rig.call("B", form: .mesh(method: "GET", path: "/list/5", query: "a=1"))
        #expect(rig.refusal(of: other) == nil && rig.sent.count == 1)
    }

    @Test("no room in the audit, no call", arguments: [0, 20_000])
    func noAudit(room: Int64) {
        var rig = DeskRig(room: room)
        let asked2 = rig.call("B")
        #expect(rig.refusal(of: asked2) == [.auditUnavailable])
        #expect(rig.sent.isEmpty)
    }

    @Test("a peer that is not trusted is not called")
    func untrusted() {
        var rig = DeskRig()
        rig.peers[1] = CallPeer(name: peerName("B"), trust: .suspended, link: .up)
        rig.publish()
        let asked3 = rig.call("B")
        #expect(rig.refusal(of: asked3) == [.peerSuspended])
    }

    @Test("a call waits for a link that is dialled, and is sent when it is up")
    func waits() {
        var rig = DeskRig()
        rig.take(.linkWentDown(node(1)))
        let id = rig.call("B", deadline: .seconds(2))
        #expect(rig.sent.isEmpty && rig.refusal(of: id) == nil)
        rig.pass(1500)
        rig.take(.linkCameUp(node(1)))
        #expect(rig.sent.count == 1)
        rig.answerLast()
        #expect(rig.ledger.finished[id] == 1)
    }

    @Test("a call whose link does not come up in time is refused at its deadline")
    func waitsInVain() {
        var rig = DeskRig()
        rig.take(.linkWentDown(node(1)))
        let id = rig.call("B", deadline: .seconds(2))
        rig.pass(1999)
        #expect(rig.refusal(of: id) == nil)
        rig.pass(2)
        #expect(rig.refusal(of: id) == [.peerUnreachable, .deadlineExceeded])
    }

    @Test("a link that returns lets one probe out; those that wait follow it one by one, then all")
    func probes() {
        var rig = DeskRig()
        rig.take(.linkWentDown(node(1)))
        for _ in 0..<6 { rig.call("B") }
        rig.take(.linkCameUp(node(1)))
        #expect(rig.sent.count == 1)
        rig.answerLast()
        #expect(rig.sent.count == 2)
        rig.answerLast()
        #expect(rig.sent.count == 3)
        rig.answerLast()
        #expect(rig.sent.count == 6)
    }

    @Test("five failures open the breaker; after its time one probe goes out and the next caller is refused")
    func breaker() {
        var rig = DeskRig()
        rig.openBreaker("B")
        let asked4 = rig.call("B")
        #expect(rig.refusal(of: asked4) == [.breakerOpen])
        #expect(
            rig.effects.contains {
                if case .breakerChanged(let change) = $0 { change.to == "open" } else { false }
            })
        rig.now += 1100
        let count = rig.sent.count
        rig.call("B")
        #expect(rig.sent.count == count + 1)
        let asked5 = rig.call("B")
        #expect(rig.refusal(of: asked5) == [.breakerOpen])
        #expect(
            rig.ledger.events.filter { $0.type == .breaker }.map(\.action) == [
                "breaker open", "breaker half-open",
            ])
    }

    @Test("refusals by policy and shed load open no breaker")
    func neutral() {
        var rig = DeskRig()
        for _ in 0..<30 {
            rig.call("B")
            guard let last = rig.sent.last else { return }
            rig.take(.attemptRefused(last.0, [Refusal(.agreementMissing)], .none))
        }
        #expect(rig.desk.routes(at: moment(0)).allSatisfy { $0.breaker == .closed })
    }

    @Test(
        "a failed call goes to another node only when repeating it does no harm",
        arguments: [
            ("list", PossibleEffect.possible, true), ("put", .possible, true), ("buy", .possible, false),
            ("buy", .none, true),
        ])
    func retries(capability: String, effect: PossibleEffect, isRepeated: Bool) {
        var rig = DeskRig()
        let id = rig.call("any", "orders", capability)
        rig.failLast(.streamReset, effect)
        #expect((rig.sent.count == 2) == isRepeated)
        if isRepeated {
            #expect(rig.sent[0].1 != rig.sent[1].1)
            rig.answerLast()
            #expect(rig.refusal(of: id) == nil && rig.ledger.finished[id] == 1)
        } else {
            #expect(rig.refusal(of: id) == [.outcomeUnknown, .peerUnreachable])
        }
        #expect(rig.ledger.problems.isEmpty && rig.ledger.open.isEmpty)
    }

    @Test("with an idempotency key it is repeated at the same node only")
    func sameNode() {
        var rig = DeskRig()
        rig.call("any", "orders", "buy", key: "k")
        rig.failLast()
        rig.failLast()
        #expect(rig.sent.count == 3 && Set(rig.sent.map(\.1)).count == 1)
    }

    @Test("a refusal by one provider's policy is not repeated there, but may be tried elsewhere")
    func elsewhere() {
        var rig = DeskRig()
        let id = rig.call("any")
        rig.take(.attemptRefused(rig.sent[0].0, [Refusal(.agreementMissing)], .none))
        #expect(rig.sent.count == 2 && rig.sent[1].1 != rig.sent[0].1)
        rig.take(.attemptRefused(rig.sent[1].0, [Refusal(.agreementExpired)], .none))
        #expect(rig.sent.count == 2 && rig.refusal(of: id) == [.agreementExpired])
    }

    @Test("never more than two retries, and none without budget")
    func retryLimit() {
        var rig = DeskRig()
        let id = rig.call("B")
        for _ in 0..<5 { rig.failLast(.streamReset, .none) }
        #expect(rig.sent.count == 3 && rig.refusal(of: id) != nil)
        for _ in 0..<20 {
            rig.call("C")
            rig.failLast(.noStream, .none)
            rig.failLast(.noStream, .none)
            rig.failLast(.noStream, .none)
        }
        #expect(rig.sent.count <= 21 + 10 + 3)
    }

    @Test("an attempt gets half of the time left while another node could repeat it, else all")
    func timeouts() {
        var rig = DeskRig()
        let id = rig.call("any", deadline: .seconds(4))
        rig.pass(1999)
        #expect(rig.sent.count == 1)
        rig.pass(2)
        #expect(rig.sent.count == 2)
        #expect(rig.effects.contains(.abandon(rig.sent[0].0)))
        rig.pass(2001)
        #expect(rig.refusal(of: id)?.last == .deadlineExceeded)
        #expect(rig.sent.count == 2 && rig.ledger.open.isEmpty)
    }

    @Test("a late answer to an attempt that was given up is ignored")
    func late() {
        var rig = DeskRig()
        let id = rig.call("B", deadline: .seconds(1))
        rig.pass(1001)
        rig.answerLast()
        #expect(rig.ledger.answered[id] == 1 && rig.refusal(of: id) == [.deadlineExceeded])
    }

    @Test("an answer that breaks after its head is broken off, and nothing is repeated")
    func breaksOff() {
        var rig = DeskRig()
        let id = rig.call("any")
        rig.take(.attemptAnswered(rig.sent[0].0, status: 200, headers: []))
        rig.failLast()
        #expect(rig.sent.count == 1 && rig.ledger.answered[id] == 1 && rig.ledger.finished[id] == 1)
        #expect(rig.ledger.events.last?.success == false)
    }

    @Test("a cancelled call is abandoned and recorded, and nobody is answered")
    func cancels() {
        var rig = DeskRig()
        let id = rig.call("B")
        rig.take(.cancelled(id))
        #expect(rig.effects.contains(.abandon(rig.sent[0].0)) && rig.ledger.answered[id] == nil)
        #expect(rig.ledger.events.last?.refusals.map(\.code) == [.cancelled] && rig.ledger.open.isEmpty)
    }

    @Test("this node's own resource is served here first, and by others when it fails")
    func localFirst() {
        var rig = DeskRig()
        rig.own.append(DeskRig.offered("orders", to: []))
        rig.publish()
        let id = rig.call("any")
        #expect(rig.sent.isEmpty)
        let attempt = AttemptID(request: id, number: 1)
        rig.take(.resourceFailed(.own(attempt), .unreachable, .none))
        #expect(rig.sent.count == 1)
        rig.answerLast()
        #expect(rig.ledger.finished[id] == 1 && rig.ledger.problems.isEmpty)
        let second = rig.call("A")
        rig.take(.resourceAnswered(.own(AttemptID(request: second, number: 1)), status: 200, headers: []))
        rig.take(
            .resourceEnded(
                .own(AttemptID(request: second, number: 1)), BodySummary(length: 1, digest: nil), kept: nil))
        #expect(rig.ledger.finished[second] == 1)
    }

    @Test("sheds calls beyond its bound, and begins nothing while it drains")
    func sheds() {
        var rig = DeskRig()
        rig.configuration.callsMax = 2
        rig.publish()
        rig.call("B")
        rig.call("B")
        let asked6 = rig.call("B")
        #expect(rig.refusal(of: asked6) == [.overloaded])
        rig.answerLast()
        rig.take(.draining)
        let asked7 = rig.call("B")
        #expect(rig.refusal(of: asked7) == [.draining])
    }

    private func words(_ effect: CallEffect) -> [String] {
        switch effect {
        case .record(let records, _): records.map(word)
        case .send: ["send"]
        case .answer: ["answer"]
        case .finish: ["finish"]
        case .linkUsed: []
        default: ["other"]
        }
    }

    private func word(_ record: AuditRecord) -> String {
        switch record {
        case .admitted: "admitted"
        case .settled: "settled"
        case .event: "event"
        }
    }
}
