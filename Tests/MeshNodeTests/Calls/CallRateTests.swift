import MeshAgreements
import MeshAudit
import MeshBase
import MeshRouting
import Testing

@testable import MeshNode

@Suite("Calls that come faster than the operator set")
struct CallRateTests {
    /// Two at once, and ten a second.
    private let rate = CallRate(calls: 10, seconds: 1, burst: 2)
    private let anna = Principal("anna")!
    private let otto = Principal("otto")!

    private func rig(peer: CallRate? = nil, principal: CallRate? = nil) -> DeskRig {
        var rig = DeskRig()
        rig.configuration.rates = CallRates(perPeer: peer, perPrincipal: principal)
        rig.publish()
        return rig
    }

    private func told(_ key: InboundKey, _ rig: DeskRig) -> [Refusal] {
        for case .respond(key, .refused(let refusals, .none)) in rig.effects { return refusals }
        return []
    }

    private func arrivals(
        _ count: Int, from peer: UInt8 = 1, isOpened: Bool = false, _ rig: inout DeskRig
    ) -> [[RefusalCode]?] {
        (0..<count).map { _ in
            let key = rig.arrive(from: peer, isOpened: isOpened)
            return rig.refusal(of: key)
        }
    }

    @Test("of a peer are refused beyond its rate, whomever they are for; another's are not")
    func peers() {
        var rig = rig(peer: rate)
        let first = [anna, otto].map { rig.arrive(as: $0) }
        let third = rig.arrive(correlation: 500)
        #expect(first.map { rig.refusal(of: $0) } == [nil, nil])
        #expect(rig.refusal(of: third) == [.tooManyCalls])
        let facts = [
            Fact("decided at", "provider"), Fact("calls of", "this partner"),
            Fact("rate set", "10 calls in 1 s"), Fact("burst", 2), Fact("free again in ms", 100),
        ]
        #expect(told(third, rig).first?.facts == facts)
        let event = rig.ledger.events.last
        #expect(event?.type == .service && event?.refusals.first?.facts == facts)
        #expect(arrivals(1, from: 2, &rig) == [nil])
        // Nothing happened: the same attempt may come again.
        rig.now += 100
        let again = rig.arrive(correlation: 500)
        #expect(rig.refusal(of: again) == nil)
    }

    @Test("of a domain that is not this node's are one partner's, however many nodes it sends")
    func domains() {
        var rig = rig(peer: rate)
        rig.enrolPeersAbroad()
        #expect(arrivals(1, &rig) == [nil] && arrivals(2, from: 2, &rig) == [nil, [.tooManyCalls]])
    }

    @Test("of a principal are refused at the provider, and its peer's other principals are served")
    func principals() {
        var rig = rig(principal: rate)
        let keys = [anna, anna, anna, otto].map { rig.arrive(as: $0) }
        #expect(keys.map { rig.refusal(of: $0) } == [nil, nil, [.tooManyCalls], nil])
        #expect(told(keys[2], rig).first?.facts[1] == Fact("calls of", "principal anna"))
        let others = rig.arrive(from: 2, as: anna)
        #expect(rig.refusal(of: others) == nil)
    }

    @Test("of an application here are refused before they leave; what is tried again counts once")
    func own() {
        var rig = rig(peer: CallRate(calls: 1, seconds: 1, burst: 1), principal: rate)
        rig.call("any", as: anna)
        rig.failLast(.noStream, .none)
        #expect(rig.sent.count == 2)
        rig.answerLast()
        let second = rig.call("B", as: anna)
        rig.answerLast()
        let third = rig.call("B", as: anna)
        let others = rig.call("B", as: otto)
        #expect([second, third, others].map { rig.refusal(of: $0) } == [nil, [.tooManyCalls], nil])
        #expect(rig.sent.count == 4)
        let event = rig.ledger.events.first { $0.refusals.map(\.code) == [.tooManyCalls] }
        #expect(event?.type == .call && event?.refusals.first?.facts.first == Fact("decided at", "consumer"))
        rig.now += 100
        let later = rig.call("B", as: anna)
        #expect(rig.refusal(of: later) == nil)
    }

