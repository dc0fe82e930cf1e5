import MeshAgreements
import MeshAudit
import MeshBase
import MeshRouting
import Testing

@testable import MeshNode

@Suite("Calls as the provider decides them")
struct ProviderTests {
    @Test("a permitted call is admitted, served, answered, settled and let go")
    func serves() {
        var rig = DeskRig()
        let key = rig.arrive()
        rig.take(.resourceAnswered(.inbound(key), status: 200, headers: []))
        rig.take(.resourceEnded(.inbound(key), BodySummary(length: 5, digest: nil), kept: nil))
        #expect(rig.effects.last == .finishResponse(key))
        #expect(rig.ledger.problems.isEmpty && rig.ledger.open.isEmpty && rig.ledger.responded[key] == 1)
        #expect(rig.ledger.attempts.first?.type == .service && rig.ledger.attempts.first?.source == node(1))
        #expect(rig.desk.load.services == 0)
    }

    @Test("the backend learns who calls from this node only")
    func headers() {
        var rig = DeskRig()
        rig.arrive()
        guard case .serve(_, _, let invocation) = rig.effects.last else {
            Issue.record("not served")
            return
        }
        #expect(
            invocation.headers.filter { $0.name == "comity-caller" }.map(\.value) == [node(1).description])
        #expect(invocation.headers.contains(HeaderField("comity-caller-name", "B")))
    }

    @Test(
        "what the consumer claims is decided again here",
        arguments: [
            (UInt8(1), "nothing", "list", "GET", "/list", [RefusalCode.resourceUnknown]),
            (2, "private", "list", "GET", "/list", [.resourceUnknown]),
            (1, "stock", "list", "POST", "/buy", [.capabilityUnknown]),
            (1, "stock", "list", "GET", "/other", [.capabilityUnknown]),
            (1, "stock", "list", "GET", "/list/../buy", [.pathRefused]),
            (1, "stock", "list", "GET", "/%6cist", [.pathRefused]),
            (1, "stock", "list", "get", "/list", [.requestMalformed, .capabilityUnknown]),
            (1, "stock", "list", "WEBSOCKET", "/list", [.requestMalformed, .capabilityUnknown]),
            (1, "private", "list", "GET", "/list", [.agreementMissing]),
            (3, "stock", "list", "GET", "/list", [.peerNotFound]),
        ] as [(UInt8, String, String, String, String, [RefusalCode])])
    func refuses(
        peer: UInt8, name: String, capability: String, method: String, path: String, codes: [RefusalCode]
    ) {
        var rig = DeskRig()
        rig.own.append(DeskRig.offered("private", to: [node(1)]))
        rig.publish()
        let key = rig.arrive(from: peer, name, capability, method: method, path: path)
        #expect(rig.refusal(of: key) == codes)
        #expect(rig.ledger.events.count == 1 && rig.ledger.events[0].type == .service)
        #expect(rig.ledger.events[0].refusals.map(\.code) == codes && rig.ledger.attempts.isEmpty)
    }

    @Test("echo is served to whoever holds an agreement on it")
    func echo() {
        var rig = DeskRig()
        let asked1 = rig.arrive("echo", "echo", method: "POST", path: "/")
        #expect(rig.refusal(of: asked1) == [.agreementMissing])
        rig.agree(provider: node(0), consumer: node(1), "echo")
        rig.publish()
        let asked2 = rig.arrive("echo", "echo", method: "POST", path: "/")
        #expect(rig.refusal(of: asked2) == nil)
    }

    @Test("a correlation id comes again only for the same request with a higher attempt")
    func reuse() {
        var rig = DeskRig()
        let asked3 = rig.arrive(correlation: 5, attempt: 1)
        #expect(rig.refusal(of: asked3) == nil)
        let asked4 = rig.arrive(correlation: 5, attempt: 2)
        #expect(rig.refusal(of: asked4) == nil)
        let asked5 = rig.arrive(correlation: 5, attempt: 2)
        #expect(rig.refusal(of: asked5) == [.correlationReused])
        let asked6 = rig.arrive(path: "/list/2", correlation: 5, attempt: 3)
        #expect(rig.refusal(of: asked6) == [.correlationReused])
        let asked7 = rig.arrive(from: 2, correlation: 5, attempt: 1)
        #expect(rig.refusal(of: asked7) == nil)
        #expect(rig.ledger.problems.isEmpty)
    }

    @Test("a call with an idempotency key runs once: a repeat is answered alike, or told that nobody knows")
    func idempotency() {
        var rig = DeskRig()
        let first = rig.arrive("stock", "buy", method: "POST", path: "/buy", key: "k")
        guard case .remember(let entry) = rig.effects.dropLast().last else {
            Issue.record("not remembered")
            return
        }
        let early = rig.arrive("stock", "buy", method: "POST", path: "/buy", key: "k")
        #expect(rig.refusal(of: early) == [.outcomeUnknown])
        rig.take(.resourceAnswered(.inbound(first), status: 201, headers: []))
        rig.take(.resourceEnded(.inbound(first), BodySummary(length: 1, digest: nil), kept: Octets([9])))
        let repeated = rig.arrive("stock", "buy", method: "POST", path: "/buy", key: "k")
        let end = IdempotencyBook.End(status: 201, headers: [], body: Octets([9]))
        #expect(rig.effects.last == .replay(repeated, end))
        #expect(rig.ledger.problems.isEmpty && rig.ledger.open.isEmpty)
        var restarted = DeskRig(seed: 2)
        restarted.take(.keysRestored([entry]))
        let after = restarted.arrive("stock", "buy", method: "POST", path: "/buy", correlation: 9, key: "k")
        #expect(restarted.refusal(of: after) == [.outcomeUnknown])
    }

    @Test("a call that certainly had no effect gives its key back")
    func keyReturned() {
        var rig = DeskRig()
        let first = rig.arrive("stock", "buy", method: "POST", path: "/buy", key: "k")
        rig.take(.resourceFailed(.inbound(first), .unreachable, .none))
        #expect(rig.refusal(of: first) == [.resourceUnreachable])
        let asked8 = rig.arrive("stock", "buy", method: "POST", path: "/buy", key: "k")
        #expect(rig.refusal(of: asked8) == nil)
    }

    @Test("a call that may have had an effect keeps its key")
    func keyKept() {
        var rig = DeskRig()
        let first = rig.arrive("stock", "buy", method: "POST", path: "/buy", key: "k")
        rig.take(.resourceFailed(.inbound(first), .unreachable, .possible))
        let again = rig.arrive("stock", "buy", method: "POST", path: "/buy", key: "k")
        #expect(rig.refusal(of: again) == [.outcomeUnknown])
    }

    @Test(
        "the resource's time and the call's own both end it, each under its name",
        arguments: [
            (Int64(100), UInt32(5000), RefusalCode.resourceTimeout), (9000, 5000, .deadlineExceeded),
        ])
    func timesOut(own: Int64, remaining: UInt32, code: RefusalCode) {
        var rig = DeskRig()
        rig.own = [DeskRig.offered("stock", to: [node(1)], timeout: own)]
        rig.publish()
        let key = rig.arrive(remaining: remaining)
        rig.pass(6000)
        #expect(rig.refusal(of: key) == [code] && rig.effects.contains(.stop(.inbound(key))))
        rig.take(.resourceAnswered(.inbound(key), status: 200, headers: []))
        #expect(rig.ledger.responded[key] == 1)
    }

    @Test("an answer of the resource that is none is named so, to the caller and in the audit")
    func misbehaved() {
        var rig = DeskRig()
        let key = rig.arrive("stock", "buy", method: "POST", path: "/buy", key: "k")
        rig.take(.resourceFailed(.inbound(key), .misbehaved, .possible))
        #expect(rig.refusal(of: key) == [.resourceMisbehaved])
    }

    @Test("a peer that goes away is not answered, and recorded")
    func abandoned() {
        var rig = DeskRig()
        let key = rig.arrive()
        rig.take(.abandoned(key))
        #expect(rig.effects.contains(.stop(.inbound(key))) && rig.ledger.responded[key] == nil)
        #expect(rig.ledger.settlements.values.map { $0.refusals.map(\.code) } == [[.cancelled]])
    }

    @Test("of one peer's correlation ids the last 4 096 are remembered, and none of another's is forgotten")
    func correlationMemory() {
        var rig = DeskRig()
        rig.arrive(from: 2, correlation: 1)
        for number in 1...UInt64(CorrelationMemory.idsPerPeer) {
            let asked = rig.arrive(correlation: number, remaining: 1)
            #expect(rig.refusal(of: asked) != [.correlationReused])
            rig.pass(2)
            rig.effects = []
        }
        let repeated = rig.arrive(correlation: 1)
        #expect(rig.refusal(of: repeated) == [.correlationReused])
        rig.arrive(correlation: 100_000)
        let forgotten = rig.arrive(correlation: 1)
        #expect(rig.refusal(of: forgotten) != [.correlationReused])
        let others = rig.arrive(from: 2, correlation: 1)
        #expect(rig.refusal(of: others) == [.correlationReused])
    }

    @Test("one partner cannot take all places, and nodes of one domain abroad are one")
    func bounds() {
        var rig = DeskRig()
        rig.configuration = CallConfiguration(servicesMax: 4, servicesPerPeer: 3)
        rig.publish()
        for _ in 0..<3 {
            let key9 = rig.arrive()
            #expect(rig.refusal(of: key9) == nil)
        }
        let asked10 = rig.arrive()
        #expect(rig.refusal(of: asked10) == [.overloaded])
        let asked11 = rig.arrive(from: 2)
        #expect(rig.refusal(of: asked11) == nil)
        let asked12 = rig.arrive(from: 2)
        #expect(rig.refusal(of: asked12) == [.overloaded])
    }

    @Test("the places of a domain abroad are its nodes' together, and come back whoever they are by then")
    func boundsAbroad() {
        var rig = DeskRig()
        rig.configuration = CallConfiguration(servicesMax: 8, servicesPerPeer: 3)
        rig.enrolPeersAbroad()
        let came = [rig.arrive(), rig.arrive(from: 2), rig.arrive()]
        #expect(came.allSatisfy { rig.refusal(of: $0) == nil })
        let crowded = rig.arrive(from: 2)
        #expect(rig.refusal(of: crowded) == [.overloaded])
        // They leave the domain, each a partner of its own now.
        for number in [1, 2] as [UInt8] {
            rig.peers[number] = CallPeer(name: peerName("P\(number)"), trust: .trusted, link: .up)
        }
        rig.publish()
        for key in came { rig.take(.abandoned(key)) }
        #expect(rig.desk.servicesOfPartner.isEmpty)
    }
}
