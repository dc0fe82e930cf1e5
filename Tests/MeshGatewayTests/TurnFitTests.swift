import MeshBase
import NIOCore
import Testing

@testable import MeshGateway

@Suite("How much is under way at a resource while several call")
struct TurnFitTests {
    private func after(
        _ turns: Int, of time: Duration, steps: Int = 20, among callers: Int, _ fit: inout TurnFit
    ) {
        for _ in 0..<turns { fit.turnTook(time, steps: steps, among: callers) }
    }

    @Test("who is alone has all there is, however long the turns are")
    func alone() {
        var fit = TurnFit(most: 256)
        after(1_000, of: .milliseconds(50), among: 1, &fit)
        #expect(fit.limit == 256 && fit.isOpen)
        after(100, of: .milliseconds(50), among: 2, &fit)
        after(1, of: .milliseconds(50), among: 1, &fit)
        #expect(fit.isOpen, "nor is it held back for what was before")
    }

    @Test("of several, long turns let in ever fewer, but never less than eight; short ones more again")
    func several() {
        var fit = TurnFit(most: 256)
        after(100, of: .milliseconds(5), among: 2, &fit)
        #expect(fit.limit == TurnFit.least)
        after(100, of: .microseconds(700), among: 2, &fit)
        #expect(fit.limit == TurnFit.least, "between the two nothing changes")
        after(100, of: .microseconds(100), among: 2, &fit)
        #expect(fit.limit == TurnFit.least + 100)
        after(1_000, of: .microseconds(100), among: 2, &fit)
        #expect(fit.isOpen)
    }

    @Test("long turns of others hold back no resource that had little part in them")
    func others() {
        var fit = TurnFit(most: 256)
        after(1_000, of: .milliseconds(50), steps: TurnFit.least - 1, among: 9, &fit)
        #expect(fit.isOpen)
        after(100, of: .milliseconds(50), among: 9, &fit)
        after(300 * TurnFit.patience, of: .milliseconds(50), steps: 1, among: 9, &fit)
        #expect(fit.isOpen, "and one that asks less gets its room back")
        after(100, of: .milliseconds(50), among: 9, &fit)
        for _ in 0..<200 {
            after(TurnFit.patience - 1, of: .milliseconds(50), steps: 1, among: 9, &fit)
            after(1, of: .microseconds(900), steps: TurnFit.least, among: 9, &fit)
        }
        #expect(fit.limit == TurnFit.least, "but not between the turns that it makes long")
    }

    @Test("a resource with room for fewer than eight keeps that")
    func small() {
        var fit = TurnFit(most: 3)
        after(100, of: .milliseconds(5), among: 2, &fit)
        #expect(fit.limit == 3)
    }

    @Test("who has not called for a second is none of several, and strangers without end are not kept")
    func memory() {
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
        var callers = RecentCallers()
        callers.note(nil, at: start)
        callers.note(NodeID(Digest([UInt8](repeating: 1, count: 32))!), at: start + .milliseconds(900))
        #expect(callers.count(at: start + .milliseconds(950)) == 2)
        #expect(callers.count(at: start + .milliseconds(1_100)) == 1)
        for number in 0..<1_000 {
            let bytes = (0..<32).map { $0 < 4 ? UInt8(truncatingIfNeeded: number >> ($0 * 8)) : 9 }
            callers.note(NodeID(Digest(bytes)!), at: start + .seconds(2))
        }
        #expect(callers.count(at: start + .seconds(2)) <= 64)
    }
}
