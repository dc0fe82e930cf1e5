import MeshAgreements
import MeshAudit
import MeshBase
import MeshRouting
import Testing

@testable import MeshNode

@Suite("Calls that are answered from memory")
struct CachingTests {
    @Test("what its provider lets be kept is given again without an attempt, with one event that leads to it")
    func hit() throws {
        var rig = DeskRig.filled()
        guard
            case .answer(_, _, let headers, let first)? = rig.effects.first(where: { effect in
                if case .answer = effect { true } else { false }
            })
        else {
            Issue.record("not answered")
            return
        }
        #expect(headers == [HeaderField("comity-cache", "miss")])
        rig.now = 5_300
        let id = rig.call("B")
        #expect(rig.sent.count == 1 && rig.result(of: id) == "hit")
        for case .answerAgain(id, let end, let correlation) in rig.effects {
            #expect(end.status == 200 && end.body == DeskRig.text && correlation != first)
            #expect(end.headers == [HeaderField("age", "5"), HeaderField("comity-cache", "hit")])
        }
        let event = try #require(rig.ledger.events.last)
        #expect(event.type == .call && event.success && event.target == node(1) && event.status == 200)
        #expect(event.agreement != nil && event.capability == resource("list") && event.answerDigest == .zero)
        #expect(rig.lastFacts("answered from") == ["memory"] && rig.lastFacts("kept since ms") == ["5300"])
        #expect(rig.lastFacts("brought by the call") == ["\(first)"])
        #expect(rig.ledger.problems.isEmpty && rig.desk.load.calls == 0)
        #expect(rig.desk.cache.times(.hit) == 1 && rig.desk.cache.times(.miss) == 1)
    }

    @Test("an answer of which its provider says nothing is asked for each time")
    func notDeclared() {
        var rig = DeskRig()
        rig.call("B")
        rig.answerKept([])
        rig.call("B")
        #expect(rig.sent.count == 2 && rig.desk.cache.isEmpty)
    }

    @Test("it is asked for anew once its time is over, and what is over leaves")
    func time() {
        var rig = DeskRig.filled()
        rig.now = 59_999
        let last = rig.call("B")
        #expect(rig.result(of: last) == "hit")
        rig.now = 60_000
        rig.call("B")
        #expect(rig.sent.count == 2)
        rig.answerKept([])
        rig.pass(200_000)
        #expect(rig.desk.cache.isEmpty && rig.desk.nextDeadline == nil)
    }

    @Test("another principal, purpose, capability, provider or query asks for itself")
    func apart() throws {
        var rig = DeskRig.filled()
        let ann = try #require(Principal("ann"))
        rig.call("B", as: ann)
        rig.answerKept([])
        rig.call("B", purpose: Purpose("billing"))
        rig.answerKept([])
        rig.call("C")
        rig.answerKept([])
        rig.call("B", form: .mesh(method: "GET", path: "/list", query: "a=1"), body: .none)
        rig.answerKept([])
        rig.call("B", form: .mesh(method: "GET", path: "/list/5", query: nil), body: .none)
        rig.answerKept([])
        #expect(rig.sent.count == 6)
        // The same by its other door is the same.
        let same = rig.call("B", form: .mesh(method: "GET", path: "/list", query: nil), body: .none)
        #expect(rig.result(of: same) == "hit")
    }

    @Test("a key, a body, and headers that make an answer one's own neither ask nor fill")
    func unkeepable() {
        var rig = DeskRig.filled()
        rig.call("B", key: "k1")
        rig.answerKept()
        let mesh = CallForm.mesh(method: "GET", path: "/list", query: nil)
        rig.call("B", form: mesh)
        rig.answerKept()
        #expect(rig.sent.count == 3)
        for header in [
            HeaderField("authorization", "x"), HeaderField("range", "bytes=0-1"),
            HeaderField("cache-control", "no-store"),
        ] {
            rig.ask("B", mesh, [header])
            rig.answerKept()
        }
        #expect(rig.sent.count == 6 && rig.desk.cache.count == 1)
        // Who wants an answer of now gets one, and the others get that.
        rig.now = 30_000
        rig.ask("B", mesh, [HeaderField("cache-control", "no-cache")])
        rig.answerKept()
        #expect(rig.sent.count == 7 && rig.desk.cache.count == 1)
        rig.now = 89_999
        let id = rig.call("B")
        #expect(rig.result(of: id) == "hit")
    }

