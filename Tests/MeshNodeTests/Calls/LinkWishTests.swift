import MeshBase
import MeshRouting
import Testing

@testable import MeshNode

/// Calls to peers whose links are opened only when something needs them.
@Suite struct LinkWishTests {
    private func rig(_ catalog: CallCatalog = .known) -> DeskRig {
        var rig = DeskRig()
        rig.peers[1] = CallPeer(name: peerName("B"), trust: .trusted, link: .atRest, catalog: catalog)
        rig.peers[2] = CallPeer(name: peerName("C"), trust: .trusted, link: .atRest, catalog: catalog)
        if catalog == .awaited { rig.descriptions = [:] }
        rig.publish()
        return rig
    }

    private func wishes(_ rig: DeskRig) -> [NodeID] {
        rig.effects.compactMap { if case .linkWanted(let peer) = $0 { peer } else { nil } }
    }

    @Test func `many calls to one peer ask for one link, and go when it is up`() {
        var rig = rig()
        for _ in 0..<5 { rig.call("B") }
        #expect(wishes(rig) == [node(1)])
        #expect(rig.sent.isEmpty)
        rig.take(.linkCameUp(node(1)))
        #expect(rig.sent.map(\.1) == Array(repeating: node(1), count: 5))
    }

    @Test func `a call that waits in vain says for what, and another asks again after a minute`() throws {
        var rig = rig()
        let call = rig.call("B", deadline: .seconds(2))
        rig.pass(2_000)
        #expect(rig.refusal(of: call) == [.peerUnreachable, .deadlineExceeded])
        rig.call("B", deadline: .seconds(2))
        #expect(wishes(rig).count == 1, "the first wish still holds")
        rig.pass(60_000)
        rig.call("B")
        #expect(wishes(rig).count == 2)
    }

    @Test func `a call that any of several may serve asks for their links, and takes the first`() {
        var rig = rig()
        rig.call("any")
        #expect(Set(wishes(rig)) == [node(1), node(2)])
        rig.take(.linkCameUp(node(2)))
        #expect(rig.sent.map(\.1) == [node(2)])
    }

    @Test func `who is at rest is linked too when the picker would have taken it, by weight`() {
        func calls(until weight: Int64) -> Int? {
            var rig = rig()
            rig.weights = [node(2): weight]
            rig.peers[1] = CallPeer(name: peerName("B"), trust: .trusted, link: .up)
            rig.publish()
            for call in 1...200 {
                rig.call("any")
                rig.answerLast()
                if wishes(rig) == [node(2)] { return call }
            }
            return nil
        }
        #expect(calls(until: 1).map { $0 <= 20 } == true)
        #expect(calls(until: 100).map { $0 <= 20 } == true)
    }

    @Test func `who is at rest and would not be taken stays so`() {
        var rig = rig()
        rig.weights = [node(1): 100]
        rig.peers[1] = CallPeer(name: peerName("B"), trust: .trusted, link: .up)
        rig.publish()
        for _ in 0..<100 {
            rig.call("any")
            rig.pass(20)
            rig.answerLast()
        }
        #expect(wishes(rig) == [])
        #expect(rig.sent.allSatisfy { $0.1 == node(1) })
    }

    @Test func `a breaker that opened with its link is at rest with it`() {
        var rig = rig()
        rig.take(.linkCameUp(node(1)))
        rig.take(.linkWentDown(node(1)))
        rig.publish()
        #expect(rig.desk.routes.lines[node(1)]?.breaker.standing(at: moment(rig.now).instant) == .halfOpen)
    }

    @Test func `waits for what the peer offers, as long as that may come`() {
        var rig = rig(.awaited)
        let call = rig.call("B")
        #expect(rig.refusal(of: call) == nil)
        #expect(wishes(rig) == [node(1)])
        rig.take(.linkCameUp(node(1)))
        #expect(rig.sent.isEmpty && rig.refusal(of: call) == nil)
        rig.descriptions[node(1)] = [DeskRig.described("orders")]
        rig.peers[1] = CallPeer(name: peerName("B"), trust: .trusted, link: .up)
        rig.publish()
        #expect(rig.sent.map(\.1) == [node(1)])
    }

    @Test func `is refused when the peer has told all that it offers, and this is not among it`() {
        var rig = rig(.awaited)
        let call = rig.call("B")
        rig.take(.linkCameUp(node(1)))
        rig.peers[1] = CallPeer(name: peerName("B"), trust: .trusted, link: .up)
        rig.publish()
        #expect(rig.refusal(of: call) == [.resourceUnknown])
    }

    @Test func `a link put to rest opens no breaker; one that goes down does`() {
        var rig = DeskRig()
        rig.take(.linkAtRest(node(1)))
        rig.take(.linkCameUp(node(1)))
        #expect(!rig.effects.contains { if case .breakerChanged = $0 { true } else { false } })
        rig.take(.linkWentDown(node(1)))
        #expect(rig.effects.contains { if case .breakerChanged = $0 { true } else { false } })
    }

    @Test func `says every ten seconds that a link is used, by calls of either side`() {
        var rig = DeskRig()
        func told() -> Int { rig.effects.count { if case .linkUsed(node(1)) = $0 { true } else { false } } }
        rig.call("B")
        rig.answerLast()
        rig.call("B")
        rig.arrive(from: 1)
        #expect(told() == 1)
        rig.pass(10_000)
        let key = rig.arrive(from: 1, remaining: 30_000)
        #expect(told() == 2)
        rig.pass(10_000)
        rig.take(.serviceMoved(key))
        #expect(told() == 3)
    }
}
