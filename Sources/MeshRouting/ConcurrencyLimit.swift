import MeshBase

/// How many calls a resource of this node may have in hand at once, found by how long it takes to begin its
/// answers. Nothing is limited before there is evidence that calls wait for one another.
///
///     learning ──8 calls over──> open ──slow beyond doubt──> probing ──its round over──> limiting
///                                 ^                            ^ │                         │ │
///                                 │                            └─│─ 32 windows, or halved ──┘ │
///                                 └────── nothing refused for 10 s ──────────────────────────┘
///
/// - *learning*: the first calls say what the resource takes when it has few; nothing is refused.
/// - *open*: nothing is refused. What calls take beyond twice the baseline is summed up, and what they take
///   less is taken off (CUSUM, Page 1954): a few slow ones are no evidence, many are.
/// - *probing*: half of the limit, until as many calls as a round has are over, taken in the order in which
///   they began, or the round has lasted too long: what they take with so few beside them is the baseline.
///   It tells a queue from a resource that merely became slower, and it is why the baseline needs no drift,
///   which would follow a queue upward for as long as that lasts (the idea of BBR's ProbeRTT, Cardwell et al.
///   2016). It comes after 4 windows, 8, 16 and then each 32, and at once where the limit has halved since.
/// - *limiting*: after each window the limit goes half of the way to company x baseline / what calls take
///   + a square root: the gradient of Netflix's concurrency-limits (`GradientLimit`), where *company* is how
///   many calls were in hand when one began. By Little's law the product is what the resource works on.
///
/// The baseline is learnt from calls that had at most half of the limit beside them, never from others. Calls
/// of a window count when they end, those of a round in the order in which they began: the quick ones of many
/// that begin together would come first. What a call takes counts up to eight baselines.
///
/// A wait below 25 ms is nobody's grievance: of a resource that takes less than 50 ms so much of it is let
/// pass that a call takes 25 ms more. So a quick resource is not limited for what the machine itself adds.
///
/// Invariants: the limit is within its bounds; whole numbers, so that a replay decides alike; nothing is
/// allocated, and each input costs as much whatever came before it. Callers owe it: each `begin` one `end`.
struct ConcurrencyLimit: Sendable, Equatable {
    private enum Phase: Sendable, Equatable {
        case learning(Round)
        case open
        case probing(Round)
        case limiting
    }

    /// Calls that are measured in the order in which they began.
    private struct Round: Sendable, Equatable {
        let number: Int32
        let size: Int64
        var began: Instant
        var taken: Int64 = 0
        var ended: Int64 = 0
        var microseconds: Int64 = 0

        var isOver: Bool { ended == size }
        var mean: Int64 { max(1, microseconds / max(ended, 1)) }
    }

    /// Calls that are measured in the order in which they ended.
    private struct Window: Sendable, Equatable {
        var count: Int64 = 0
        var microseconds: Int64 = 0
        var company: Int64 = 0

        var mean: Int64 { max(1, microseconds / max(count, 1)) }
        var meanCompany: Int64 { max(1, company / max(count, 1)) }
    }

    private static let floor = Int64(Limits.concurrencyFloor)
    private static let ceiling = Int64(Limits.concurrencyCeiling)
    private static let firstRound: Int64 = 8
    private static let windowLeast: Int64 = 16
    private static let windowMost: Int64 = 64
    private static let windowsUntilProbe = 32
    /// In thousandths of a baseline.
    private static let expected: Int64 = 2_000
    private static let evidence: Int64 = 16_000
    private static let slack: Int64 = 25_000
    private static let quiet: Duration = .seconds(10)
    private static let roundMost: Duration = .seconds(60)

    private var phase = Phase.learning(Round(number: 1, size: Self.firstRound, began: .zero))
    private var limit: Int64 = 4
    /// What it was when a probe last said what calls take alone.
    private var probedLimit: Int64 = 0
    /// What a call takes that waits for no other, in microseconds; 0 while nothing is known.
    private(set) var baseline: Int64 = 0
    private var calm = Window()
    private var busy = Window()
    private var suspicion: Int64 = 0
    private var windows = 0
    private var probes = 0
    private var rounds: Int32 = 1
    private var lastRefusal = Instant.zero

    init() {}

    /// How many calls may be in hand; nil while nothing is limited.
    var standing: Int? {
        switch phase {
        case .learning, .open: nil
        case .probing: Int(halved)
        case .limiting: Int(limit)
        }
    }

    /// A call was refused for the limit.
    mutating func refused(at now: Instant) { lastRefusal = max(lastRefusal, now) }

    /// What is over by `now` ends. Asked before whether a call may begin.
    mutating func wake(at now: Instant) {
        switch phase {
        case .open: break
        case .learning(let round):
            guard round.taken > 0, now - round.began > Self.roundMost else { break }
            if round.ended > 0 { learnt(round) } else { phase = .learning(newRound(Self.firstRound, now)) }
        case .limiting:
            if now - lastRefusal > Self.quiet { reopen() }
        case .probing(let round):
            if now - lastRefusal > Self.quiet {
                reopen()
            } else if now - round.began > patience {
                // Whoever lets one call last keeps the others at half of the limit no longer than this.
                if round.ended * 2 >= round.size { probed(round, at: now) } else { limitOn() }
            }
        }
    }

    /// A call begins.
    /// - Parameter company: how many are in hand with it.
    /// - Returns: the round in which it is measured; 0: in none.
    mutating func begin(company: Int, at now: Instant) -> Int32 {
        switch phase {
        case .open, .limiting: return 0
        case .learning(var round):
            guard round.taken < round.size else { return 0 }
            if round.taken == 0 { round.began = now }
            round.taken += 1
            phase = .learning(round)
            return round.number
        case .probing(var round):
            guard round.taken < round.size, company <= halved else { return 0 }
            round.taken += 1
            phase = .probing(round)
            return round.number
        }
    }

