import MeshBase

/// How much of each agreement's limits is used on this side: whether one call more may pass, and what is
/// free again when.
///
///     may it pass? ──yes──> take ──> counted ──> the call, behind the store where it says so
///                  └─no───> a refusal for each limit, with what is used and when it is free again
///
/// Rates are token buckets by the monotonic clock; they begin full, so a restart gives one burst at most.
/// Quotas are counted by days and months of UTC, and durable before a call passes: the store keeps a bound
/// that goes ahead of the calls in blocks of a hundredth of the quota (`CallCount`), because rebuilding them
/// from the journal would rest on records that loss of power takes back, and would read a month of them at
/// each start. What of a block a crash leaves unused is lost; small quotas, whose block is one call, lose
/// nothing. A home that is put back from a backup counts what the backup knew; the other side's count holds.
///
/// What counts is an attempt that this side lets pass: at the consumer one that leaves, at the provider one
/// that is admitted. A repetition counts again, what this side refuses does not. An agreement's versions
/// share one meter, so that a renewal gives nothing anew. Who offers chooses the agreement's id, so a meter
/// belongs to the id and both parties: what one peer uses takes nothing from another, and gives it nothing.
///
/// Asking changes nothing and allocates nothing; nor does taking, but where the store must keep something.
/// Callers owe it: `take` only where `permits` said yes at the same moment; every reservation given to the
/// store in order, and `keep` once it is durable. Source: protocol section 7; the bucket is `TokenBucket`.
public struct MeterBook: Equatable, Sendable {
    private var meters = OrderedTable<MeterKey, Meter>()

    private struct Meter: Equatable, Sendable {
        var rate: RateLimit?
        var bucket: TokenBucket?
        var days = CallCount()
        var months = CallCount()

        func count(of period: CalendarPeriod) -> CallCount {
            switch period {
            case .day: days
            case .month: months
            }
        }
    }

    public init() {}

    /// How many agreements have been used that have limits.
    public var count: Int { meters.count }

    /// Takes up what the store kept, once, before the first call.
    public mutating func restore(_ records: [MeterRecord]) {
        for record in records {
            meters[record.key] = Meter(days: CallCount(record.days), months: CallCount(record.months))
        }
    }

    /// The store keeps this record now.
    public mutating func keep(_ record: MeterRecord) {
        meters.update(record.key) { meter in
            meter.days.keep(record.days)
            meter.months.keep(record.months)
        }
    }

    /// Forgets what is not of these agreements: the store has forgotten it too.
    public mutating func forget(allBut agreements: some Sequence<Agreement>) {
        let kept = Set(agreements.map(MeterKey.init))
        meters.removeAll { key, _ in !kept.contains(key) }
    }

    /// Whether one call more may pass.
    func permits(_ limits: UsageLimits, of agreement: Agreement, at now: Moment) -> Bool {
        guard limits.areCounted, let meter = meters[MeterKey(agreement)] else { return true }
        if let rate = limits.rate, wait(meter, rate, at: now.instant) > .zero { return false }
        if let quota = limits.callsPerDay,
            meter.days.window(for: CalendarPeriod.day.number(at: now.wall)).used >= quota
        {
            return false
        }
        if let quota = limits.callsPerMonth,
            meter.months.window(for: CalendarPeriod.month.number(at: now.wall)).used >= quota
        {
            return false
        }
        return true
    }

    private func wait(_ meter: Meter, _ rate: RateLimit, at now: Instant) -> Duration {
        guard var bucket = meter.bucket else { return .zero }
        if meter.rate != rate { bucket.reshape(burst: Int(rate.burst), interval: rate.interval, at: now) }
        return bucket.wait(at: now)
    }

    /// Counts one call that may pass.
    public mutating func take(_ agreement: Agreement, at now: Moment) -> MeterReceipt {
        guard let limits = agreement.limits, limits.areCounted else { return MeterReceipt() }
        let key = MeterKey(agreement)
        if meters[key] == nil { meters[key] = Meter() }
        return meters.update(key) { meter in
            Self.take(from: &meter, limits, key, at: now)
        } ?? MeterReceipt()
    }

    private static func take(
        from meter: inout Meter, _ limits: UsageLimits, _ key: MeterKey, at now: Moment
    ) -> MeterReceipt {
        if let rate = limits.rate {
            if meter.bucket == nil {
                meter.bucket = TokenBucket(burst: Int(rate.burst), interval: rate.interval, at: now.instant)
            } else if meter.rate != rate {
                meter.bucket?.reshape(burst: Int(rate.burst), interval: rate.interval, at: now.instant)
            }
            meter.rate = rate
            _ = meter.bucket?.take(at: now.instant)
        }
        var receipt = MeterReceipt()
        var urgency: MeterUrgency?
        if let quota = limits.callsPerDay {
            urgency = meter.days.add(at: CalendarPeriod.day.number(at: now.wall), quota: quota)
            if let alert = alert(.day, &meter.days, quota, at: now.wall) { receipt.alerts.append(alert) }
        }
        if let quota = limits.callsPerMonth {
            let other = meter.months.add(at: CalendarPeriod.month.number(at: now.wall), quota: quota)
            if let other { urgency = max(urgency ?? other, other) }
            if let alert = alert(.month, &meter.months, quota, at: now.wall) { receipt.alerts.append(alert) }
        }
        if urgency == nil, !receipt.alerts.isEmpty { urgency = .ahead }
        guard let urgency else { return receipt }
        receipt.reservation = MeterReservation(
            record: MeterRecord(key: key, days: meter.days.spent, months: meter.months.spent),
            urgency: urgency)
        return receipt
    }

