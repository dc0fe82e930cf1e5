import MeshBase

/// How much of what it grants an agreement lets its consumer use. What is nil is without limit.
public struct LimitsReport: Codable, Equatable, Sendable {
    /// So many calls in so many seconds, and so many at once.
    public struct Rate: Codable, Equatable, Sendable {
        /// Calls in each span.
        public var calls: Int64
        /// The span in seconds.
        public var seconds: Int64
        /// Calls at once after a pause.
        public var burst: Int64

        public init(calls: Int64, seconds: Int64, burst: Int64) {
            self.calls = calls
            self.seconds = seconds
            self.burst = burst
        }
    }

    /// What becomes of calls that are under way when the agreement is revoked.
    public enum CallsAtEnd: String, Codable, Sendable, CaseIterable {
        /// They go on until their own deadline.
        case finish
        /// Both sides end them at once.
        case cut
    }

    /// How many calls in how short a time.
    public var rate: Rate?
    /// Calls in a day of UTC.
    public var callsPerDay: Int64?
    /// Calls in a month of UTC.
    public var callsPerMonth: Int64?
    /// Nodes that may relay a call.
    public var hops: Int64?

    public init(
        rate: Rate? = nil, callsPerDay: Int64? = nil, callsPerMonth: Int64? = nil, hops: Int64? = nil
    ) {
        self.rate = rate
        self.callsPerDay = callsPerDay
        self.callsPerMonth = callsPerMonth
        self.hops = hops
    }
}

/// What of one quota is used on this side; the other side counts for itself.
public struct UsageReport: Codable, Equatable, Sendable {
    /// Of a day or of a month.
    public enum Period: String, Codable, Sendable, CaseIterable {
        /// From midnight to midnight.
        case day
        /// From the first to the first.
        case month
    }

    /// Of a day or of a month.
    public var period: Period
    /// Which one, in UTC: `2026-11-28`, `2026-11`.
    public var window: String
    /// Calls that may pass in it.
    public var quota: Int64
    /// Calls that passed, or that a crash took.
    public var used: Int64
    /// Calls that may still pass.
    public var left: Int64
    /// When it counts from nothing again.
    public var ends: Timestamp

    public init(
        period: Period, window: String, quota: Int64, used: Int64, left: Int64, ends: Timestamp
    ) {
        self.period = period
        self.window = window
        self.quota = quota
        self.used = used
        self.left = left
        self.ends = ends
    }
}