    /// A call is over, or its answer has begun.
    /// - Parameters:
    ///   - number: what `begin` answered.
    ///   - microseconds: what it took; nil when that says nothing about the resource.
    mutating func end(round number: Int32, company: Int, took microseconds: Int64?, at now: Instant) {
        switch phase {
        case .learning(var round):
            guard number == round.number else { return }
            Self.take(microseconds, into: &round)
            if round.isOver { learnt(round) } else { phase = .learning(round) }
        case .probing(var round):
            guard number == round.number else { return }
            Self.take(microseconds.map { probes == 0 ? $0 : min($0, most) }, into: &round)
            if round.isOver { probed(round, at: now) } else { phase = .probing(round) }
        case .open, .limiting:
            guard let microseconds else { return }
            if Int64(company) <= halved {
                noteCalm(min(microseconds, most), Int64(company))
            } else {
                noteBusy(min(microseconds, most), Int64(company), at: now)
            }
        }
    }

    private static func take(_ microseconds: Int64?, into round: inout Round) {
        guard let microseconds else {
            round.taken -= 1
            return
        }
        round.ended += 1
        round.microseconds += microseconds
    }

    private mutating func learnt(_ round: Round) {
        baseline = round.mean
        phase = .open
    }

    private mutating func noteCalm(_ microseconds: Int64, _ company: Int64) {
        Self.add(microseconds, company, to: &calm)
        suspicion = max(0, suspicion - 1_000)
        guard calm.count >= windowSize else { return }
        baseline = max(1, baseline + (calm.mean - baseline) / 8)
        calm = Window()
    }

    private mutating func noteBusy(_ microseconds: Int64, _ company: Int64, at now: Instant) {
        Self.add(microseconds, company, to: &busy)
        if phase == .open {
            let excess = max(0, microseconds - slack) * 1_000 / baseline
            suspicion = max(0, suspicion + excess - Self.expected)
            if suspicion > Self.evidence { return beginLimiting(at: now) }
        }
        guard busy.count >= windowSize else { return }
        close(at: now)
    }

    private static func add(_ microseconds: Int64, _ company: Int64, to window: inout Window) {
        window.count += 1
        window.microseconds += microseconds
        window.company += company
    }

    private mutating func beginLimiting(at now: Instant) {
        let working = estimate
        limit = Self.bounded(working + Self.headroom(working))
        probes = 0
        lastRefusal = now
        probe(at: now)
    }

    private mutating func close(at now: Instant) {
        var working = estimate
        let company = busy.meanCompany
        busy = Window()
        guard phase == .limiting else {
            limit = Self.bounded(max(limit, company))
            return
        }
        // Fewer came than may, and none waited: that says nothing against the limit.
        if working < limit, working >= company * 15 / 16 { working = limit }
        let wanted = working + Self.headroom(working)
        limit = Self.bounded((limit + wanted + (wanted > limit ? 1 : 0)) / 2)
        windows += 1
        if windows >= min(Self.windowsUntilProbe, 4 << min(probes, 3)) || limit * 2 <= probedLimit {
            probe(at: now)
        }
    }

    /// How many calls of the window the resource worked on while the others waited.
    private var estimate: Int64 {
        let company = busy.meanCompany
        let taken = max(baseline, busy.mean - slack)
        return max(1, min(company, company * baseline * 17 / (taken * 16)))
    }

    private mutating func probe(at now: Instant) {
        (calm, busy, suspicion) = (Window(), Window(), 0)
        phase = .probing(newRound(windowSize, now))
    }

    private mutating func probed(_ round: Round, at now: Instant) {
        // Those that are not over take at least as long as the round has lasted.
        let lasted = min(most, (now - round.began).wholeNanoseconds / 1_000) * (round.taken - round.ended)
        let found = max(1, (round.microseconds + lasted) / max(1, round.taken))
        // Longer by so much is no chance: it became slower. Less may be: a few quick ones.
        baseline =
            probes == 0 || found * 2 > baseline * 3 ? found : max(1, baseline + (found - baseline) / 3)
        probes += 1
        limitOn()
    }

    private mutating func limitOn() {
        (calm, busy, windows) = (Window(), Window(), 0)
        probedLimit = limit
        phase = .limiting
    }

    private mutating func reopen() {
        (calm, busy, suspicion) = (Window(), Window(), 0)
        phase = .open
    }

    private mutating func newRound(_ size: Int64, _ now: Instant) -> Round {
        rounds &+= 1
        if rounds <= 0 { rounds = 1 }
        return Round(number: rounds, size: size, began: now)
    }

    private var halved: Int64 { max(1, limit / 2) }
    private var windowSize: Int64 { min(Self.windowMost, max(Self.windowLeast, limit)) }
    /// What is let pass of a wait, in microseconds.
    private var slack: Int64 { max(0, Self.slack - baseline / 2) }
    /// As much counts of what one call takes.
    private var most: Int64 { baseline * 8 + slack }
    /// How long a probe may last.
    private var patience: Duration {
        min(Self.roundMost, max(.seconds(5), .microseconds(baseline * 32)))
    }

    private static func bounded(_ limit: Int64) -> Int64 { min(ceiling, max(floor, limit)) }

    /// The whole square root, at least one.
    private static func headroom(_ number: Int64) -> Int64 {
        var root: Int64 = 1
        while (root + 1) * (root + 1) <= number { root += 1 }
        return root
    }
}