    /// What is to be told of a quota: each share once in its window.
    private static func alert(
        _ period: CalendarPeriod, _ count: inout CallCount, _ quota: Int64, at wall: WallTime
    ) -> QuotaAlert? {
        let number = period.number(at: wall)
        let window = count.window(for: number)
        let percent: Int64 =
            window.used >= quota ? 100 : window.used >= (quota * 80 + 99) / 100 ? 80 : 0
        guard percent > window.told else { return nil }
        count.tell(percent, at: number)
        return QuotaAlert(
            percent: percent, reading: QuotaReading(period, window, quota: quota))
    }

    /// Why no call more may pass under `limits` now: one refusal for each that is reached.
    func shortcomings(
        of limits: UsageLimits, of agreement: Agreement, at now: Moment, named: [Fact]
    ) -> [Refusal] {
        guard let meter = meters[MeterKey(agreement)] else { return [] }
        var missing: [Refusal] = []
        if let rate = limits.rate {
            let wait = wait(meter, rate, at: now.instant)
            if wait > .zero {
                missing.append(
                    Refusal(
                        .rateExceeded,
                        named + [
                            Fact("rate agreed", rate),
                            Fact("free again in ms", (wait.wholeNanoseconds + 999_999) / 1_000_000),
                        ]))
            }
        }
        for reading in readings(of: limits, of: agreement, at: now.wall) where reading.used >= reading.quota {
            missing.append(
                Refusal(
                    .quotaExhausted,
                    named + [
                        Fact("quota agreed", "\(reading.quota) calls in a \(reading.period.rawValue) of UTC"),
                        Fact("used", reading.used), reading.place,
                        Fact("free again at", RFC3339.text(reading.ends)),
                        Fact("free again in ms", max(1, (reading.ends - now.wall).wholeMilliseconds)),
                    ]))
        }
        return missing
    }

    /// How much of each quota of an agreement is used at `wall`, the day's first.
    public func readings(of limits: UsageLimits, of agreement: Agreement, at wall: WallTime)
        -> [QuotaReading]
    {
        CalendarPeriod.allCases.compactMap { period in
            guard let quota = limits.quota(of: period) else { return nil }
            let count = meters[MeterKey(agreement)]?.count(of: period) ?? CallCount()
            return QuotaReading(period, count.window(for: period.number(at: wall)), quota: quota)
        }
    }
}

/// What taking one call orders.
public struct MeterReceipt: Equatable, Sendable {
    /// What the store is to keep; nil: nothing now.
    public internal(set) var reservation: MeterReservation?
    /// What became true of the agreement's quotas by this call; almost always empty.
    public internal(set) var alerts: [QuotaAlert] = []
}

/// What the store is to keep, and how soon.
public struct MeterReservation: Equatable, Sendable {
    /// In place of what it kept of this agreement.
    public let record: MeterRecord
    /// Whether the call that was counted waits for it.
    public let urgency: MeterUrgency
}

/// A quota reached a share that a person wants to hear of.
public struct QuotaAlert: Equatable, Sendable {
    /// 80 or 100.
    public let percent: Int64
    /// How the quota stands.
    public let reading: QuotaReading
}

/// How much of one quota is used.
public struct QuotaReading: Equatable, Sendable {
    /// Of a day or of a month.
    public let period: CalendarPeriod
    /// Which one: `2026-11-28`, `2026-11`.
    public let window: String
    /// Calls that may pass.
    public let quota: Int64
    /// Calls that passed, or that a crash took.
    public let used: Int64
    /// When it counts from nothing again.
    public let ends: WallTime

    /// For a refusal.
    fileprivate var place: Fact {
        switch period {
        case .day: Fact("day", window)
        case .month: Fact("month", window)
        }
    }

    init(_ period: CalendarPeriod, _ window: CallCount.Window, quota: Int64) {
        self.period = period
        self.quota = quota
        self.window = period.text(of: window.number)
        used = min(window.used, quota)
        ends = period.end(of: window.number)
    }
}

/// The meters as they stand when a question about a call is decided.
public struct MeterGlance: Equatable, Sendable {
    let meters: MeterBook
    let now: Moment

    public init(_ meters: MeterBook, at now: Moment) {
        self.meters = meters
        self.now = now
    }
}
