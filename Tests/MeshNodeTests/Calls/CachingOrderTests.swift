import MeshAgreements
import MeshAudit
import MeshBase
import MeshRouting
import Testing

@testable import MeshNode

@Suite("What is decided before a call is answered from memory")
struct CachingOrderTests {
    @Test("who may not call is refused, although the answer lies here")
    func refused() throws {
        var rig = DeskRig.filled()
        rig.peers[1] = CallPeer(name: peerName("B"), trust: .suspended, link: .up)
        rig.publish()
        let suspended = rig.call("B")
        #expect(rig.refusal(of: suspended) == [.peerSuspended])
        rig.peers[1] = CallPeer(name: peerName("B"), trust: .trusted, link: .up)
        rig.publish()
        let back = rig.call("B")
        #expect(rig.result(of: back) == "hit")
        rig.agreements[node(1)] = []
        rig.publish()
        #expect(rig.desk.cache.isEmpty)
        let gone = rig.call("B")
        #expect(rig.refusal(of: gone) == [.agreementMissing])
    }

    @Test("an agreement that is over or does not grant it any more refuses")
    func ended() {
        var rig = DeskRig()
        rig.agreements = [:]
        rig.agree(provider: node(1), consumer: node(0), "orders", until: 30_000)
        rig.publish()
        rig.call("B")
        rig.answerKept()
        rig.now = 24_000
        let before = rig.call("B")
        #expect(rig.result(of: before) == "hit")
        rig.now = 30_000
        let after = rig.call("B")
        #expect(rig.refusal(of: after) == [.agreementExpired])
    }

    @Test("another version of an agreement asks for itself")
    func version() {
        var rig = DeskRig.filled()
        rig.agreements[node(1)] = []
        rig.agree(provider: node(1), consumer: node(0), "orders")
        rig.agree(provider: node(1), consumer: node(0), "orders")
        rig.publish()
        rig.call("B")
        #expect(rig.sent.count == 2)
    }

    @Test("an agent that drains, or whose audit is full, gives nothing")
    func draining() {
        var rig = DeskRig.filled()
        rig.take(.roomMeasured(bytes: 0))
        let full = rig.call("B")
        #expect(rig.refusal(of: full) == [.auditUnavailable])
        rig.take(.roomMeasured(bytes: 1 << 30))
        rig.take(.draining)
        let draining = rig.call("B")
        #expect(rig.refusal(of: draining) == [.draining])
    }

    @Test("where an external policy is asked, it is asked about answers from memory, too")
    func external() throws {
        var rig = DeskRig()
        rig.configuration.external = ExternalPolicyRules()
        rig.publish()
        rig.call("B")
        try rig.judge(.allowed(decision: "d1"))
        rig.answerKept()
        let allowed = rig.call("B")
        #expect(rig.result(of: allowed) == nil)
        try rig.judge(.allowed(decision: "d2"))
        #expect(rig.result(of: allowed) == "hit" && rig.lastFacts("decision") == ["d2"])
        let denied = rig.call("B")
        try rig.judge(.denied(decision: "d3", reasons: []))
        #expect(rig.result(of: denied) == nil && rig.refusal(of: denied) == [.externalPolicyDenied])
        #expect(rig.sent.count == 1)
    }

    @Test("what is sealed is not kept, and its provider does not say that it may be")
    func sealed() throws {
        let key = try #require(EncryptionKey([UInt8](repeating: 1, count: 32)))
        var rig = DeskRig()
        rig.agreements = [:]
        let sealed = AgreementConditions(encryption: .required)
        rig.agree(provider: node(1), consumer: node(0), "orders", conditions: sealed)
        rig.agree(provider: node(0), consumer: node(1), "stock", conditions: sealed)
        rig.peers[1] = CallPeer(name: peerName("B"), trust: .trusted, link: .up, encryption: key)
        rig.own = [rig.own[0].keeping(.seconds(30))]
        rig.publish()
        rig.call("B")
        rig.answerKept()
        rig.call("B")
        #expect(rig.sent.count == 2 && rig.desk.cache.isEmpty)
        let served = rig.arrive(sealedTo: key)
        rig.take(.resourceAnswered(.inbound(served), status: 200, headers: []))
        #expect(rig.said(to: served) == [])
    }

