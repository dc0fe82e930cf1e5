import MeshBase

/// What one witness showed last, for witnesses that answer with all they know at once (Consul, a DNS domain):
/// turns whole answers into what changed.
///
///     answer ──take──▶ new or other: sighted · gone: withdrawn · the rest: sighted again now and then
///
/// What stands is told again when a third of its life has gone, so that an unchanged answer costs nothing and
/// yet keeps it alive. While there is no answer nothing is withdrawn: each sighting ends with its own life,
/// whatever becomes of the witness. At most `Limits.sightings` are kept; those that stand already come first,
/// so that who floods a witness cannot hide what it showed before.
public struct SightingCache: Sendable, Equatable {
    /// What to tell.
    public enum Change: Sendable, Equatable {
        case sighted(Sighting)
        case withdrawn(SightingKey)
    }

    private struct Entry: Sendable, Equatable {
        let sighting: Sighting
        let told: Instant
    }

    private var entries = OrderedTable<SightingKey, Entry>()
    /// Of the last answer, how many found no room.
    public private(set) var overflowCount = 0

    public init() {}

    /// How many stand.
    public var count: Int { entries.count }

    /// Takes a whole answer: what is not in it is there no more. Of two sightings with one key the first
    /// counts.
    public mutating func take(_ shown: some Sequence<Sighting>, at now: Instant) -> [Change] {
        var answer = OrderedTable<SightingKey, Sighting>()
        // By rising key, so that a long answer is put in order once and not at each insertion.
        let rising = shown.enumerated().sorted {
            ($0.element.key, $0.offset) < ($1.element.key, $1.offset)
        }
        for (_, sighting) in rising where answer[sighting.key] == nil { answer[sighting.key] = sighting }
        var changes = entries.keys.filter { answer[$0] == nil }.map { Change.withdrawn($0) }
        for case .withdrawn(let key) in changes { entries[key] = nil }
        overflowCount = 0
        for sighting in answer.values {
            let former = entries[sighting.key]
            guard former != nil || entries.count < Limits.sightings else {
                overflowCount += 1
                continue
            }
            if let former, former.sighting == sighting, now - former.told < sighting.freshness { continue }
            entries[sighting.key] = Entry(sighting: sighting, told: now)
            changes.append(.sighted(sighting))
        }
        return changes
    }
}

extension Sighting {
    /// For how long it need not be told again.
    fileprivate var freshness: Duration { (life ?? .seconds(3_600)) / 3 }
}
