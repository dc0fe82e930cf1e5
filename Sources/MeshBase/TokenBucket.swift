/// So many at once, and so many a span of time after that; whole numbers, so that a replay decides alike.
public struct TokenBucket: Equatable, Sendable {
    private var burst: Int64
    private var interval: Duration
    /// How many are out, 0 ... `burst`.
    private var taken: Int64 = 0
    /// Since when the next one is on its way back; while none is out, when that was last seen.
    private var updated: Instant

    /// - Parameters:
    ///   - burst: how many may be taken at once, at least one.
    ///   - interval: how long until one that was taken is back, above zero.
    public init(burst: Int, interval: Duration, at now: Instant) {
        precondition(burst > 0 && interval > .zero, "a bucket of \(burst) every \(interval) gives nothing")
        self.burst = Int64(burst)
        self.interval = interval
        updated = now
    }

    /// Takes one; false when none is left.
    public mutating func take(at now: Instant) -> Bool {
        take(1, at: now)
    }

    /// Takes `count`, at least one, or none; false when so many are not left.
    public mutating func take(_ count: Int, at now: Instant) -> Bool {
        refill(at: now)
        guard taken + Int64(count) <= burst else { return false }
        taken += Int64(count)
        return true
    }

    /// How long until one may be taken; zero when one may be taken now.
    public mutating func wait(at now: Instant) -> Duration {
        refill(at: now)
        return taken < burst ? .zero : updated + interval - now
    }

    /// When all is back, if nothing is taken until then: from then on it is worth no more than a new one.
    public var fullAt: Instant { taken == 0 ? updated : updated + interval * Int(taken) }

    /// From `now` on it gives as much as this says; what is out stays out, as far as that goes.
    public mutating func reshape(burst: Int, interval: Duration, at now: Instant) {
        precondition(burst > 0 && interval > .zero, "a bucket of \(burst) every \(interval) gives nothing")
        refill(at: now)
        self.burst = Int64(burst)
        self.interval = interval
        taken = min(taken, self.burst)
    }

    private mutating func refill(at now: Instant) {
        if taken > 0 {
            let returned = max(0, (now - updated).wholeNanoseconds / interval.wholeNanoseconds)
            updated = updated + interval * Int(min(returned, taken))
            taken = max(0, taken - returned)
        }
        if taken == 0 { updated = max(updated, now) }
    }
}

extension TokenBucket? {
    /// Takes `count` from a bucket that is made, full, when it is first asked.
    /// - Parameters:
    ///   - burst: how many may be taken at once, at least one.
    ///   - interval: how long until one that was taken is back, above zero.
    public mutating func take(
        _ count: Int = 1, of burst: Int, every interval: Duration, at now: Instant
    ) -> Bool {
        var bucket = self ?? TokenBucket(burst: burst, interval: interval, at: now)
        defer { self = bucket }
        return bucket.take(count, at: now)
    }
}
