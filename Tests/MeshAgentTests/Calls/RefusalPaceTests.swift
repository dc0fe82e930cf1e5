import MeshBase
import NIOCore
import Testing

@testable import MeshAgent

@Suite("When refusals leave")
struct RefusalPaceTests {
    private let flooder = NodeID(Digest([UInt8](repeating: 1, count: 32))!)
    private let other = NodeID(Digest([UInt8](repeating: 2, count: 32))!)
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    @Test("a hundred of a peer at once, and one each millisecond after that, in their order")
    func paced() {
        var pace = RefusalPace()
        let waits = (0..<2_560).map { _ in pace.wait(flooder, at: start) }
        #expect(waits.prefix(100).allSatisfy { $0 == nil })
        let paced = waits.dropFirst(100).enumerated()
        #expect(paced.allSatisfy { $1 == .milliseconds(min(Int64($0) + 1, 500)) }, "none waits for ever")
        #expect(pace.wait(flooder, at: start + .milliseconds(600)) == nil, "and no debt is longer")
        #expect(pace.wait(other, at: start) == nil, "nobody waits for another's")
    }

    @Test("who is refused less often than that never waits, and a pause gives the hundred back")
    func seldom() {
        var pace = RefusalPace()
        for turn in 0..<5_000 {
            #expect(pace.wait(flooder, at: start + .milliseconds(Int64(turn))) == nil)
        }
        for _ in 0..<300 { _ = pace.wait(other, at: start) }
        #expect(pace.wait(other, at: start + .milliseconds(100)) != nil)
        #expect(pace.wait(other, at: start + .milliseconds(1_000)) == nil)
        pace.forget(flooder)
        #expect(pace.wait(flooder, at: start) == nil)
    }

    @Test("of peers without end only those are remembered who wait")
    func bounded() {
        var pace = RefusalPace()
        for number in 0..<5_000 {
            let bytes = (0..<32).map { $0 < 4 ? UInt8(truncatingIfNeeded: number >> ($0 * 8)) : 0 }
            #expect(pace.wait(NodeID(Digest(bytes)!), at: start + .milliseconds(Int64(number))) == nil)
        }
        #expect(pace.remembered <= 1_024)
    }
}
