import MeshBase

/// Whether strangers are dialled, while this node looks for members of its domain or for who enrols it.
public enum StrangerSearch: Sendable, Equatable {
    /// Not at all: nobody would be accepted.
    case never
    /// From now on, whatever was tried before: the reason is a new one.
    case anew
}

/// When strangers are dialled, and where: endpoints of which nobody knows whose they are.
///
///     seen ──a short jitter──> waiting ──due, and a place free──> dialling ──failed──> waiting, longer
///       a sighting that is gone, or turns out to be somebody's, takes its endpoint with it
///
/// Bounded: `dialsMax` at once, `Limits.sightings` endpoints, and each endpoint ever more seldom, for most
/// strangers on a shared network are none of ours. What failed least goes first, then what callers name
/// first, so that an old flood keeps no newcomer waiting. Callers owe: `fail` once for each dial that brought
/// no link.
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
    private(set) var isSeeking = false
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
        isSeeking = search == .anew
        attempts.removeAll { _, attempt in attempt.isWaiting }
    }

    /// What to dial now, of the endpoints where strangers are seen.
    mutating func due(at now: Instant, seen: [Endpoint], using generator: inout SeededGenerator)
        -> [Endpoint]
    {
        guard isSeeking else { return [] }
        for (endpoint, attempt) in attempts {
            if case .dialling(let lapse) = attempt.phase, lapse <= now {
                fail(endpoint, at: now, using: &generator)
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
    mutating func fail(_ endpoint: Endpoint, at now: Instant, using generator: inout SeededGenerator) {
        guard var attempt = attempts[endpoint], !attempt.isWaiting else { return }
        // Never at once: the least wait is half of the ceiling, or a refusal would be asked for in a burst.
        let ceiling = attempt.backoff.ceiling
        attempt.phase = .waiting(until: now + ceiling / 2 + attempt.backoff.fail(using: &generator) / 2)
        attempts[endpoint] = attempt
    }

    /// Somebody is known there now.
    mutating func find(_ endpoint: Endpoint) { attempts[endpoint] = nil }

    private var dialling: Int { attempts.values.filter { !$0.isWaiting }.count }

    private func fresh(at now: Instant, using generator: inout SeededGenerator) -> Attempt {
        Attempt(
            phase: .waiting(until: now + generator.duration(from: .zero, through: Self.jitterMax)),
            backoff: Backoff(first: configuration.redialFirst, most: configuration.redialStrangerMax))
    }

    private func failures(at endpoint: Endpoint) -> Int { attempts[endpoint]?.backoff.failureCount ?? 0 }
}
