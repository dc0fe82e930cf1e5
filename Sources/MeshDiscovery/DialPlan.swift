import MeshBase

/// When one peer is dialled next, and where. None begins while a link is up.
///
///                                            ┌──┐ due: another endpoint joins the race,
///                  wake             due      ▼  │ `raceDelay` after the one before
///      resting ───────────▶ waiting ──────▶ dialling ──────────────────────────────┐
///         ▲                  ▲   │  ▲         │  ▲ │ failed, lapsed, others run on:  │ linkUp
///         │   nothing to dial│   │  │         │  └─┘ the next endpoint joins at once ▼
///         └──────────────────┼───┘  └─────────┘                                 up (with dials
///                            │         the last one failed, lapsed:              that still run)
///                            │         a jittered wait after the round             │
///                            └──────────────────── linkDown ───────────────────────┘
///                                   (back to dialling while an old dial still runs)
///
/// A round is each endpoint once, in the caller's order. Its endpoints race, so that a dead one costs
/// `raceDelay` and not the time until connecting is given up (RFC 8305 section 5, with the whole handshake in
/// the place of the connection: only that proves who is there). The first link of ours wins, and the others
/// are given up; once one has answered they are held back, for it needs only to prove itself. Callers owe:
/// one answer a dial, also to one that was given up; `due` when `deadline` has come.
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
        /// Dials are under way, at least one, the earliest first; the next endpoint of the round joins then.
        case dialling([Dial], next: Instant)
        /// A link is up; dials of ours that did not bring it end by themselves.
        case up(since: Instant, [Dial])
    }

    /// Dials under way at once, at most.
    static let raceMax = 3

    private(set) var phase: Phase = .resting
    /// Since when there has been a link; nil while there is none.
    var upSince: Instant? { if case .up(let since, _) = phase { since } else { nil } }
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
        case .dialling(let dials, let next):
            dials.reduce(dials.count < Self.raceMax ? next : .never) { min($0, $1.lapse) }
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
        case .dialling(let dials, let next):
            phase = .dialling(dials, next: min(next, fresh.isEmpty ? next : soonest(now)))
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
        for dial in dialsUnderWay where dial.lapse <= now {
            fail(dial.endpoint, at: now, using: &generator)
        }
        switch phase {
        case .waiting(let until) where until <= now:
            round.removeAll { !order.contains($0) }
            if round.isEmpty { round = order }
            guard round.isEmpty else { return begin(beside: [], at: now) }
            phase = retry.map { .waiting(until: $0) } ?? .resting
            return nil
        case .dialling(let dials, let next) where next <= now && dials.count < Self.raceMax:
            round.removeAll { endpoint in
                !order.contains(endpoint) || dials.contains { $0.endpoint == endpoint }
            }
            guard round.isEmpty else { return begin(beside: dials, at: now) }
            phase = .dialling(dials, next: .never)
            return nil
        case .resting, .waiting, .dialling, .up: return nil
        }
    }

    private var dialsUnderWay: [Dial] {
        guard case .dialling(let dials, _) = phase else { return [] }
        return dials
    }

    private mutating func begin(beside dials: [Dial], at now: Instant) -> Endpoint {
        let endpoint = round.removeFirst()
        lastDial = now
        phase = .dialling(
            dials + [Dial(endpoint: endpoint, lapse: now + configuration.dialPatience)],
            next: round.isEmpty ? .never : now + configuration.raceDelay)
        return endpoint
    }

    /// A dial of `endpoint` that began before anybody knew that it leads to this peer.
    mutating func join(_ endpoint: Endpoint, at now: Instant) {
        let dial = Dial(endpoint: endpoint, lapse: now + configuration.dialPatience)
        lastDial = now
        switch phase {
        case .resting, .waiting: phase = .dialling([dial], next: .never)
        case .dialling(let dials, let next): phase = .dialling(dials + [dial], next: next)
        case .up(let since, let dials): phase = .up(since: since, dials + [dial])
        }
    }

    /// Somebody answered at `endpoint` and is proving who it is: the others of the round are held back.
    mutating func answered(_ endpoint: Endpoint, at now: Instant) {
        guard case .dialling(let dials, let next) = phase, next < .never,
            dials.contains(where: { $0.endpoint == endpoint })
        else { return }
        phase = .dialling(dials, next: max(next, now + configuration.provingPatience))
    }

    /// The dial of `endpoint` ended without a link. Ignored unless that dial is under way.
    mutating func fail(_ endpoint: Endpoint, at now: Instant, using generator: inout SeededGenerator) {
        switch phase {
        case .dialling(let dials, _):
            let others = dials.filter { $0.endpoint != endpoint }
            guard others.count < dials.count else { return }
            failures[endpoint] = min((failures[endpoint] ?? 0) + 1, 1_000_000)
            if !others.isEmpty {
                phase = .dialling(others, next: round.isEmpty ? .never : now)
            } else {
                phase = .waiting(until: round.isEmpty ? now + backoff.fail(using: &generator) : now)
            }
        case .up(let since, let dials):
            phase = .up(since: since, dials.filter { $0.endpoint != endpoint })
        case .resting, .waiting: break
        }
    }

    /// A link is up; `endpoint` is what was dialled for it, nil when the peer dialled. Answers the dials to
    /// be given up: those that raced with it. Against the peer's own dial ours is not given up, for both ends
    /// choose between the two by the same rule (protocol section 2).
    mutating func linkUp(_ endpoint: Endpoint?, at now: Instant) -> [Endpoint] {
        if let endpoint { failures[endpoint] = nil }
        round = []
        switch phase {
        case .resting, .waiting: phase = .up(since: now, [])
        case .dialling(let dials, _):
            let others = dials.filter { $0.endpoint != endpoint }
            phase = .up(since: now, others)
            return endpoint == nil ? [] : others.map(\.endpoint)
        case .up(let since, let dials): phase = .up(since: since, dials.filter { $0.endpoint != endpoint })
        }
        return []
    }

    /// The link is gone. Ignored when there is none.
    mutating func linkDown(at now: Instant, using generator: inout SeededGenerator) {
        guard case .up(let since, let dials) = phase else { return }
        if now - since >= configuration.steadyLink { backoff.reset() }
        let alive = dials.filter { $0.lapse > now }
        phase =
            alive.isEmpty
            ? .waiting(until: now + backoff.fail(using: &generator)) : .dialling(alive, next: .never)
    }

    /// Nobody names `endpoint` any more: neither does this remember it.
    mutating func forget(_ endpoint: Endpoint) { failures[endpoint] = nil }

    /// As soon as may be: now, or a gap after the last dial.
    private func soonest(_ now: Instant) -> Instant {
        guard let lastDial else { return now }
        return max(now, lastDial + configuration.freshDialGap)
    }
}
