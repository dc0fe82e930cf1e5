import MeshBase
import Testing

@testable import MeshDiscovery

@Suite("Backoff")
struct BackoffTests {
    @Test("doubles its ceiling with each failure and stops at the highest")
    func doubles() {
        var backoff = Backoff(first: .seconds(1), most: .seconds(15))
        var generator = SeededGenerator(seed: 1)
        var ceilings: [Duration] = []
        for _ in 0..<7 {
            ceilings.append(backoff.ceiling)
            _ = backoff.fail(using: &generator)
        }
        #expect(ceilings == [1, 2, 4, 8, 15, 15, 15].map { .seconds($0) })
    }

    @Test("draws the whole range below its ceiling")
    func drawsAll() {
        var generator = SeededGenerator(seed: 2)
        var waits: [Duration] = []
        for _ in 0..<400 {
            var backoff = Backoff(first: .seconds(4), most: .seconds(15))
            waits.append(backoff.fail(using: &generator))
        }
        #expect(waits.allSatisfy { $0 >= .zero && $0 <= .seconds(4) })
        #expect(waits.contains { $0 < .milliseconds(400) })
        #expect(waits.contains { $0 > .milliseconds(3600) })
    }

    @Test("begins anew after a success")
    func resets() {
        var backoff = Backoff(first: .seconds(1), most: .seconds(15))
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<5 { _ = backoff.fail(using: &generator) }
        backoff.reset()
        #expect(backoff.ceiling == .seconds(1))
    }
}
