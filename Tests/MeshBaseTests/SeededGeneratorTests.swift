import MeshBase
import Testing

@Suite("Seeded generator")
struct SeededGeneratorTests {
    @Test("gives one sequence for one seed, in every process")
    func isDeterministic() {
        var generator = SeededGenerator(seed: 42)
        let first = (0..<3).map { _ in generator.next() }
        var again = SeededGenerator(seed: 42)
        #expect(first == (0..<3).map { _ in again.next() })
        #expect(first[0] == 1_546_998_764_402_558_742)
    }

    @Test("draws numbers below the bound, and every one of them", arguments: [1, 2, 3, 7, 10])
    func staysBelow(bound: UInt64) {
        var generator = SeededGenerator(seed: 7)
        var seen = Set<UInt64>()
        for _ in 0..<1_000 { seen.insert(generator.number(below: bound)) }
        #expect(seen == Set(0..<bound))
    }

    @Test("draws no number twice as often as another where the bound does not divide the range")
    func hasNoBias() {
        // Taken modulo the bound instead, half of all numbers would come twice as often as the others.
        let bound = UInt64.max / 3 * 2
        var generator = SeededGenerator(seed: 11)
        let low = (0..<3_000).count { _ in generator.number(below: bound) < bound / 2 }
        #expect((1_350...1_650).contains(low))
    }

    @Test("draws durations from the least through the most, and the least where there is nothing between")
    func drawsDurations() {
        var generator = SeededGenerator(seed: 3)
        var seen = Set<Duration>()
        for _ in 0..<200 { seen.insert(generator.duration(from: .nanoseconds(5), through: .nanoseconds(8))) }
        #expect(seen == [.nanoseconds(5), .nanoseconds(6), .nanoseconds(7), .nanoseconds(8)])
        #expect(generator.duration(from: .seconds(2), through: .seconds(2)) == .seconds(2))
        #expect(generator.duration(from: .seconds(2), through: .seconds(1)) == .seconds(2))
    }

    @Test("splits off a generator whose sequence is its own")
    func splits() {
        var one = SeededGenerator(seed: 1)
        var other = one.split()
        #expect(one != other)
        #expect((0..<8).map { _ in one.next() } != (0..<8).map { _ in other.next() })
    }

    @Test("gives as many bytes as were asked for", arguments: [0, 1, 7, 8, 9, 32])
    func givesBytes(count: Int) {
        var generator = SeededGenerator(seed: 5)
        #expect(generator.bytes(count).count == count)
    }
}