    @Test("what changes something is never kept, whatever its provider says")
    func mutating() {
        var rig = DeskRig()
        for capability in ["put", "buy"] {
            rig.call("B", "orders", capability)
            rig.answerKept()
            rig.call("B", "orders", capability)
            rig.answerKept()
        }
        #expect(rig.sent.count == 4 && rig.desk.cache.isEmpty)
    }

    @Test(
        "a write through this node ends what is kept of the resource, however it ends",
        arguments: [true, false])
    func write(isAnswered: Bool) {
        var rig = DeskRig.filled()
        rig.now = 10
        rig.call("B", "orders", "buy")
        let during = rig.call("B")
        #expect(rig.result(of: during) == "hit")
        if isAnswered { rig.answerLast() } else { rig.failLast() }
        let after = rig.call("B")
        #expect(rig.result(of: after) == nil && rig.sent.count == 3)
    }

    @Test("a write counts from when its answer begins")
    func writeBegins() throws {
        var rig = DeskRig.filled()
        rig.now = 10
        rig.call("B", "orders", "buy")
        rig.take(.attemptAnswered(try #require(rig.sent.last).0, status: 200, headers: []))
        rig.call("B")
        #expect(rig.sent.count == 3)
    }

    @Test("what was asked before a write and comes behind it is not kept")
    func crossing() {
        var rig = DeskRig()
        rig.call("B")
        let reading = rig.sent[0].0
        rig.now = 10
        rig.call("B", "orders", "buy")
        rig.answerLast()
        rig.take(.attemptAnswered(reading, status: 200, headers: [DeskRig.minute]))
        rig.take(.attemptEnded(reading, BodySummary(length: 5, digest: nil), kept: DeskRig.text))
        rig.call("B")
        #expect(rig.sent.count == 3)
    }

    // MARK: When nobody can be asked

    @Test(
        "fresh is given without a link; stale only where no provider can be asked, and never to who wants new"
    )
    func stale() {
        var rig = DeskRig.filled()
        rig.peers[1] = CallPeer(name: peerName("B"), trust: .trusted, link: .down)
        rig.publish()
        let fresh = rig.call("B")
        #expect(rig.result(of: fresh) == "hit")
        rig.now = 60_000
        let stale = rig.call("B")
        #expect(rig.result(of: stale) == "stale")
        #expect(rig.lastFacts("answered from") == ["memory, its time is over"])
        let new = rig.ask(
            "B", .mesh(method: "GET", path: "/list", query: nil), [HeaderField("cache-control", "no-cache")])
        #expect(rig.refusal(of: new) == [.peerUnreachable])
        rig.now = 120_000
        let over = rig.call("B")
        #expect(rig.refusal(of: over) == [.peerUnreachable])
    }

    @Test("a link that is dialled was lost: stale at once; one at rest is opened", arguments: [true, false])
    func awaited(isDialled: Bool) {
        var rig = DeskRig.filled()
        rig.peers[1] = CallPeer(
            name: peerName("B"), trust: .trusted, link: isDialled ? .dialling : .atRest)
        rig.publish()
        rig.now = 60_000
        let id = rig.call("B")
        #expect(rig.result(of: id) == (isDialled ? "stale" : nil))
    }

    @Test("where another provider is well it is asked; where the last attempt broke, stale is given")
    func broken() {
        var rig = DeskRig.filled()
        rig.now = 60_000
        let id = rig.call("B")
        #expect(rig.sent.count == 2)
        rig.failLast()
        // The retry budget pays for a second one.
        for _ in 0..<3 where rig.result(of: id) == nil { rig.failLast() }
        #expect(rig.result(of: id) == "stale" && rig.ledger.problems.isEmpty)
        #expect(rig.ledger.events.last?.success == true && rig.desk.load.calls == 0)
        rig.openBreaker("B")
        rig.call("any", "orders", "list")
        #expect(rig.sent.last?.1 == node(2))
    }

    @Test("a provider that refuses is believed, whatever lies here")
    func providerRefuses() throws {
        var rig = DeskRig.filled()
        rig.now = 60_000
        let id = rig.call("B")
        let last = try #require(rig.sent.last)
        rig.take(.attemptRefused(last.0, [Refusal(.agreementMissing)], .none))
        #expect(rig.result(of: id) == nil && rig.refusal(of: id) == [.agreementMissing])
    }

    @Test("an answer that HTTP forbids to keep is not kept, whatever its provider says")
    func forbidden() {
        for (status, header) in [
            (503, HeaderField("a", "b")), (302, HeaderField("a", "b")),
            (200, HeaderField("set-cookie", "a=b")),
            (200, HeaderField("cache-control", "private")), (200, HeaderField("vary", "*")),
        ] as [(UInt16, HeaderField)] {
            var rig = DeskRig()
            rig.call("B")
            rig.answerKept([header, DeskRig.minute], status: status)
            rig.call("B")
            #expect(rig.sent.count == 2 && rig.desk.cache.isEmpty, "\(status) \(header)")
        }
    }

    @Test("memory stands in for no provider that comes first: this node, the preferred one, a sticky key's")
    func first() {
        var rig = DeskRig.filled()
        rig.own.append(DeskRig.offered("orders", to: []))
        rig.publish()
        rig.call("any")
        #expect(rig.effects.contains { if case .serve(.own, _, _) = $0 { true } else { false } })
        var preferring = DeskRig.filled()
        preferring.said = [.preferNode(node(2))]
        preferring.publish()
        preferring.call("any")
        #expect(preferring.sent.last?.1 == node(2))
        var sticking = DeskRig.filled()
        sticking.call("any", sticky: "k")
        #expect(sticking.sent.count == 2)
        var any = DeskRig.filled()
        let id = any.call("any")
        #expect(any.result(of: id) == "hit")
    }

    @Test("a write at one provider ends what is kept of the others, and one at this node does")
    func writeElsewhere() {
        var rig = DeskRig.filled()
        rig.now = 10
        rig.call("C", "orders", "buy")
        rig.answerLast()
        rig.call("B")
        #expect(rig.sent.count == 3)
        rig.answerKept()
        rig.own.append(DeskRig.offered("orders", to: []))
        rig.publish()
        rig.now = 20
        rig.call("A", "orders", "buy")
        for case .serve(let service, _, _) in rig.effects {
            rig.take(.resourceAnswered(service, status: 200, headers: []))
        }
        rig.call("B")
        #expect(rig.sent.count == 4)
    }

    @Test("what was asked by an older catalog is kept as it was asked")
    func catalogs() {
        var rig = DeskRig()
        rig.call("B")
        let moved = [Capability(name: resource("list"), methods: ["GET"], path: "/v2/list", safety: .safe)]
        rig.descriptions[node(1)] = [
            ResourceDescription(name: resource("orders"), protocol: .http, capabilities: moved, labels: [])
        ]
        rig.publish()
        rig.answerKept()
        rig.call("B")
        #expect(rig.sent.count == 2)
    }

    // MARK: The provider

    @Test("the provider says it of what it declared, where the request and the answer allow it")
    func says() {
        var rig = DeskRig()
        rig.own = [rig.own[0].keeping(.seconds(30))]
        rig.publish()
        func answer(_ key: InboundKey, _ status: UInt16, _ headers: [HeaderField]) -> [HeaderField]? {
            rig.take(.resourceAnswered(.inbound(key), status: status, headers: headers))
            return rig.said(to: key)
        }
        let said = HeaderField("comity-keep-for", "30000")
        let forged = HeaderField("comity-keep-for", "86400000")
        #expect(answer(rig.arrive(), 200, [forged]) == [said])
        #expect(answer(rig.arrive(), 500, [forged]) == [])
        let shorter = HeaderField("cache-control", "max-age=9")
        #expect(answer(rig.arrive(), 200, [shorter]) == [shorter, HeaderField("comity-keep-for", "9000")])
        #expect(answer(rig.arrive("stock", "put", method: "PUT", path: "/item"), 200, [forged]) == [])
    }
}
