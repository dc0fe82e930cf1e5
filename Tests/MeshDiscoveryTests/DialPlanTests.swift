import MeshBase
import Testing

@testable import MeshDiscovery

@Suite("Dial plan")
final class DialPlanTests {
    var generator = SeededGenerator(seed: 7)
    var plan = DialPlan(DiscoveryConfiguration())
    let order = [endpoint(1), endpoint(2)]

    func time(_ seconds: Double) -> Instant { at(seconds).instant }

    func due(_ seconds: Double, _ order: [Endpoint]? = nil, retry: Instant? = nil) -> Endpoint? {
        plan.due(at: time(seconds), order: order ?? self.order, retry: retry, using: &generator)
    }

    /// Dials under way, the first of them begun at `began`.
    func dialling(_ numbers: Int..., began: Double, next: Double? = nil) -> DialPlan.Phase {
        let dials = numbers.enumerated().map { index, number in
            DialPlan.Dial(endpoint: endpoint(number), lapse: time(began + 0.25 * Double(index) + 20))
        }
        return .dialling(dials, next: next.map(time) ?? .never)
    }

    func fail(_ number: Int, _ seconds: Double) {
        plan.fail(endpoint(number), at: time(seconds), using: &generator)
    }

    @Test("rests until it is woken, then dials at once")
    func wakes() {
        #expect(plan.deadline == nil)
        #expect(due(1) == nil)
        plan.wake(toward: [], at: time(1))
        #expect(plan.deadline == time(1))
        #expect(due(1) == endpoint(1))
        #expect(plan.phase == dialling(1, began: 1, next: 1.25))
    }

    @Test("rests again when there is nothing to dial")
    func restsWithoutEndpoint() {
        plan.wake(toward: [], at: time(1))
        #expect(due(1, []) == nil)
        #expect(plan.phase == .resting)
    }

    @Test("looks again later when all there is to dial is this node itself")
    func looksAgain() {
        plan.wake(toward: [], at: time(1))
        #expect(due(1, [], retry: time(300)) == nil)
        #expect(plan.phase == .waiting(until: time(300)))
    }

    @Test("goes on with the next endpoint at once, and waits after the last")
    func walksTheRound() {
        plan.wake(toward: [], at: time(1))
        #expect(due(1) == endpoint(1))
        fail(1, 2)
        #expect(plan.deadline == time(2))
        #expect(due(2) == endpoint(2))
        fail(2, 3)
        #expect(plan.deadline ?? .zero >= time(3) && plan.deadline ?? .never <= time(4))
        #expect(due(4) == endpoint(1))
    }

    @Test("skips what is withdrawn within the round")
    func skipsWithdrawn() {
        plan.wake(toward: [], at: time(1))
        #expect(due(1) == endpoint(1))
        fail(1, 2)
        #expect(due(2, [endpoint(1), endpoint(3)]) == endpoint(1))
    }

    @Test("a dial that nobody answers lapses and counts as failed")
    func lapses() {
        plan.wake(toward: [], at: time(1))
        #expect(due(1) == endpoint(1))
        #expect(due(1.25, [endpoint(1)]) == nil)
        #expect(plan.deadline == time(21))
        #expect(due(21) == nil)
        #expect(plan.failures[endpoint(1)] == 1)
        #expect(plan.deadline ?? .never <= time(22))
    }

    @Test("ignores the failure of a dial that is not under way")
    func ignoresStrayFailure() {
        fail(1, 1)
        #expect(plan.phase == .resting)
        plan.wake(toward: [], at: time(1))
        fail(1, 1)
        #expect(plan.phase == .waiting(until: time(1)))
        _ = due(1)
        fail(2, 2)
        #expect(plan.phase == dialling(1, began: 1, next: 1.25))
        #expect(plan.failures.isEmpty)
    }

    @Test("a fresh sighting ends the wait and comes first, a gap after the last dial")
    func hurries() {
        plan.setEagerness(true)
        plan.wake(toward: [], at: time(1))
        for second in 1...8 {
            _ = due(Double(second * 100))
            fail(1, Double(second * 100))
            _ = due(Double(second * 100))
            fail(2, Double(second * 100))
            plan.wake(toward: [], at: time(Double(second * 100)))
        }
        plan.wake(toward: [endpoint(3)], at: time(800.2))
        #expect(plan.deadline == time(801))
        #expect(due(801, [endpoint(1), endpoint(2), endpoint(3)]) == endpoint(3))
    }

    @Test("a fresh sighting during a dial joins it, a gap after the dial before")
    func joinsDial() {
        plan.wake(toward: [], at: time(1))
        #expect(due(1, [endpoint(1)]) == endpoint(1))
        plan.wake(toward: [endpoint(3)], at: time(1.1))
        #expect(plan.deadline == time(2))
        #expect(due(2, order + [endpoint(3)]) == endpoint(3))
    }