    @Test("what the provider alone can see is no case for memory, at either end")
    func networks() throws {
        var rig = DeskRig()
        rig.agreements = [:]
        let near = AgreementConditions(networks: [try #require(IPNetwork("10.1.0.0/16"))])
        rig.agree(provider: node(1), consumer: node(0), "orders", conditions: near)
        rig.agree(provider: node(0), consumer: node(1), "stock", conditions: near)
        rig.peers[1] = CallPeer(
            name: peerName("B"), trust: .trusted, link: .up, address: IPAddress("10.1.2.3"))
        rig.own = [rig.own[0].keeping(.seconds(30))]
        rig.publish()
        rig.call("B")
        rig.answerKept()
        rig.call("B")
        #expect(rig.sent.count == 2)
        let served = rig.arrive()
        rig.take(.resourceAnswered(.inbound(served), status: 200, headers: []))
        #expect(rig.said(to: served) == [])
    }

    @Test("a provider whose own policy engine is asked lets nothing be kept")
    func engineThere() throws {
        var rig = DeskRig()
        rig.configuration.external = ExternalPolicyRules()
        rig.own = [rig.own[0].keeping(.seconds(30))]
        rig.publish()
        let served = rig.arrive()
        for case .judge(let ticket, _, _) in rig.effects {
            rig.take(.judged(ticket, .allowed(decision: "d")))
        }
        rig.take(.resourceAnswered(.inbound(served), status: 200, headers: []))
        #expect(rig.said(to: served) == [])
    }

    @Test("a provider that refused the call is not answered for when the next one breaks")
    func refusedThenBroken() throws {
        var rig = DeskRig.filled()
        rig.now = 60_000
        rig.peers[2] = CallPeer(name: peerName("C"), trust: .trusted, link: .up)
        rig.said = [.preferNode(node(1))]
        rig.publish()
        let id = rig.call("any")
        #expect(rig.sent.last?.1 == node(1))
        rig.take(
            .attemptRefused(try #require(rig.sent.last).0, [Refusal(.overloaded)], .none))
        #expect(rig.sent.last?.1 == node(2))
        for _ in 0..<4 where rig.refusal(of: id) == nil { rig.failLast() }
        #expect(rig.result(of: id) == nil && rig.refusal(of: id) != nil)
    }

    @Test("a provider that denies what permitted the call here ends all that was kept under it")
    func denied() throws {
        var rig = DeskRig.filled()
        rig.call("B", form: .mesh(method: "GET", path: "/list/9", query: nil), body: .none)
        rig.take(
            .attemptRefused(try #require(rig.sent.last).0, [Refusal(.networkNotAgreed)], .none))
        #expect(rig.desk.cache.isEmpty)
        rig.call("B")
        #expect(rig.sent.count == 3)
    }

    @Test("an end, or a narrower grant, refuses; a rate that is used up too")
    func narrowed() {
        var rig = DeskRig()
        rig.agreements = [:]
        rig.agree(provider: node(1), consumer: node(0), "orders", only: ["put"])
        rig.publish()
        let narrowed = rig.call("B")
        #expect(rig.refusal(of: narrowed) == [.capabilityNotAgreed])
        rig.agreements = [:]
        rig.agree(provider: node(1), consumer: node(0), "orders", limits: UsageLimits(callsPerDay: 1))
        rig.publish()
        rig.take(.metersRestored([]))
        rig.call("B")
        for case .reserve(let reservation) in rig.effects { rig.take(.meterKept(reservation.record)) }
        rig.answerKept()
        let beyond = rig.call("B")
        #expect(rig.refusal(of: beyond) == [.quotaExhausted] && rig.result(of: beyond) == nil)
    }

    @Test("what the engine denied meanwhile is not given when the attempt breaks")
    func deniedMeanwhile() throws {
        var rig = DeskRig()
        rig.configuration.external = ExternalPolicyRules(cacheLife: .seconds(10))
        rig.publish()
        rig.call("B")
        try rig.judge(.allowed(decision: "d1"))
        rig.answerKept()
        rig.now = 60_000
        let waiting = rig.call("B", deadline: .seconds(50))
        try rig.judge(.allowed(decision: "d2"))
        rig.now = 71_000
        rig.call("B")
        try rig.judge(.denied(decision: "d3", reasons: []))
        let attempt = try #require(rig.sent.last).0
        #expect(attempt.request == waiting)
        rig.take(.attemptFailed(attempt, .streamReset, .possible))
        #expect(rig.result(of: waiting) == nil && rig.refusal(of: waiting) != nil)
    }
}
