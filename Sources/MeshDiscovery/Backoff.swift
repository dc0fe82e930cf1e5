import MeshBase

/// How long to wait before the next try: full jitter under a ceiling that doubles with each failure (M.
/// Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015), so that many who lost one peer do
/// not return in step.
public struct Backoff: Sendable, Equatable {
    /// The ceiling after the first failure.
    public let first: Duration
    /// The highest ceiling.
    public var most: Duration
    /// Failures in a row, counted no further than doubling matters.
    public private(set) var failureCount = 0

    public init(first: Duration, most: Duration) {
        self.first = first
        self.most = most
    }

    /// The next wait never exceeds this.
    public var ceiling: Duration { min(most, first * (1 << failureCount)) }

    /// A failure: the wait before the next try.
    public mutating func fail(using generator: inout SeededGenerator) -> Duration {
        let wait = generator.duration(from: .zero, through: ceiling)
        failureCount = min(failureCount + 1, 16)
        return wait
    }

    /// A success: the next failure is the first one again.
    public mutating func reset() { failureCount = 0 }
}
