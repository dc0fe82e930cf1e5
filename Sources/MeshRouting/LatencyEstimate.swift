import MeshBase

/// How long an attempt takes at one place: peak-EWMA, in whole microseconds (Finagle's `PeakEwma`). It
/// jumps up to a slow answer at once and comes down over ten seconds; a failure counts as the attempt's
/// time-out. Without news it comes down too, so that nobody is shunned for ever.
///
/// The exponential is its first-order rational, `x * T / (T + dt)`: monotonic, exact in integers, alike on
/// every machine.
public struct LatencyEstimate: Sendable, Equatable {
    private static let memory: Int64 = 10_000_000
    private static let ceiling: Int64 = 3_600_000_000
    private var microseconds: Int64 = 0
    private var measured = Instant.zero

    public init() {}

    /// The estimate at `now`, in microseconds, 0 when nothing is known.
    public func value(at now: Instant) -> Int64 {
        let age = min(max((now.nanoseconds - measured.nanoseconds) / 1000, 0), Self.ceiling)
        return microseconds * Self.memory / (Self.memory + age)
    }

    /// Takes one attempt: how long it took, or its time-out when it failed.
    public mutating func observe(_ duration: Duration, at now: Instant) {
        let sample = min(max(duration.wholeNanoseconds / 1000, 1), Self.ceiling)
        let age = min(max((now.nanoseconds - measured.nanoseconds) / 1000, 1), Self.ceiling)
        if sample >= microseconds {
            microseconds = sample
        } else {
            microseconds = (microseconds * Self.memory + sample * age) / (Self.memory + age)
        }
        measured = max(now, measured)
    }
}
