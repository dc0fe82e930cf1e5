import MeshBase

/// How much of what it grants an agreement lets its consumer use (protocol section 7). What is absent
/// restricts nothing.
///
/// Each side counts for itself what it lets pass, and refuses what is beyond. The counting is `MeterBook`'s.
public struct UsageLimits: Hashable, Sendable, Codable {
    /// How many calls in how short a time.
    public var rate: RateLimit?
    /// Calls in one day of UTC, 1 ... `AgreementLimits.quotaMax`.
    public var callsPerDay: Int64?
    /// Calls in one month of UTC, 1 ... `AgreementLimits.quotaMax`.
    public var callsPerMonth: Int64?
    /// Nodes that may relay the link over which a call goes, 0 ... `AgreementLimits.hopsMax`.
    public var hops: Int64?

    /// No limit.
    public static let none = UsageLimits()

    public init(
        rate: RateLimit? = nil, callsPerDay: Int64? = nil, callsPerMonth: Int64? = nil, hops: Int64? = nil
    ) {
        self.rate = rate
        self.callsPerDay = callsPerDay
        self.callsPerMonth = callsPerMonth
        self.hops = hops
    }

    /// Whether every number is as it must be.
    var isWellFormed: Bool {
        let quotas = 1...AgreementLimits.quotaMax
        return rate?.isWellFormed ?? true && callsPerDay.map(quotas.contains) ?? true
            && callsPerMonth.map(quotas.contains) ?? true
            && hops.map((0...AgreementLimits.hopsMax).contains) ?? true
    }

    /// The quota of one period; nil: none.
    func quota(of period: CalendarPeriod) -> Int64? {
        switch period {
        case .day: callsPerDay
        case .month: callsPerMonth
        }
    }

    /// Whether a call may go over a link that so many nodes relay.
    func permit(relays: Int64) -> Bool { hops.map { relays <= $0 } ?? true }

    /// Whether calls are to be counted at all.
    var areCounted: Bool { rate != nil || callsPerDay != nil || callsPerMonth != nil }
}

/// So many calls in so many seconds, and so many at once: a token bucket.
public struct RateLimit: Hashable, Sendable, Codable {
    /// Calls in each span, 1 ... `AgreementLimits.rateMax`.
    public let calls: Int64
    /// The span in seconds, 1 ... `AgreementLimits.rateSpanMax`.
    public let seconds: Int64
    /// Calls at once after a pause, 1 ... `AgreementLimits.rateMax`.
    public let burst: Int64

    public init(calls: Int64, seconds: Int64, burst: Int64) {
        self.calls = calls
        self.seconds = seconds
        self.burst = burst
    }

    var isWellFormed: Bool {
        let counts = 1...AgreementLimits.rateMax
        return counts.contains(calls) && counts.contains(burst)
            && (1...AgreementLimits.rateSpanMax).contains(seconds)
    }

    /// How long until one call more may pass: rounded up, so that no span lets a call more through.
    var interval: Duration { .nanoseconds((seconds * 1_000_000_000 + calls - 1) / calls) }
}

extension RateLimit: CustomStringConvertible {
    /// `100 calls in 1 s, 200 at once`.
    public var description: String { "\(calls) calls in \(seconds) s, \(burst) at once" }
}

/// What becomes of calls that are under way when one party revokes their agreement.
public enum CallsAtEnd: String, Sendable, Codable, CaseIterable {
    /// They go on until their own deadline.
    case finish
    /// Both sides end them at once.
    case cut
}
