import MeshBase

/// Answers of peers that may be given again: those whose provider said so, for as long as it said.
///
///     (nothing) ──keep──> fresh ──its time──> stale ──as long again, at most `Limits.keptStale`──> (nothing)
///                           └──kept anew, its agreement over, written there, no room──> (nothing)
///
/// An answer belongs to the agreement under which it came and to the principal that asked: to no other is it
/// ever given. Whoever looks has decided before that the call is permitted; here nothing is decided. Where
/// anything is written to a resource from this node, all that is kept of it is over, and so is what was asked
/// before that and comes later (RFC 9111 section 4.4).
///
/// Bounds: `Limits.keptAnswers` and `Limits.keptBytes` in all, of one agreement an eighth of each; what was
/// not used since it was last passed by goes first (the CLOCK of Corbató, "A paging experiment with the
/// Multics system", 1968).
public struct ResponseCache: Sendable, Equatable {
    /// What makes two requests the same.
    public struct Key: Hashable, Sendable {
        let node: NodeID
        let principal: Principal
        let purpose: Purpose?
        let resource: ResourceName
        let capability: ResourceName
        let method: String
        let path: String
        let query: String?
        let negotiated: [HeaderField]

        /// - Parameter headers: the request's, in lower case.
        public init(
            node: NodeID, principal: Principal, purpose: Purpose?, resource: ResourceName,
            capability: ResourceName, method: String, path: String, query: String?, headers: [HeaderField]
        ) {
            self.node = node
            self.principal = principal
            self.purpose = purpose
            self.resource = resource
            self.capability = capability
            self.method = method
            self.path = path
            self.query = query
            negotiated = KeepRules.negotiating(headers)
        }

        var length: Int { path.utf8.count + (query?.utf8.count ?? 0) + HeaderFilter.length(of: negotiated) }
    }

    /// One kept answer.
    public struct Kept: Sendable, Equatable {
        /// HTTP status.
        public let status: UInt16
        /// Those that may pass.
        public let headers: [HeaderField]
        /// All of its body.
        public let body: Octets
        /// Of the body, where the audit has it.
        public let digest: Digest?
        /// The call that brought it: where its trail begins.
        public let fetchedBy: CorrelationID
        /// When it was asked for: no later did its resource look.
        public let asked: Moment

        public init(
            status: UInt16, headers: [HeaderField], body: Octets, digest: Digest?,
            fetchedBy: CorrelationID, asked: Moment
        ) {
            self.status = status
            self.headers = headers
            self.body = body
            self.digest = digest
            self.fetchedBy = fetchedBy
            self.asked = asked
        }
    }

    /// How an answer was come by.
    public enum Result: String, Sendable, CaseIterable {
        /// Kept, and within its time.
        case hit
        /// Kept, and its time is over, but nobody could be asked.
        case stale
        /// Asked for, and may be kept.
        case miss
    }

    private struct Entry: Sendable, Equatable {
        let kept: Kept
        let names: [String]
        let values: [[String]]
        /// How long it is fresh since it was asked for, and how long it may be given at all.
        let fresh: Duration
        let life: Duration
        let bytes: Int
        let serial: UInt64
        var wasUsed = false

        /// How old it is, by whichever clock says more: the one that never leaps stands while the machine
        /// sleeps. Nil where the other one was put back behind the asking, so that neither can be trusted.
        func age(at now: Moment) -> Duration? {
            let byWall = now.wall - kept.asked.wall
            guard byWall >= .seconds(-1) else { return nil }
            return max(now.instant - kept.asked.instant, byWall)
        }
    }

    private struct Place: Sendable, Equatable {
        let key: Key
        let serial: UInt64
    }

    /// What is kept under one agreement.
    private struct Shelf: Sendable, Equatable {
        var entries: [Key: Entry] = [:]
        /// In the order in which they came or were passed by; places of entries that are gone among them.
        var order: [Place] = []
        var first = 0
        var bytes = 0

        /// Leaves out places that name nothing, once they are more than those that do.
        mutating func tidy() {
            guard order.count > 2 * entries.count + 64 || first > entries.count + 64 else { return }
            order = order[first...].filter { entries[$0.key]?.serial == $0.serial }
            first = 0
        }
    }

    private var shelves = OrderedTable<Digest, Shelf>()
    /// When something was last written to a resource, at whichever of its providers.
    private var written: [ResourceName: Instant] = [:]
    /// What was asked for by then is not kept: since then it is known what was written.
    private var cleared: Instant?
    private var serial: UInt64 = 0
    /// How many answers are kept, those among them that are over.
    public private(set) var count = 0
    /// Their bytes, with what they are found by.
    public private(set) var bytes = 0
    private var results: [Result: UInt64] = [:]

    public init() {}

    /// Whether nothing is kept.
    public var isEmpty: Bool { count == 0 }

    /// Places in the order of leaving, for a test of their bound.
    var placesHeld: Int { shelves.values.reduce(0) { $0 + $1.order.count } }

    /// The agreements under which something is kept.
    public var agreements: [Digest] { shelves.keys }

    /// The kept answer to a request that is permitted under `agreement`; nil where there is none. Stale is
    /// what is over and may be given where nobody can be asked.
    /// - Parameter headers: the request's.
    public func find(
        _ key: Key, under agreement: Digest, headers: [HeaderField], at now: Moment
    ) -> (kept: Kept, result: Result)? {
        guard let entry = shelves[agreement]?.entries[key], let age = entry.age(at: now), age < entry.life,
            !isOutdated(entry.kept, key),
            entry.names.isEmpty || entry.values == KeepRules.values(of: entry.names, in: headers)
        else { return nil }
        return (entry.kept, age < entry.fresh ? .hit : .stale)
    }

