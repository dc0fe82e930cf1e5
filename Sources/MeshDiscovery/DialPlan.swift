import MeshBase

/// When one peer is dialled next, and where. It has at most one dial under way, and none begins while a link
/// is up.
///
///                  wake                     due                       linkUp
///      resting ───────────▶ waiting ────────────────▶ dialling ────────────────────┐
///         ▲                  ▲   │  ▲                    │                         ▼
///         │   nothing to dial│   │  └── failed, lapsed ──┘                     up (with the dial
///         └──────────────────┼───┘   next endpoint of the round at once,        still under way,
///                            │       after the last one a jittered wait         if it was not that)
///                            └──────────────────── linkDown ───────────────────────┘
///                                   (back to dialling while the old dial still runs)
///
/// A round is each endpoint once, in the caller's order. Callers owe: one answer a dial, `due` when
/// `deadline` has come.
struct DialPlan: Sendable, Equatable {
    /// A dial under way.
    struct Dial: Sendable, Equatable {
        let endpoint: Endpoint
        /// From here on it counts as failed, answered or not.
        let lapse: Instant
    }

    enum Phase: Sendable, Equatable {
        /// There is nothing to dial, or nobody wants to.
        case resting
        /// The next dial begins then.
        case waiting(until: Instant)
        /// A dial is under way.
        case dialling(Dial)
        /// A link is up; our own dial, when it was not that which brought the link, ends by itself.
        case up(since: Instant, Dial?)
    }

    private(set) var phase: Phase = .resting
    /// Failures of each endpoint since its last success; absent: none.
    private(set) var failures = OrderedTable<Endpoint, Int>()
    private let configuration: DiscoveryConfiguration
    private var backoff: Backoff
    /// What is left of this round, next first.
    private var round: [Endpoint] = []
    private var lastDial: Instant?

    init(_ configuration: DiscoveryConfiguration) {
        self.configuration = configuration
        backoff = Backoff(first: configuration.redialFirst, most: configuration.redialOtherMax)
    }

    /// When `due` must be called; nil for never.
    var deadline: Instant? {
        switch phase {
        case .waiting(let until): until
        case .dialling(let dial): dial.lapse
        case .resting, .up: nil
        }
    }

    /// Trusted peers are sought more eagerly.
    mutating func setEagerness(_ isTrusted: Bool) {
        backoff.most = isTrusted ? configuration.redialTrustedMax : configuration.redialOtherMax
    }

    /// There is reason to dial now: `fresh` endpoints first, when there are any.
    mutating func wake(toward fresh: [Endpoint], at now: Instant) {
        switch phase {
        case .up: return
        case .dialling: break
        case .resting: phase = .waiting(until: soonest(now))
        case .waiting(let until): phase = .waiting(until: min(until, soonest(now)))
        }
        round = fresh + round.filter { !fresh.contains($0) }
    }

    /// Nobody wants this peer dialled any more. What is under way ends by itself.
    mutating func rest() {
        guard case .waiting = phase else { return }
        phase = .resting
        round = []
    }

    /// The deadline has come. Answers what to dial now, if anything; `order` is what there is to dial, best
    /// first, and `retry` when to look again if that is nothing (nil: not before `wake`).
    mutating func due(
        at now: Instant, order: [Endpoint], retry: Instant?, using generator: inout SeededGenerator
    ) -> Endpoint? {
        if case .dialling(let dial) = phase, dial.lapse <= now {
            fail(dial.endpoint, at: now, using: &generator)
        }
        guard case .waiting(let until) = phase, until <= now else { return nil }
        round.removeAll { !order.contains($0) }
        if round.isEmpty { round = order }
        guard !round.isEmpty else {
            phase = retry.map { .waiting(until: $0) } ?? .resting
            return nil
        }
        let endpoint = round.removeFirst()
        lastDial = now
        phase = .dialling(Dial(endpoint: endpoint, lapse: now + configuration.dialPatience))
        return endpoint
    }

    /// The dial of `endpoint` ended without a link. Ignored unless that dial is under way.
    mutating func fail(_ endpoint: Endpoint, at now: Instant, using generator: inout SeededGenerator) {
        switch phase {
        case .dialling(let dial) where dial.endpoint == endpoint:
            failures[endpoint] = min((failures[endpoint] ?? 0) + 1, 1_000_000)
            phase = .waiting(until: round.isEmpty ? now + backoff.fail(using: &generator) : now)
        case .up(let since, let dial?) where dial.endpoint == endpoint:
            phase = .up(since: since, nil)
        case .resting, .waiting, .dialling, .up: break
        }
    }

    /// A link is up; `endpoint` is what was dialled for it, nil when the peer dialled.
    mutating func linkUp(_ endpoint: Endpoint?, at now: Instant) {
        if let endpoint { failures[endpoint] = nil }
        round = []
        switch phase {
        case .resting, .waiting: phase = .up(since: now, nil)
        case .dialling(let dial): phase = .up(since: now, dial.endpoint == endpoint ? nil : dial)
        case .up(let since, let dial): phase = .up(since: since, dial?.endpoint == endpoint ? nil : dial)
        }
    }

    /// The link is gone. Ignored when there is none.
    mutating func linkDown(at now: Instant, using generator: inout SeededGenerator) {
        guard case .up(let since, let dial) = phase else { return }
        if now - since >= configuration.steadyLink { backoff.reset() }
        if let dial, dial.lapse > now {
            phase = .dialling(dial)
        } else {
            phase = .waiting(until: now + backoff.fail(using: &generator))
        }
    }

    /// Nobody names `endpoint` any more: neither does this remember it.
    mutating func forget(_ endpoint: Endpoint) { failures[endpoint] = nil }

    /// As soon as may be: now, or a gap after the last dial.
    private func soonest(_ now: Instant) -> Instant {
        guard let lastDial else { return now }
        return max(now, lastDial + configuration.freshDialGap)
    }
}
