import MeshBase
import Testing

@testable import MeshRouting

@Suite("How the times of answers are spread")
struct LatencyQuantilesTests {
    @Test("says nothing before twenty answers are known")
    func few() {
        var times = LatencyQuantiles()
        for _ in 0..<19 {
            times.observe(.milliseconds(5))
            #expect(times.value(50) == nil)
        }
        times.observe(.milliseconds(5))
        #expect(times.value(50) != nil)
    }

    @Test("is at most an eighth above the time that so many in a hundred did not exceed, and never below")
    func quantiles() throws {
        for seed in 0..<40 {
            var generator = SeededGenerator(seed: UInt64(seed))
            var times = LatencyQuantiles()
            var all: [Int64] = []
            // From microseconds to minutes, as the seed has it.
            let most = UInt64(100) << generator.number(below: 24)
            for _ in 0..<(20 + Int(generator.number(below: 900))) {
                let microseconds = Int64(generator.number(below: most)) + 64
                all.append(microseconds)
                times.observe(.microseconds(microseconds))
            }
            all.sort()
            for percent in [1, 50, 90, 95, 99] {
                let exact = all[(all.count * percent + 99) / 100 - 1]
                let value = try #require(times.value(percent)).wholeNanoseconds / 1_000
                #expect(value > exact && value <= exact + exact / 8 + 1, "seed \(seed), \(percent): \(value)")
            }
        }
    }

    @Test("takes the shortest and the longest time")
    func extremes() {
        var times = LatencyQuantiles()
        for _ in 0..<20 { times.observe(.zero) }
        #expect(times.value(99) == .microseconds(72))
        for _ in 0..<2_000 { times.observe(.seconds(1 << 40)) }
        #expect(times.value(50).map { $0 > .seconds(3_600) } == true)
    }

    @Test("forgets what was long ago")
    func window() throws {
        var times = LatencyQuantiles()
        for _ in 0..<100_000 { times.observe(.milliseconds(400)) }
        for _ in 0..<4_000 { times.observe(.milliseconds(10)) }
        #expect(try #require(times.value(95)) < .milliseconds(12))
        #expect(times.total < 1_024)
    }
}