    /// How often it came about since the start.
    public func times(_ result: Result) -> UInt64 { results[result] ?? 0 }

    /// One came about: it counts, and what was given again stays longer.
    public mutating func note(_ result: Result, _ key: Key? = nil, under agreement: Digest? = nil) {
        results[result, default: 0] += 1
        guard let key, let agreement else { return }
        shelves.update(agreement) { shelf in
            guard let index = shelf.entries.index(forKey: key) else { return }
            shelf.entries.values[index].wasUsed = true
        }
    }

    /// Keeps an answer as long since it was asked for as its provider gave leave. Not where something was
    /// written there since, where its `Vary` names too much, or where it is too long.
    /// - Parameter headers: the request's.
    public mutating func keep(
        _ kept: Kept, for leave: KeepRules.Leave, as key: Key, under agreement: Digest,
        headers: [HeaderField], at now: Instant
    ) {
        guard kept.asked.instant + leave.time > now, kept.body.bytes.count <= Limits.keptBody,
            let names = KeepRules.names(variedBy: kept.headers),
            !isOutdated(kept, key)
        else { return }
        let values = KeepRules.values(of: names, in: headers)
        let bytes =
            Self.overhead + key.length + HeaderFilter.length(of: kept.headers) + kept.body.bytes.count
            + values.joined().reduce(0) { $0 + $1.utf8.count }
        guard bytes <= Limits.keptBytes / Self.shares else { return }
        serial += 1
        let entry = Entry(
            kept: kept, names: names, values: values, fresh: leave.time,
            life: leave.time + (leave.mayBeStale ? min(leave.time, Limits.keptStale) : .zero), bytes: bytes,
            serial: serial)
        if shelves[agreement] == nil { shelves[agreement] = Shelf() }
        remove(key, under: agreement)
        makeRoom(for: bytes, under: agreement)
        shelves.update(agreement) { shelf in
            shelf.entries[key] = entry
            shelf.tidy()
            shelf.order.append(Place(key: key, serial: entry.serial))
            shelf.bytes += bytes
        }
        count += 1
        self.bytes += bytes
    }

    /// Something was, or may have been, written to `resource`, at this node or another: its providers may
    /// share what lies behind them.
    public mutating func wrote(to resource: ResourceName, at now: Instant) {
        if written.count >= Self.writtenMax, written[resource] == nil {
            (written, cleared) = ([:], now)
            shelves = OrderedTable()
            (count, bytes) = (0, 0)
        }
        written[resource] = now
    }

    /// Forgets what is kept under agreements for which this holds.
    public mutating func forget(where isOver: (Digest) -> Bool) {
        for agreement in shelves.keys where isOver(agreement) {
            guard let shelf = shelves.remove(agreement) else { continue }
            count -= shelf.entries.count
            bytes -= shelf.bytes
        }
    }

    /// Forgets what can be given no more.
    public mutating func forget(before now: Moment) {
        for agreement in shelves.keys {
            let over =
                shelves[agreement]?.entries
                .filter { _, entry in entry.age(at: now).map { $0 >= entry.life } ?? true }.map(\.key) ?? []
            for key in over { remove(key, under: agreement) }
            if shelves[agreement]?.entries.isEmpty == true { shelves[agreement] = nil }
        }
    }

    /// Shares of all room: one agreement has one of them.
    static let shares = 8
    private static let overhead = 512
    private static let writtenMax = 4_096

    /// Whether something was written there since it was asked for.
    private func isOutdated(_ kept: Kept, _ key: Key) -> Bool {
        (written[key.resource] ?? cleared).map { kept.asked.instant <= $0 } ?? false
    }

    private mutating func makeRoom(for bytes: Int, under agreement: Digest) {
        while isFull(agreement, for: bytes) { evictOne(under: agreement) }
        while count >= Limits.keptAnswers || self.bytes + bytes > Limits.keptBytes {
            // The fullest gives first.
            var fullest: (agreement: Digest, bytes: Int)?
            for (agreement, shelf) in shelves where shelf.bytes > fullest?.bytes ?? 0 {
                fullest = (agreement, shelf.bytes)
            }
            guard let fullest else { return }
            evictOne(under: fullest.agreement)
        }
    }

    private func isFull(_ agreement: Digest, for bytes: Int) -> Bool {
        guard let shelf = shelves[agreement] else { return false }
        return shelf.bytes + bytes > Limits.keptBytes / Self.shares
            || shelf.entries.count >= Limits.keptAnswers / Self.shares
    }

    /// The first that was not used since it was last passed by.
    private mutating func evictOne(under agreement: Digest) {
        while true {
            let found: Key? =
                shelves.update(agreement) { shelf -> Key? in
                    while shelf.first < shelf.order.count {
                        let place = shelf.order[shelf.first]
                        shelf.first += 1
                        guard let index = shelf.entries.index(forKey: place.key),
                            shelf.entries.values[index].serial == place.serial
                        else { continue }
                        guard shelf.entries.values[index].wasUsed else { return place.key }
                        shelf.entries.values[index].wasUsed = false
                        shelf.order.append(place)
                    }
                    return nil
                } ?? nil
            guard let key = found else { return }
            return remove(key, under: agreement)
        }
    }

    private mutating func remove(_ key: Key, under agreement: Digest) {
        let gone: Int? =
            shelves.update(agreement) { shelf -> Int? in
                guard let entry = shelf.entries.removeValue(forKey: key) else { return nil }
                shelf.bytes -= entry.bytes
                return entry.bytes
            } ?? nil
        guard let gone else { return }
        count -= 1
        bytes -= gone
    }
}
