import MeshBase

/// Keeps what witnesses say, bounded so that no witness can talk over another.
///
/// Sightings of nodes that we look for stand under their node; all others are *strangers*, hints for a person
/// or an enrolment.
/// - Of strangers, at most `Limits.sightings`. Beyond, the mDNS witness with the most pays with its stalest
///   one, unless the newcomer's own witness already has its fair share: then that one pays. What an operator
///   or a proven peer said (a vouched witness) is never evicted; beyond half of the room its newcomers are
///   refused.
/// - Of one node, at most `perWitness` from one witness and `perNode` in all. A newcomer may displace only
///   one whose endpoints have all failed: else who replays a peer's tag could displace the peer.
struct SightingBook: Sendable, Equatable {
    /// A sighting, and when it was made.
    struct Entry: Sendable, Equatable {
        let sighting: Sighting
        let firstSeen: Instant
        let lastSeen: Instant
    }

    /// What became of a sighting.
    enum Admission: Sendable, Equatable {
        /// It stands. `fresh` are endpoints that its key did not name before; `evicted` had to go for it.
        case admitted(fresh: [Endpoint], evicted: SightingKey?)
        /// There was no room for it.
        case refused
    }

    static let perWitness = Limits.endpointsPerPeer / 2
    static let perNode = Limits.endpointsPerPeer * 2

    private(set) var strangers = OrderedTable<SightingKey, Entry>()
    private var byNode = OrderedTable<NodeID, OrderedTable<SightingKey, Entry>>()
    private var owners = OrderedTable<SightingKey, NodeID>()
    private var strangerCounts = OrderedTable<Witness, Int>()

    /// The sightings of `node`, by key.
    func sightings(of node: NodeID) -> OrderedTable<SightingKey, Entry> { byNode[node] ?? OrderedTable() }

    /// All of them, strangers' first.
    var all: [Entry] { strangers.values + byNode.values.flatMap { $0.values } }

    /// Under which node `key` stands; nil for a stranger or what is not here.
    func owner(of key: SightingKey) -> NodeID? { owners[key] }

    /// Whether an operator or an invite says that `node` is to be expected somewhere.
    func isExpected(_ node: NodeID) -> Bool {
        byNode[node]?.contains { $0.0.witness.makesExpectations && $0.1.sighting.claim == .node(node) }
            ?? false
    }

    /// Takes in a sighting of `owner`, or of a stranger when nil. `failed` are endpoints of the owner that
    /// lead nowhere.
    mutating func admit(_ sighting: Sighting, of owner: NodeID?, failed: [Endpoint], at now: Instant)
        -> Admission
    {
        let former = remove(sighting.key)
        let entry = Entry(sighting: sighting, firstSeen: former?.firstSeen ?? now, lastSeen: now)
        let fresh = sighting.endpoints.filter { former?.sighting.endpoints.contains($0) != true }
        var evicted: SightingKey?
        switch room(for: sighting.key.witness, of: owner, failed: failed) {
        case .free: break
        case .none: return .refused
        case .insteadOf(let key):
            remove(key)
            evicted = key
        }
        insert(entry, of: owner)
        return .admitted(fresh: fresh, evicted: evicted)
    }

    /// Forgets a sighting; nil when it was not here.
    @discardableResult
    mutating func remove(_ key: SightingKey) -> Entry? {
        if let owner = owners.remove(key) {
            let taken = byNode.update(owner) { ($0.remove(key), $0.isEmpty) }
            if taken?.1 == true { byNode[owner] = nil }
            return taken?.0
        }
        guard let entry = strangers.remove(key) else { return nil }
        let count = (strangerCounts[key.witness] ?? 1) - 1
        strangerCounts[key.witness] = count > 0 ? count : nil
        return entry
    }

    // MARK: Room

    private enum Room {
        case free, none
        case insteadOf(SightingKey)
    }

    private func room(for witness: Witness, of owner: NodeID?, failed: [Endpoint]) -> Room {
        guard let owner else { return roomAmongStrangers(for: witness) }
        let table = sightings(of: owner)
        let ownIsFull = table.keys.filter { $0.witness == witness }.count >= Self.perWitness
        guard ownIsFull || table.count >= Self.perNode else { return .free }
        let rival = stalest(in: table) { key, entry in
            (ownIsFull ? key.witness == witness : !key.witness.isVouched)
                && entry.sighting.endpoints.allSatisfy(failed.contains)
        }
        return rival.map(Room.insteadOf) ?? .none
    }

    private func roomAmongStrangers(for witness: Witness) -> Room {
        if witness.isVouched {
            let vouched = strangerCounts.filter { $0.0.isVouched }.reduce(0) { $0 + $1.1 }
            guard vouched < Limits.sightings / 2 else { return .none }
        }
        guard strangers.count >= Limits.sightings else { return .free }
        let heard = strangerCounts.filter { !$0.0.isVouched }
        let witnessCount = heard.count + (heard.contains { $0.0 == witness } ? 0 : 1)
        let fairShare = heard.reduce(0) { $0 + $1.1 } / witnessCount
        var payer: Witness? = witness
        if witness.isVouched || strangerCounts[witness] ?? 0 < fairShare {
            payer = heard.max { $0.1 < $1.1 }?.0
        }
        return stalest(in: strangers) { key, _ in key.witness == payer }.map(Room.insteadOf) ?? .none
    }

    private func stalest(
        in table: OrderedTable<SightingKey, Entry>, where isEligible: (SightingKey, Entry) -> Bool
    ) -> SightingKey? {
        var stalest: (key: SightingKey, seen: Instant)?
        for (key, entry) in table where isEligible(key, entry) {
            if let found = stalest, found.seen <= entry.lastSeen { continue }
            stalest = (key, entry.lastSeen)
        }
        return stalest?.key
    }

    private mutating func insert(_ entry: Entry, of owner: NodeID?) {
        let key = entry.sighting.key
        guard let owner else {
            strangers[key] = entry
            strangerCounts[key.witness] = (strangerCounts[key.witness] ?? 0) + 1
            return
        }
        owners[key] = owner
        if byNode.update(owner, { $0[key] = entry }) == nil {
            var table = OrderedTable<SightingKey, Entry>()
            table[key] = entry
            byNode[owner] = table
        }
    }
}
