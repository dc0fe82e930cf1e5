import MeshBase
import NIOCore
import Testing

@testable import MeshGateway

@Suite("How much is under way at a resource while several call")
struct TurnFitTests {
    private let one = NodeID(Digest([UInt8](repeating: 1, count: 32))!)
    private let other = NodeID(Digest([UInt8](repeating: 2, count: 32))!)
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private func after(_ turns: Int, of time: Duration, _ fit: inout TurnFit, _ callers: [NodeID?]) {
        for turn in 0..<turns {
            let now = start + .milliseconds(Int64(turn))
            for caller in callers { fit.note(caller, at: now) }
            _ = fit.turnTook(time, at: now)
        }
    }

    @Test("who is alone has all there is, however long the turns are")
    func alone() {
        for caller in [one, nil] as [NodeID?] {
            var fit = TurnFit(most: 256)
            after(1_000, of: .milliseconds(50), &fit, [caller])
            #expect(fit.limit == 256)
        }
    }

    @Test("of several, long turns let in ever fewer, but never less than eight; short ones more again")
    func several() {
        var fit = TurnFit(most: 256)
        after(100, of: .milliseconds(5), &fit, [one, other])
        #expect(fit.limit == TurnFit.least)
        after(100, of: .microseconds(700), &fit, [one, nil])
        #expect(fit.limit == TurnFit.least, "between the two nothing changes")
        after(100, of: .microseconds(100), &fit, [one, other])
        #expect(fit.limit == TurnFit.least + 100)
        after(1_000, of: .microseconds(100), &fit, [one, other])
        #expect(fit.limit == 256)
    }

    @Test("a resource with room for fewer than eight keeps that")
    func small() {
        var fit = TurnFit(most: 3)
        after(100, of: .milliseconds(5), &fit, [one, other])
        #expect(fit.limit == 3)
    }

    @Test("who has not called for a second is none of several, and strangers without end are not kept")
    func memory() {
        var fit = TurnFit(most: 256)
        after(100, of: .milliseconds(5), &fit, [one, other])
        let later = start + .seconds(3)
        fit.note(one, at: later)
        #expect(fit.turnTook(.milliseconds(5), at: later) && fit.limit == 256)
        for number in 0..<1_000 {
            let bytes = (0..<32).map { $0 < 4 ? UInt8(truncatingIfNeeded: number >> ($0 * 8)) : 9 }
            fit.note(NodeID(Digest(bytes)!), at: later)
        }
        #expect(fit.told <= 64)
    }
}
