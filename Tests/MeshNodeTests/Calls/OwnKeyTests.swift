import MeshAudit
import MeshBase
import MeshRouting
import Testing

@testable import MeshNode

@Suite("Idempotency keys at this node's own resource")
struct OwnKeyTests {
    /// A desk whose node provides `stock`.
    private var rig = DeskRig()

    private func own(_ request: RequestID, _ number: UInt8 = 1) -> ServiceID {
        .own(AttemptID(request: request, number: number))
    }

    private func entries(_ rig: DeskRig) -> [IdempotencyBook.Entry] {
        rig.effects.compactMap { if case .remember(let entry) = $0 { entry } else { nil } }
    }

    private func servedCount(_ rig: DeskRig) -> Int {
        rig.effects.filter { if case .serve = $0 { true } else { false } }.count
    }

    private func answer(_ rig: inout DeskRig, _ request: RequestID, kept: Octets? = Octets([9])) {
        rig.take(.resourceAnswered(own(request), status: 201, headers: [HeaderField("x-one", "1")]))
        rig.take(.resourceEnded(own(request), BodySummary(length: 1, digest: nil), kept: kept))
    }

    @Test("a key is durable before the resource is used, with this node as its caller")
    func remembered() {
        var rig = rig
        rig.call("A", "stock", "buy", key: "k")
        guard case .serve(.own, _, _) = rig.effects.last,
            case .remember(let entry) = rig.effects.dropLast().last
        else {
            Issue.record("\(rig.effects)")
            return
        }
        #expect(entry.key == IdempotencyBook.Key(caller: node(0), key: "k") && entry.end == nil)
        #expect(rig.ledger.problems.isEmpty)
    }

    @Test("the end of a key is kept before the last frame")
    func ended() {
        var rig = rig
        let first = rig.call("A", "stock", "buy", key: "k")
        rig.take(.resourceAnswered(own(first), status: 201, headers: [HeaderField("x-one", "1")]))
        let effects = rig.take(
            .resourceEnded(own(first), BodySummary(length: 1, digest: nil), kept: Octets([9])))
        guard case .remember(let entry) = effects.dropLast().last, effects.last == .finish(first) else {
            Issue.record("\(effects)")
            return
        }
        let end = IdempotencyBook.End(
            status: 201, headers: [HeaderField("x-one", "1")], body: Octets([9]))
        #expect(entry.end == end && rig.ledger.problems.isEmpty && rig.ledger.open.isEmpty)
    }

    @Test("a repeat of what ended does not run again, and is answered as then", arguments: ["buy", "put"])
    func repeated(capability: String) {
        var rig = rig
        let first = rig.call("A", "stock", capability, key: "k")
        answer(&rig, first)
        let again = rig.call("A", "stock", capability, key: "k")
        guard case .answerAgain(again, let end, _) = rig.effects.last else {
            Issue.record("\(rig.effects.suffix(3))")
            return
        }
        #expect(end.status == 201 && end.body == Octets([9]))
        #expect(rig.ledger.events.last { $0.type == .call }?.status == 201)
        #expect(servedCount(rig) == 1 && rig.ledger.problems.isEmpty && rig.ledger.open.isEmpty)
        #expect(rig.desk.load.calls == 0 && rig.desk.nextDeadline == nil)
    }

    @Test("what was done here is not asked of another node by a repeat")
    func repeatedNowhereElse() {
        var rig = rig
        rig.own.append(DeskRig.offered("orders", to: []))
        rig.publish()
        let first = rig.call("A", "orders", "put", key: "k")
        answer(&rig, first)
        rig.call("any", "orders", "put", key: "k")
        #expect(rig.sent.isEmpty && servedCount(rig) == 1)
        #expect(rig.ledger.problems.isEmpty)
    }

    @Test("a repeat while the first is under way is told that nobody knows, also after a restart")
    func unknown() throws {
        var rig = rig
        rig.call("A", "stock", "buy", key: "k")
        let early = rig.call("A", "stock", "buy", key: "k")
        #expect(rig.refusal(of: early)?.first == .outcomeUnknown && servedCount(rig) == 1)
        var restarted = DeskRig(seed: 2)
        restarted.take(.keysRestored([try #require(entries(rig).first)]))
        let after = restarted.call("A", "stock", "buy", key: "k")
        #expect(restarted.refusal(of: after)?.first == .outcomeUnknown && servedCount(restarted) == 0)
        #expect(rig.ledger.problems.isEmpty && restarted.ledger.open.isEmpty)
    }

    @Test("a key that came before with another request is refused")
    func other() {
        var rig = rig
        rig.call("A", "stock", "buy", key: "k")
        let other = rig.call("A", "stock", "put", key: "k")
        #expect(rig.refusal(of: other) == [.requestMalformed] && servedCount(rig) == 1)
        #expect(entries(rig).count == 1 && rig.ledger.problems.isEmpty)
    }

    @Test("a failure that may have had an effect is not repeated")
    func possible() {
        var rig = rig
        let first = rig.call("A", "stock", "buy", key: "k")
        rig.take(.resourceFailed(own(first), .connectionLost, .possible))
        #expect(rig.refusal(of: first)?.first == .outcomeUnknown && servedCount(rig) == 1)
        #expect(entries(rig).count == 1 && rig.ledger.problems.isEmpty && rig.ledger.open.isEmpty)
    }

    @Test("a failure that certainly had no effect gives its key back, and may be repeated")
    func withdrawn() {
        var rig = rig
        let first = rig.call("A", "stock", "buy", key: "k")
        rig.take(.resourceFailed(own(first), .unreachable, .none))
        #expect(entries(rig).map { $0.until.milliseconds == 0 } == [false, true, false])
        #expect(servedCount(rig) == 2 && rig.ledger.problems.isEmpty)
    }

    @Test("an answer that breaks, a time-out and a cancelled call leave the key begun", arguments: 0..<3)
    func keptBegun(way: Int) {
        var rig = rig
        let first = rig.call("A", "stock", "buy", deadline: .seconds(1), key: "k")
        switch way {
        case 0:
            rig.take(.resourceAnswered(own(first), status: 200, headers: []))
            rig.take(.resourceFailed(own(first), .connectionLost, .none))
        case 1: rig.pass(2_000)
        default: rig.take(.cancelled(first))
        }
        let again = rig.call("A", "stock", "buy", key: "k")
        #expect(rig.refusal(of: again)?.first == .outcomeUnknown && servedCount(rig) == 1)
        #expect(rig.ledger.problems.isEmpty && rig.ledger.open.isEmpty)
    }

    @Test("a safe call needs no key, and a peer's key is not this node's")
    func apart() {
        var rig = rig
        rig.call("A", "stock", "list", key: "k")
        #expect(entries(rig).isEmpty)
        rig.arrive("stock", "buy", method: "POST", path: "/buy", key: "k")
        rig.call("A", "stock", "buy", key: "k")
        #expect(servedCount(rig) == 3 && entries(rig).map(\.key.caller) == [node(1), node(0)])
    }
}
