import MeshBase

/// How long an attempt takes at one place: peak-EWMA, in whole microseconds (Finagle's `PeakEwma`). It jumps
/// up to a slow answer at once and comes down by a tenth every second; a failure counts as the attempt's
/// time-out. Without news it comes down too, so that nobody is shunned for ever.
///
/// Within a second it is a straight line: monotonic, exact in integers, alike on every machine.
public struct LatencyEstimate: Sendable, Equatable {
    private static let second: Int64 = 1_000_000
    private static let ceiling: Int64 = 3_600_000_000
    private var microseconds: Int64 = 0
    private var measured = Instant.zero

    public init() {}

    /// The estimate at `now`, in microseconds, 0 when nothing is known.
    public func value(at now: Instant) -> Int64 { Self.faded(microseconds, over: age(at: now)) }

    /// Takes one attempt: how long it took, or its time-out when it failed.
    public mutating func observe(_ duration: Duration, at now: Instant) {
        let sample = min(max(duration.wholeNanoseconds / 1000, 1), Self.ceiling)
        guard sample < microseconds else {
            microseconds = sample
            measured = max(now, measured)
            return
        }
        let excess = microseconds - sample
        let left = Self.faded(excess, over: age(at: now))
        // Samples that come too quickly to move it by a microsecond leave its age, so that they count
        // together.
        guard left < excess else { return }
        microseconds = sample + left
        measured = max(now, measured)
    }

    private func age(at now: Instant) -> Int64 {
        min(max((now.nanoseconds - measured.nanoseconds) / 1000, 0), Self.ceiling)
    }

    private static func faded(_ value: Int64, over age: Int64) -> Int64 {
        var (left, seconds) = (value, age / second)
        while seconds > 0, left > 0 {
            left -= (left + 9) / 10
            seconds -= 1
        }
        return left - left * (age % second) / (10 * second)
    }
}
