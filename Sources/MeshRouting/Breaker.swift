import MeshBase

/// Whether calls go one way, to one resource at one peer or over one link (protocol section 8; Nygard,
/// "Release It!", 2nd edition, section 5.2; the half-open rule is stricter: one probe at a time).
///
///     closed ──5 failures in a row, or half of 20 calls or more in 10 s──> open <───────┐ 1 s doubling
///        ^                                                                  │           │ to 30 s
///        │                                              its time over, next call       probe failed
///        │                                                                  v           │
///        └────────────────────── 3 probes succeeded ──────────────────── half-open ──────┘
///     any ──trip──> open ... release ──> half-open        (a link that goes down, and returns)
///
/// Looking (`standing`) changes nothing; `admit` lets a call through and must be followed by exactly one
/// `settle` with what it returned. A result that belongs to an earlier opening is ignored. Refusals by
/// policy, shed load and cancelled calls are reported as `.neutral`: they free the probe's place and count
/// for nothing.
public struct Breaker: Sendable, Equatable {
    /// What a caller sees.
    public enum Standing: Equatable, Sendable {
        /// Calls pass.
        case closed
        /// No call passes until then; `.never` for a tripped one.
        case open(until: Instant)
        /// One probe may pass now.
        case halfOpen
        /// A probe is on its way; nothing passes beside it.
        case probing

        /// Whether a call would pass now.
        public var lets: Bool { self == .closed || self == .halfOpen }

        /// `closed`, `open` or `half-open`, as the audit says it.
        public var word: String {
            switch self {
            case .closed: "closed"
            case .open: "open"
            case .halfOpen, .probing: "half-open"
            }
        }
    }

    /// What a call that passed owes back.
    public struct Admission: Equatable, Sendable {
        /// Which closing or opening it belongs to.
        let era: UInt32
        let isProbe: Bool

        /// What may still be reported after it was settled once: a failure that came later, never a probe's.
        public var spent: Admission { Admission(era: era, isProbe: false) }
    }

    /// How a call that passed ended, in the breaker's eyes.
    public enum Outcome: Equatable, Sendable {
        case succeeded, failed, neutral
    }

    private enum State: Sendable, Equatable {
        case closed(failuresInARow: UInt32)
        case open(until: Instant)
        case halfOpen(successes: UInt32, isProbing: Bool)
    }

    /// Failures in a row that open it.
    public static let failuresInARow: UInt32 = 5
    /// Calls within the window below which no share opens it.
    public static let callsMin: UInt32 = 20
    /// Probes that close it.
    public static let successesToClose: UInt32 = 3
    /// The first opening lasts at most this long, each further one twice the one before.
    public static let openMin: Duration = .seconds(1)
    /// No opening lasts longer.
    public static let openMax: Duration = .seconds(30)

    private var state = State.closed(failuresInARow: 0)
    private var window = CallWindow()
    /// Rises with every change of state but from open to half-open.
    private var era: UInt32 = 0
    /// Openings since it was last closed.
    private var openings: UInt32 = 0

    public init() {}

    /// What a call at `now` would meet.
    public func standing(at now: Instant) -> Standing {
        switch state {
        case .closed: .closed
        case .open(let until): now >= until ? .halfOpen : .open(until: until)
        case .halfOpen(_, let isProbing): isProbing ? .probing : .halfOpen
        }
    }

    /// Lets one call through; nil when none may pass.
    public mutating func admit(at now: Instant) -> Admission? {
        switch state {
        case .closed: return Admission(era: era, isProbe: false)
        case .open(let until):
            guard now >= until else { return nil }
            state = .halfOpen(successes: 0, isProbing: true)
        case .halfOpen(let successes, let isProbing):
            guard !isProbing else { return nil }
            state = .halfOpen(successes: successes, isProbing: true)
        }
        return Admission(era: era, isProbe: true)
    }

    /// Takes the end of an admitted call.
    public mutating func settle(
        _ admission: Admission, as outcome: Outcome, at now: Instant, using generator: inout SeededGenerator
    ) {
        guard admission.era == era else { return }
        switch (state, outcome) {
        case (.open, _), (.closed, .neutral): break
        case (.closed, .succeeded):
            window.count(.succeeded, at: now)
            state = .closed(failuresInARow: 0)
        case (.closed(let failures), .failed):
            window.count(.failed, at: now)
            let (calls, failed) = window.sums(at: now)
            if failures + 1 >= Self.failuresInARow || (calls >= Self.callsMin && failed * 2 >= calls) {
                open(at: now, using: &generator)
            } else {
                state = .closed(failuresInARow: failures + 1)
            }
        case (.halfOpen(let successes, _), _):
            guard admission.isProbe else { return }
            switch outcome {
            case .neutral: state = .halfOpen(successes: successes, isProbing: false)
            case .failed: open(at: now, using: &generator)
            case .succeeded:
                guard successes + 1 >= Self.successesToClose else {
                    state = .halfOpen(successes: successes + 1, isProbing: false)
                    return
                }
                close()
            }
        }
    }

    /// Opens it until `release`: the link is down.
    public mutating func trip() {
        era &+= 1
        state = .open(until: .never)
    }

    /// Ends what `trip` began: the next call is the probe.
    public mutating func release() {
        guard case .open(until: .never) = state else { return }
        era &+= 1
        state = .halfOpen(successes: 0, isProbing: false)
    }

    private mutating func close() {
        era &+= 1
        openings = 0
        window = CallWindow()
        state = .closed(failuresInARow: 0)
    }

    private mutating func open(at now: Instant, using generator: inout SeededGenerator) {
        era &+= 1
        let longest = min(Self.openMin * (1 << min(openings, 5)), Self.openMax)
        openings += 1
        state = .open(until: now + generator.duration(from: longest * 4 / 5, through: longest))
    }
}

/// Calls and failures of the last ten seconds, second by second.
struct CallWindow: Sendable, Equatable {
    private static let seconds: Int64 = 10
    /// Ten seconds' counts: calls in the upper half, failures in the lower; empty before the first.
    private var counts: [UInt64] = []
    private var second: Int64 = 0

    /// Adds one call.
    mutating func count(_ outcome: Breaker.Outcome, at now: Instant) {
        if counts.isEmpty { counts = [UInt64](repeating: 0, count: Int(Self.seconds)) }
        forget(before: now)
        counts[Int(second % Self.seconds)] += outcome == .failed ? 1 << 32 | 1 : 1 << 32
    }

    /// The sums of the last ten seconds.
    mutating func sums(at now: Instant) -> (calls: UInt32, failed: UInt32) {
        forget(before: now)
        let sum = counts.reduce(0, &+)
        return (UInt32(sum >> 32), UInt32(truncatingIfNeeded: sum))
    }

    private mutating func forget(before now: Instant) {
        let current = max(now.nanoseconds / 1_000_000_000, second)
        guard current > second, !counts.isEmpty else { return }
        for stale in max(second + 1, current - Self.seconds + 1)...current {
            counts[Int(stale % Self.seconds)] = 0
        }
        second = current
    }
}
