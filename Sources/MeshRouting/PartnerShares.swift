import MeshBase

/// Who has how many calls in hand at one resource, and who of them counts when places are shared: whoever has
/// one now, or had or wanted one within five seconds.
///
/// A partner is *within its share* while it has fewer in hand than its share, or has on average of the last
/// while and not twice as many now: calls do not come evenly. Beyond `Limits.partnersPerService` partners
/// the others share one line: a crowd of newcomers gets one share, and takes nobody's line.
///
/// Invariants: a line is kept while it has calls in hand; `active` is at least one once anybody came.
struct PartnerShares: Sendable, Equatable {
    private struct Line: Sendable, Equatable {
        var held: Int64 = 0
        /// Of `held`, in thousandths.
        var mean: Int64 = 0
        /// When `mean` was last brought up to date.
        var touched: Instant
    }

    private static let active: Duration = .seconds(5)
    private static let sweepPause: Duration = .seconds(1)
    /// The line of all for whom there is none of their own.
    private static let others = Digest.zero

    private var lines = OrderedTable<Digest, Line>()
    private var swept = Instant.zero

    init() {}

    /// How many partners share, `partner` among them.
    func active(with partner: Digest) -> Int { lines.count + (lines[line(of: partner)] == nil ? 1 : 0) }

    /// How many partners share.
    var count: Int { lines.count }

    /// How many calls `partner` has in hand.
    func held(by partner: Digest) -> Int { Int(lines[line(of: partner)]?.held ?? 0) }

    /// How many calls are in hand, of each partner no more than `share`.
    func held(upTo share: Int) -> Int {
        lines.values.reduce(0) { $0 + min(Int($1.held), share) }
    }

    /// Whether `partner` is within a share of `share`.
    /// - Parameter memory: over how long the average goes.
    func isWithin(_ share: Int, _ partner: Digest, over memory: Duration, at now: Instant) -> Bool {
        guard var line = lines[line(of: partner)], line.held >= share else { return true }
        Self.age(&line, over: memory, to: now)
        return line.held < share * 2 && line.mean < Int64(share) * 1_000
    }

    /// `partner` wants a place: it counts from now on.
    /// - Returns: the line on which it stands.
    mutating func note(_ partner: Digest, over memory: Duration, at now: Instant) -> Digest {
        sweep(at: now)
        let key = line(of: partner)
        if lines[key] == nil {
            lines[key] = Line(touched: now)
        } else {
            lines.update(key) { Self.age(&$0, over: memory, to: now) }
        }
        return key
    }

    /// One call more is in hand on a line, or one less.
    mutating func change(_ key: Digest, by difference: Int64, over memory: Duration, at now: Instant) {
        lines.update(key) { line in
            Self.age(&line, over: memory, to: now)
            line.held += difference
            precondition(line.held >= 0, "a partner has \(line.held) calls in hand")
        }
    }

    private func line(of partner: Digest) -> Digest {
        lines.count < Limits.partnersPerService || lines[partner] != nil ? partner : Self.others
    }

    private static func age(_ line: inout Line, over memory: Duration, to now: Instant) {
        let whole = max(1, memory.wholeNanoseconds / 1_000)
        let passed = min(whole, max(0, (now - line.touched).wholeNanoseconds / 1_000))
        line.mean += (line.held * 1_000 - line.mean) * passed / whole
        line.touched = max(line.touched, now)
    }

    private mutating func sweep(at now: Instant) {
        guard now - swept >= Self.sweepPause else { return }
        swept = now
        lines.removeAll { _, line in line.held == 0 && now - line.touched > Self.active }
    }
}
