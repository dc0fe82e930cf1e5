/// How many durations were at most so long.
public struct DurationHistogram: Equatable, Sendable {
    /// The upper bounds of the buckets, rising.
    public let bounds: [Duration]
    /// One for each bound, each duration in one of them; the last is for what lies beyond all bounds.
    public private(set) var buckets: [UInt64]
    /// All of them together.
    public private(set) var total = Duration.zero

    /// An empty one.
    /// - Parameter bounds: rising.
    public init(upTo bounds: [Duration]) {
        self.bounds = bounds
        buckets = [UInt64](repeating: 0, count: bounds.count + 1)
    }

    /// One more, of any length.
    public mutating func note(_ duration: Duration) {
        buckets[bounds.firstIndex { duration <= $0 } ?? bounds.count] += 1
        total += duration
    }
}
