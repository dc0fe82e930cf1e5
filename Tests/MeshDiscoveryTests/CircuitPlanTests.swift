import MeshBase
import Testing

@testable import MeshDiscovery

@Suite("Links through relays are sought")
struct CircuitPlanTests {
    private var plan = CircuitPlan(generator: SeededGenerator(seed: 3))
    private let peer = node(1)
    private let near = node(2)
    private let far = node(3)

    private func time(_ seconds: Double) -> Instant { at(seconds).instant }

    private mutating func due(_ seconds: Double, _ relays: [NodeID]? = nil) -> [CircuitPlan.Dial] {
        let there = relays ?? [near, far]
        return plan.due(at: time(seconds), relays: { _ in there })
    }

    private func dial(_ relay: NodeID) -> CircuitPlan.Dial { CircuitPlan.Dial(peer: peer, through: relay) }

    @Test("only once the peer was sought directly for a while")
    mutating func patience() {
        #expect(plan.nextDeadline == nil)
        plan.seek(peer, at: time(1))
        #expect(plan.nextDeadline == time(1) + CircuitPlan.patience)
        #expect(due(3.9).isEmpty)
        #expect(due(4) == [dial(near)])
    }

    @Test("one relay after the other, at once after a failure, and after the last a wait")
    mutating func round() {
        plan.seek(peer, at: time(0))
        #expect(due(3) == [dial(near)])
        plan.fail(dial(near), at: time(3.5))
        #expect(due(3.5) == [dial(far)])
        plan.fail(dial(near), at: time(3.6))
        #expect(due(3.6).isEmpty, "the failure of a dial that is over begins nothing")
        plan.fail(dial(far), at: time(4))
        let next = plan.nextDeadline ?? .zero
        #expect(next >= time(4) + CircuitPlan.pauseLeast)
        #expect(next <= time(4) + CircuitPlan.pauseLeast + CircuitPlan.pauseFirst)
        #expect(plan.due(at: next, relays: { _ in [near, far] }) == [dial(near)])
    }

    @Test("a dial that nobody answers counts as failed")
    mutating func lapse() {
        plan.seek(peer, at: time(0))
        #expect(due(3) == [dial(near)])
        #expect(due(32.9).isEmpty)
        #expect(due(33) == [dial(far)])
    }

    @Test("a relay that is gone when its turn comes is passed over")
    mutating func gone() {
        plan.seek(peer, at: time(0))
        #expect(due(3) == [dial(near)])
        plan.fail(dial(near), at: time(4))
        #expect(due(4, [near]).isEmpty)
        #expect(plan.nextDeadline.map { $0 >= time(5) } == true)
    }

    @Test("no longer than a minute and a second is waited, however often it failed")
    mutating func bounded() {
        plan.seek(peer, at: time(0))
        var waits: [Duration] = []
        for _ in 0..<40 {
            let now = plan.nextDeadline ?? .zero
            for dial in plan.due(at: now, relays: { _ in [near] }) { plan.fail(dial, at: now) }
            waits.append((plan.nextDeadline ?? .zero) - now)
        }
        #expect(waits.allSatisfy { $0 >= CircuitPlan.pauseLeast })
        #expect(waits.allSatisfy { $0 <= CircuitPlan.pauseLeast + CircuitPlan.pauseMost })
        #expect(waits.max().map { $0 > .seconds(30) } == true)
    }

    @Test("nothing is dialled while there is a link, nor for whom nobody seeks")
    mutating func up() {
        plan.seek(peer, at: time(0))
        plan.linkUp(peer)
        #expect(plan.nextDeadline == nil && due(100).isEmpty)
        plan.linkDown(peer, at: time(100))
        #expect(plan.nextDeadline == time(100) + CircuitPlan.patience)
        plan.leave(peer)
        #expect(plan.nextDeadline == nil && due(200).isEmpty)
        plan.linkDown(peer, at: time(200))
        #expect(plan.nextDeadline == nil)
    }

    @Test("a peer that is sought twice is dialled once, and two are dialled side by side")
    mutating func several() {
        plan.seek(peer, at: time(0))
        plan.seek(peer, at: time(2))
        plan.seek(node(9), at: time(0))
        let dials = due(3)
        #expect(dials.count == 2 && Set(dials.map(\.peer)) == [peer, node(9)])
        #expect(due(3).isEmpty)
    }
}