    @Test("are asked of another provider when one refuses them, and no breaker opens")
    func elsewhere() {
        var rig = DeskRig()
        rig.call("any", "orders", "buy")
        guard let asked = rig.sent.last else {
            Issue.record("nobody was asked")
            return
        }
        rig.take(.attemptRefused(asked.0, [Refusal(.tooManyCalls)], .none))
        #expect(rig.sent.count == 2 && rig.sent.last?.1 != asked.1)
        let way = rig.desk.routes(at: moment(rig.now)).first { $0.node == asked.1 }
        #expect(way?.breaker == .closed && way?.linkBreaker == .closed)
    }

    @Test("are foreseen on either side, and asking counts nothing")
    func explained() {
        var rig = rig(peer: rate, principal: rate)
        for _ in 0..<2 {
            rig.call("B", as: anna)
            rig.answerLast()
            rig.arrive(as: anna)
        }
        let before = rig.desk
        func own(_ principal: Principal) -> [RefusalCode] {
            let request = LocalRequest(
                id: RequestID(99), target: .node(node(1)), resource: resource("orders"),
                form: .invoke(capability: resource("list"), query: nil), principal: principal, body: .none)
            return rig.desk.wouldDecide(request, at: moment(rig.now)).obstacles.map(\.code)
        }
        func peers(_ peer: UInt8) -> [RefusalCode] {
            let verdict = rig.desk.wouldServe(
                node(peer), resource: resource("stock"), capability: resource("list"), principal: otto,
                at: moment(rig.now))
            return if case .refused(let reasons) = verdict { reasons.map(\.code) } else { [] }
        }
        #expect(own(anna) == [.tooManyCalls] && own(otto).isEmpty)
        #expect(peers(1) == [.tooManyCalls] && peers(2).isEmpty)
        #expect(rig.desk == before)
    }

    @Test("of a peer beyond its rate are not opened when they are sealed")
    func sealed() {
        var rig = rig(peer: rate, principal: rate)
        func code(_ peer: UInt8) -> RefusalCode? {
            rig.desk.refusalBeforeOpening(from: node(peer), at: moment(rig.now).instant)?.code
        }
        #expect(code(1) == nil)
        #expect(arrivals(2, &rig) == [nil, nil])
        #expect(code(1) == .tooManyCalls && code(2) == nil)
        rig.now += 100
        #expect(code(1) == nil)
    }

    @Test("count when their head is opened, whatever becomes of them, and then no more")
    func opened() {
        var rig = rig(peer: rate, principal: rate)
        func open(_ peer: UInt8) -> RefusalCode? {
            rig.desk.takeOpening(from: node(peer), at: moment(rig.now).instant)?.code
        }
        #expect([open(1), open(1), open(1)] == [nil, nil, .tooManyCalls] && open(2) == nil)
        #expect(arrivals(1, &rig) == [[.tooManyCalls]])
        #expect(arrivals(1, isOpened: true, &rig) == [nil])
    }

    @Test("are remembered of trusted peers only, while they are peers, and begin anew with a new rate")
    func remembered() {
        var rig = rig(peer: rate)
        rig.peers[3] = CallPeer(name: peerName("D"), trust: .suspended, link: .up)
        rig.publish()
        #expect(arrivals(4, from: 3, &rig).allSatisfy { $0 == [.peerSuspended] })
        #expect(rig.desk.rates?.count == 0)
        #expect(arrivals(3, &rig).last == [.tooManyCalls] && arrivals(1, from: 2, &rig) == [nil])
        rig.publish()
        #expect(rig.desk.rates?.count == 2 && arrivals(1, &rig) == [[.tooManyCalls]])
        rig.peers = [2: CallPeer(name: peerName("C"), trust: .trusted, link: .up)]
        rig.publish()
        #expect(rig.desk.rates?.count == 1)
        rig.configuration.rates.perPeer = CallRate(calls: 1, seconds: 3_600, burst: 1)
        rig.publish()
        #expect(arrivals(2, from: 2, &rig) == [nil, [.tooManyCalls]])
        rig.configuration.rates = CallRates()
        rig.publish()
        #expect(rig.desk.rates == nil && arrivals(3, from: 2, &rig) == [nil, nil, nil])
    }
}