    @Test("a dead endpoint costs a quarter of a second, two of them a half")
    func races() {
        let order = (1...5).map(endpoint)
        plan.wake(toward: [], at: time(1))
        #expect(due(1, order) == endpoint(1))
        #expect(due(1.2, order) == nil)
        #expect(plan.deadline == time(1.25))
        #expect(due(1.25, order) == endpoint(2))
        #expect(due(1.5, order) == endpoint(3))
        #expect(plan.phase == dialling(1, 2, 3, began: 1, next: 1.75))
    }

    @Test("three dials race and no fourth, until one of them fails: then at once")
    func raceIsBounded() {
        let order = (1...5).map(endpoint)
        plan.wake(toward: [], at: time(1))
        for second in [1, 1.25, 1.5] { _ = due(second, order) }
        #expect(plan.deadline == time(21))
        #expect(due(2, order) == nil)
        fail(2, 3)
        #expect(plan.deadline == time(3))
        #expect(due(3, order) == endpoint(4))
        #expect(plan.deadline == time(21))
    }

    @Test("the first link wins, and what raced with it is given up and not counted")
    func firstWins() {
        plan.wake(toward: [], at: time(1))
        _ = due(1)
        _ = due(1.25)
        #expect(plan.linkUp(endpoint(2), at: time(1.3)) == [endpoint(1)])
        fail(1, 1.4)
        #expect(plan.phase == .up(since: time(1.3), []))
        #expect(plan.failures.isEmpty)
    }

    @Test("who answers is given time to prove itself before another is dialled")
    func holdsBack() {
        plan.wake(toward: [], at: time(1))
        _ = due(1)
        plan.answered(endpoint(2), at: time(1.1))
        #expect(plan.deadline == time(1.25))
        plan.answered(endpoint(1), at: time(1.1))
        #expect(plan.deadline == time(3.1))
        #expect(due(1.25) == nil)
        #expect(due(3.1) == endpoint(2))
    }

    @Test("dials nothing while a link is up, whoever brought it up")
    func restsWhileUp() {
        plan.wake(toward: [], at: time(1))
        _ = due(1)
        #expect(plan.linkUp(endpoint(1), at: time(2)).isEmpty)
        #expect(plan.deadline == nil)
        plan.wake(toward: [endpoint(3)], at: time(3))
        #expect(plan.deadline == nil)
        #expect(due(60) == nil)
        #expect(plan.phase == .up(since: time(2), []))
    }

    @Test("a dial that the peer's own dial overtook ends without being counted")
    func overtaken() {
        plan.wake(toward: [], at: time(1))
        _ = due(1)
        #expect(plan.linkUp(nil, at: time(2)).isEmpty)
        #expect(plan.phase == .up(since: time(2), [.init(endpoint: endpoint(1), lapse: time(21))]))
        fail(1, 3)
        #expect(plan.phase == .up(since: time(2), []))
        #expect(plan.failures.isEmpty)
    }

    @Test("begins no second dial when the link goes down before the first one ended")
    func keepsOldDial() {
        plan.wake(toward: [], at: time(1))
        _ = due(1)
        _ = plan.linkUp(nil, at: time(2))
        plan.linkDown(at: time(3), using: &generator)
        #expect(plan.phase == dialling(1, began: 1))
        #expect(due(4) == nil)
        fail(1, 5)
        #expect(due(6) == endpoint(1))
    }

    @Test("a steady link lets the next wait begin small, a flapping one does not")
    func remembersFlapping() {
        plan.setEagerness(true)
        plan.wake(toward: [], at: time(0))
        var longest: Duration = .zero
        for second in 1...40 {
            _ = plan.linkUp(nil, at: time(Double(second * 100)))
            plan.linkDown(at: time(Double(second * 100 + 1)), using: &generator)
            if let deadline = plan.deadline {
                longest = max(longest, deadline - time(Double(second * 100 + 1)))
            }
        }
        #expect(longest > .seconds(5) && longest <= .seconds(15))
        _ = plan.linkUp(nil, at: time(5000))
        plan.linkDown(at: time(5060), using: &generator)
        #expect(plan.deadline ?? .never <= time(5061))
    }

    @Test("ignores the end of a link that it does not have")
    func ignoresStrayLinkDown() {
        plan.linkDown(at: time(1), using: &generator)
        #expect(plan.phase == .resting)
        plan.wake(toward: [], at: time(1))
        _ = due(1)
        plan.linkDown(at: time(2), using: &generator)
        #expect(plan.phase == dialling(1, began: 1, next: 1.25))
    }

    @Test("rests when nobody wants the peer, once the dial under way has ended")
    func restsUnwanted() {
        plan.wake(toward: [], at: time(1))
        _ = due(1, [endpoint(1)])
        plan.rest()
        #expect(plan.deadline == time(21))
        fail(1, 2)
        plan.rest()
        #expect(plan.phase == .resting)
    }
}
