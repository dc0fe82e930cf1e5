import MeshBase

/// Whether strangers are dialled. What was tried for one reason counts nothing for the next.
public enum StrangerSearch: Sendable, Equatable {
    /// Not at all: nobody would be accepted.
    case never
    /// To find members of this node's domain, who look for it as well.
    case members
    /// To find who enrols this node, which can do little before; nobody comes to it.
    case issuer
}

/// Why a dial of a stranger brought no link.
public enum StrangerFailure: Sendable, Equatable {
    /// Nobody answered: who is to be there may be away.
    case unanswered
    /// Somebody answered, and one of the two does not accept the other: most likely it is none of ours.
    case refused
}

/// When strangers are dialled, and where: endpoints of which nobody knows whose they are.
///
///     seen ──a short jitter──> waiting ──due, and a place free──> dialling ──failed──> waiting, longer
///       waiting, longer ──seen by a new sighting──> waiting, a second
///       a sighting that is gone, or turns out to be somebody's, takes its endpoint with it
///
/// Bounded: `dialsMax` at once, `Limits.sightings` endpoints, and each endpoint ever more seldom: most
/// strangers on a shared network are none of ours, and each dial of one costs two handshakes' work and an
/// event there. Where nobody answers it costs neither, and is tried as often as any expected peer (protocol
/// section 5, Decision 0024). A newcomer, to which nobody comes, asks all of them often. What failed least
/// goes first, then what callers name first, so that an old flood keeps no newcomer waiting. Callers owe:
/// `fail` once for each dial that brought no link.
struct StrangerPlan: Sendable, Equatable {
    /// Dials under way at once.
    static let dialsMax = 8
    /// Two nodes that see each other at once need not both dial.
    static let jitterMax: Duration = .milliseconds(200)

    private enum Phase: Sendable, Equatable {
        case waiting(until: Instant)
        /// From `lapse` on it counts as failed, answered or not.
        case dialling(lapse: Instant)
    }

    private struct Attempt: Sendable, Equatable {
        var phase: Phase
        var backoff: Backoff

        var isWaiting: Bool {
            switch phase {
            case .waiting: true
            case .dialling: false
            }
        }
    }

    /// Whether anybody is sought.
    var isSeeking: Bool { search != .never }
    private var search = StrangerSearch.never
    private var attempts = OrderedTable<Endpoint, Attempt>()
    private let configuration: DiscoveryConfiguration

    init(_ configuration: DiscoveryConfiguration) { self.configuration = configuration }

    /// When `due` must be called; nil for never.
    var deadline: Instant? {
        guard isSeeking else { return nil }
        let isFull = dialling >= Self.dialsMax
        return attempts.values.compactMap { attempt in
            switch attempt.phase {
            case .waiting(let until): isFull ? nil : until
            case .dialling(let lapse): lapse
            }
        }.min()
    }

    /// Begins or ends the search. What is under way ends by itself.
    mutating func seek(_ search: StrangerSearch) {
        self.search = search
        attempts.removeAll { _, attempt in attempt.isWaiting }
    }

    /// What to dial now, of the endpoints where strangers are seen.
    mutating func due(at now: Instant, seen: [Endpoint], using generator: inout SeededGenerator)
        -> [Endpoint]
    {
        guard isSeeking else { return [] }
        for (endpoint, attempt) in attempts {
            if case .dialling(let lapse) = attempt.phase, lapse <= now {
                fail(endpoint, because: .unanswered, at: now, using: &generator)
            }
        }
        let wanted = Array(seen.prefix(Limits.sightings))
        var known = OrderedTable<Endpoint, Attempt>()
        for (endpoint, attempt) in attempts where !attempt.isWaiting { known[endpoint] = attempt }
        for endpoint in wanted where known[endpoint] == nil {
            known[endpoint] = attempts[endpoint] ?? fresh(at: now, using: &generator)
        }
        attempts = known
        var places = Self.dialsMax - dialling
        var begun: [Endpoint] = []
        let ranked = wanted.enumerated().sorted { one, other in
            (failures(at: one.element), one.offset) < (failures(at: other.element), other.offset)
        }
        for (_, endpoint) in ranked where places > 0 {
            guard case .waiting(let until)? = attempts[endpoint]?.phase, until <= now else { continue }
            attempts.update(endpoint) { $0.phase = .dialling(lapse: now + configuration.dialPatience) }
            begun.append(endpoint)
            places -= 1
        }
        return begun
    }

    /// The dial of `endpoint` brought no link. Ignored unless it is under way.
    mutating func fail(
        _ endpoint: Endpoint, because why: StrangerFailure, at now: Instant,
        using generator: inout SeededGenerator
    ) {
        guard var attempt = attempts[endpoint], !attempt.isWaiting else { return }
        attempt.backoff.most = longestWait(after: why)
        // Never at once: the least wait is half of the ceiling, or a refusal would be asked for in a burst.
        let ceiling = attempt.backoff.ceiling
        attempt.phase = .waiting(until: now + ceiling / 2 + attempt.backoff.fail(using: &generator) / 2)
        attempts[endpoint] = attempt
    }

    /// A new sighting says that somebody is there: what failed before may have been somebody else, or who was
    /// away.
    mutating func wake(_ endpoints: [Endpoint], at now: Instant) {
        for endpoint in endpoints {
            guard case .waiting(let until)? = attempts[endpoint]?.phase else { continue }
            let soon = now + configuration.freshDialGap
            attempts.update(endpoint) { $0.phase = .waiting(until: min(until, soon)) }
        }
    }

    /// Somebody is known there now.
    mutating func find(_ endpoint: Endpoint) { attempts[endpoint] = nil }

    private var dialling: Int { attempts.values.filter { !$0.isWaiting }.count }

    private func fresh(at now: Instant, using generator: inout SeededGenerator) -> Attempt {
        Attempt(
            phase: .waiting(until: now + generator.duration(from: .zero, through: Self.jitterMax)),
            backoff: Backoff(first: configuration.redialFirst, most: longestWait(after: .unanswered)))
    }

    private func longestWait(after why: StrangerFailure) -> Duration {
        switch (search, why) {
        case (.issuer, _): configuration.redialIssuerMax
        case (.members, .unanswered), (.never, .unanswered): configuration.redialOtherMax
        case (.members, .refused), (.never, .refused): configuration.redialStrangerMax
        }
    }

    private func failures(at endpoint: Endpoint) -> Int { attempts[endpoint]?.backoff.failureCount ?? 0 }
}
