import Testing

@testable import MeshBase

@Suite("A token bucket")
struct TokenBucketTests {
    private let start = Instant(nanoseconds: 1_000_000_000_000)

    @Test("gives its burst at once, and nothing more")
    func burst() {
        var bucket = TokenBucket(burst: 3, interval: .seconds(6), at: start)
        let taken = (0..<5).map { _ in bucket.take(at: start) }
        #expect(taken == [true, true, true, false, false])
    }

    @Test("gets one back an interval, counted from when the first was taken")
    func refill() {
        var bucket = TokenBucket(burst: 1, interval: .seconds(6), at: start)
        #expect(bucket.take(at: start + .seconds(5)) == true)
        #expect(bucket.take(at: start + .seconds(7)) == false)
        #expect(bucket.take(at: start + .milliseconds(10_999)) == false)
        #expect(bucket.take(at: start + .seconds(11)) == true)
    }

    @Test("is full again after a long rest, and not fuller")
    func rest() {
        var bucket = TokenBucket(burst: 2, interval: .seconds(1), at: start)
        #expect(bucket.take(at: start) == true)
        let later = start + .seconds(86_400)
        #expect((0..<3).map { _ in bucket.take(at: later) } == [true, true, false])
    }

    @Test("says how long until the next one, and keeps its word")
    func wait() {
        var bucket = TokenBucket(burst: 2, interval: .seconds(6), at: start)
        #expect(bucket.wait(at: start) == .zero)
        #expect(bucket.take(at: start) == true)
        #expect(bucket.take(at: start + .seconds(2)) == true)
        #expect(bucket.wait(at: start + .seconds(2)) == .seconds(4))
        #expect(bucket.take(at: start + .seconds(6)) == true)
    }

    @Test("never gives more than the burst and what came back, in any span", arguments: 1...20)
    func bound(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        let burst = Int(chance.number(below: 10)) + 1
        let interval = chance.duration(from: .milliseconds(10), through: .seconds(10))
        var bucket = TokenBucket(burst: burst, interval: interval, at: start)
        var now = start
        var taken: [Instant] = []
        for _ in 0..<300 {
            now = now + chance.duration(from: .zero, through: interval)
            if bucket.take(at: now) { taken.append(now) }
        }
        for (index, first) in taken.enumerated() {
            for (count, last) in taken[index...].enumerated() {
                let returned = Int((last - first).wholeNanoseconds / interval.wholeNanoseconds)
                #expect(count + 1 <= burst + returned + 1)
            }
        }
        #expect(taken.count >= 300 / 4)
    }
}
