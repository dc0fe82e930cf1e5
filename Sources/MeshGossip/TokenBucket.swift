import MeshBase

/// So many at once, and so many a span of time after that; whole numbers, so that a replay decides alike.
struct TokenBucket: Equatable, Sendable {
    private let burst: Int64
    private let interval: Duration
    private var taken: Int64 = 0
    private var updated: Instant

    /// - Parameters:
    ///   - burst: how many may be taken at once, at least one.
    ///   - interval: how long until one more may be taken.
    init(burst: Int, interval: Duration, at now: Instant) {
        self.burst = Int64(burst)
        self.interval = interval
        updated = now
    }

    /// Takes one; false when none is left.
    mutating func take(at now: Instant) -> Bool {
        let refilled = max(0, (now - updated).wholeNanoseconds / interval.wholeNanoseconds)
        if refilled > 0 {
            taken = max(0, taken - refilled)
            updated = taken == 0 ? now : updated + interval * Int(refilled)
        }
        guard taken < burst else { return false }
        taken += 1
        return true
    }
}
