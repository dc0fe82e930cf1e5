/// A point on the node's monotonic clock, in nanoseconds since an origin that differs from process to
/// process.
///
/// It orders and measures; it never dates anything. Machines get it as an argument and never read a clock.
public struct Instant: Comparable, Hashable, Sendable {
    /// Nanoseconds since the process's own origin; never negative in practice, never compared across
    /// processes.
    public let nanoseconds: Int64

    /// - Parameter nanoseconds: nanoseconds since the origin.
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The origin of the clock.
    public static let zero = Instant(nanoseconds: 0)
    /// An instant that is never reached: "no deadline".
    public static let never = Instant(nanoseconds: .max)

    public static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }

    /// Saturates at `never`, so that a hostile or configured duration cannot overflow.
    public static func + (left: Self, right: Duration) -> Self {
        let (sum, overflow) = left.nanoseconds.addingReportingOverflow(right.wholeNanoseconds)
        return overflow ? (right < .zero ? .zero : .never) : Instant(nanoseconds: sum)
    }

    /// The time from `right` to `left`; negative when `left` is the earlier one.
    public static func - (left: Self, right: Self) -> Duration {
        .nanoseconds(left.nanoseconds.subtractingReportingOverflow(right.nanoseconds).partialValue)
    }
}

/// A date: milliseconds since 1970-01-01T00:00:00Z, as the node's wall clock shows it.
///
/// It may jump either way. It dates documents and events; it never measures how long something took.
public struct WallTime: Comparable, Hashable, Sendable, Codable {
    /// Milliseconds since the Unix epoch, 0 ... 2^53 - 1 in anything that is encoded.
    public let milliseconds: Int64

    /// - Parameter milliseconds: milliseconds since the Unix epoch.
    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    public init(from decoder: any Decoder) throws {
        milliseconds = try decoder.singleValueContainer().decode(Int64.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(milliseconds)
    }

    public static func < (left: Self, right: Self) -> Bool { left.milliseconds < right.milliseconds }

    /// Saturates instead of overflowing.
    public static func + (left: Self, right: Duration) -> Self {
        let (sum, overflow) = left.milliseconds.addingReportingOverflow(right.wholeMilliseconds)
        return WallTime(milliseconds: overflow ? (right < .zero ? .min : .max) : sum)
    }

    /// Saturates instead of overflowing.
    public static func - (left: Self, right: Duration) -> Self { left + (.zero - right) }

    /// The time from `right` to `left`; negative when `left` is the earlier one.
    public static func - (left: Self, right: Self) -> Duration {
        .milliseconds(left.milliseconds.subtractingReportingOverflow(right.milliseconds).partialValue)
    }
}

/// Both clocks of a node, read at once: what every machine is told with every input.
public struct Moment: Hashable, Sendable {
    /// The monotonic clock: orders, measures, sets deadlines.
    public let instant: Instant
    /// The wall clock: dates documents and checks validity.
    public let wall: WallTime

    public init(instant: Instant, wall: WallTime) {
        self.instant = instant
        self.wall = wall
    }
}

extension Duration {
    /// Whole nanoseconds, saturating at the bounds of `Int64`.
    public var wholeNanoseconds: Int64 { whole(attosecondsPerUnit: 1_000_000_000) }

    /// Whole milliseconds, rounded toward zero, saturating at the bounds of `Int64`.
    public var wholeMilliseconds: Int64 { whole(attosecondsPerUnit: 1_000_000_000_000_000) }

    /// One division: each call asks for a dozen of these, and to take `components` apart costs four times as
    /// much.
    private func whole(attosecondsPerUnit: Int128) -> Int64 {
        Int64(clamping: attoseconds / attosecondsPerUnit)
    }
}
