import MeshBase

/// Decides which peers may exist and where, from witnesses that disagree, and whom to dial when.
///
/// Discovery gives hints; hints never decide (protocol section 0, rules 1 and 3). A sighting becomes a dial
/// only when we know beforehand whom we will accept there: a peer that is trusted, one that the operator's
/// list or an invite names, or, while this node is in a domain or enrols in one, any member of it. What mDNS
/// shows is attributed to a peer by its tag alone (protocol section 3), so without a domain a stranger on the
/// network is never dialled. Trusted peers are redialled for ever, whether they are sighted
/// or not (section 5): silent death is invisible to mDNS and browsing backs off, so what was proven once is
/// tried first.
///
/// One candidate for each node that we look for or have a link with:
///
///                       peerTrusted, or a static or invite sighting names it
///      (stranger) ──────────────────────────────────────────────────▶ wanted: `DialPlan` runs
///           ▲                                                         │    ▲
///           │ peerDropped, and nobody names it                        │    │ peerTrusted
///           └─────────────────────────────────────────────────────────┤    │
///                                                          peerBarred ▼    │
///                                                            barred: recognised, never dialled
///
/// Its parts: `SightingBook` (what witnesses say, bounded), `ProvenEndpoints` (where links were), `TagBook`
/// (whose tag), `OwnEndpoints` (ourselves, seen through others), `DialOrder` (which endpoint first),
/// `DialPlan` and `Backoff` (when), `StrangerPlan` (strangers, while any are sought). Which trusted peers are
/// sought at all, `Overlay` decides.
///
/// Callers owe: `learnTags` before each input; `.timeReached` at `nextDeadline`; one answer to each `.dial`;
/// at start, for each trusted peer in the store, `.peerTrusted` and a `.sighted` by `.link` with where it
/// was.
public struct Discovery: Sendable, Equatable {
    enum Standing: Sendable, Equatable { case unknown, trusted, barred }

    struct Candidate: Sendable, Equatable {
        var standing: Standing
        var search = PeerSearch.sought
        var plan: DialPlan
    }

    private enum Alarm: Hashable, Comparable, Sendable {
        case sighting(SightingKey)
        case dial(NodeID)
        case strangers
    }

    /// This node itself: never a candidate.
    public let node: NodeID
    let configuration: DiscoveryConfiguration
    private(set) var book = SightingBook()
    private(set) var proven = ProvenEndpoints()
    private(set) var candidates = OrderedTable<NodeID, Candidate>()
    private var tags = TagBook()
    private(set) var own = OwnEndpoints()
    private var search: StrangerPlan
    private var alarms = Deadlines<Alarm>()
    private var generator: SeededGenerator
    private var hasChanged = false

    /// - Parameter node: this node. Its own sightings are dropped.
    public init(node: NodeID, configuration: DiscoveryConfiguration, generator: SeededGenerator) {
        self.node = node
        self.configuration = configuration
        self.generator = generator
        search = StrangerPlan(configuration)
        tags.add(node)
    }

    /// When `.timeReached` is owed; nil for never.
    public var nextDeadline: Instant? { alarms.next }

    /// Takes one input and answers with dials that begin now.
    public mutating func handle(
        _ input: DiscoveryInput, at now: Moment, into effects: inout Outbox<DiscoveryEffect>
    ) {
        let instant = now.instant
        switch input {
        case .sighted(let sighting): admit(sighting, at: instant)
        case .withdrawn(let key): withdraw(key)
        case .peerTrusted(let peer, let search):
            stand(.trusted, of: peer, at: instant)
            seek(peer, search, at: instant)
        case .peerBarred(let peer): stand(.barred, of: peer, at: instant)
        case .peerDropped(let peer): drop(peer, at: instant)
        case .linkUp(let peer, let endpoint): linkUp(peer, endpoint, at: instant, into: &effects)
        case .linkDown(let peer): linkDown(peer, at: instant)
        case .dialAnswered(let target):
            change(target.node) { candidate, _ in candidate.plan.answered(target.endpoint, at: instant) }
        case .dialFailed(let target):
            change(target.node) { $0.plan.fail(target.endpoint, at: instant, using: &$1) }
        case .provedMyself(let endpoint):
            search.find(endpoint)
            own.remember(endpoint, until: instant + configuration.ownEndpointMemory)
            proven.disprove(endpoint)
        case .strangersSought(let wanted):
            search.seek(wanted)
            hasChanged = true
        case .strangerFound(let target): find(target, at: instant)
        case .strangerFailed(let endpoint, let why):
            search.fail(endpoint, because: why, at: instant, using: &generator)
        case .timeReached: break
        }
        ring(at: instant, into: &effects)
        seekStrangers(at: instant, into: &effects)
        if hasChanged { effects.post(.sightingsChanged) }
        hasChanged = false
    }

    /// Makes the tags of this hour and its neighbours for the peers we recognise, and looks again at the
    /// strangers if there are new ones. Nothing happens while hour and peers stay the same: call it before
    /// each `handle`.
    public mutating func learnTags(at now: Moment, using suite: some SignatureSuite) {
        guard tags.learn(hour: SightingTag.hour(of: now.wall), using: suite) else { return }
        reconsiderStrangers(at: now.instant)
    }

    /// Whose tag this is, among this node and the peers that are trusted or barred; nil for anybody else's.
    public func recognise(_ tag: SightingTag) -> NodeID? { tags.recognise(tag) }

    // MARK: Sightings

    private mutating func admit(_ sighting: Sighting, at now: Instant) {
        guard sighting.key.source.utf8.count <= SightingKey.sourceLengthInBytes else { return }
        let owner = attribution(of: sighting)
        guard owner != node, !sighting.endpoints.isEmpty else { return withdraw(sighting.key) }
        let formerOwner = book.owner(of: sighting.key)
        if formerOwner != owner { withdraw(sighting.key) }
        let failed = owner.flatMap { candidates[$0]?.plan.failures.keys } ?? []
        switch book.admit(sighting, of: owner, failed: failed, at: now) {
        case .refused:
            alarms.cancel(.sighting(sighting.key))
        case .admitted(let fresh, let evicted):
            if let evicted { alarms.cancel(.sighting(evicted)) }
            if let life = sighting.life {
                alarms.set(.sighting(sighting.key), at: now + life)
            } else {
                alarms.cancel(.sighting(sighting.key))
            }
            if !fresh.isEmpty || evicted != nil { hasChanged = true }
            guard let owner else { return search.wake(fresh, at: now) }
            if candidates[owner] == nil { open(owner) }
            if !fresh.isEmpty {
                change(owner) { candidate, _ in candidate.plan.wake(toward: fresh, at: now) }
            }
        }
    }

    /// Whose a sighting is: its claim, as far as its witness may make one, else the owner of a proven
    /// endpoint. Nil for a stranger's, and for a new candidate's when there are `Limits.peers` already.
    private func attribution(of sighting: Sighting) -> NodeID? {
        switch sighting.claim {
        case .node(let claimed):
            if claimed == node || candidates[claimed] != nil { return claimed }
            return sighting.key.witness.makesExpectations && candidates.count < Limits.peers ? claimed : nil
        case .tag(let tag): return tags.recognise(tag)
        case .nobody: return sighting.endpoints.lazy.compactMap { proven.owner(of: $0) }.first
        }
    }

    private mutating func withdraw(_ key: SightingKey) {
        alarms.cancel(.sighting(key))
        let owner = book.owner(of: key)
        guard let entry = book.remove(key) else { return }
        hasChanged = true
        guard let owner else { return }
        forgetFailures(of: owner, at: entry.sighting.endpoints)
    }

    /// Strangers that turn out to be somebody we know move to them.
    private mutating func reconsiderStrangers(at now: Instant) {
        for (key, entry) in book.strangers {
            guard let owner = attribution(of: entry.sighting) else { continue }
            guard owner != node else {
                withdraw(key)
                continue
            }
            book.remove(key)
            readmit(entry, of: owner)
            change(owner) { candidate, _ in candidate.plan.wake(toward: entry.sighting.endpoints, at: now) }
        }
    }

    /// Moves an entry that was just taken out of the book; its alarm stays as it is.
    private mutating func readmit(_ entry: SightingBook.Entry, of owner: NodeID?) {
        hasChanged = true
        let failed = owner.flatMap { candidates[$0]?.plan.failures.keys } ?? []
        switch book.admit(entry.sighting, of: owner, failed: failed, at: entry.lastSeen) {
        case .refused: alarms.cancel(.sighting(entry.sighting.key))
        case .admitted(_, let evicted?): alarms.cancel(.sighting(evicted))
        case .admitted(_, nil): break
        }
    }

    // MARK: Peers and links

    private mutating func stand(_ standing: Standing, of peer: NodeID, at now: Instant) {
        guard peer != node, candidates[peer]?.standing != standing else { return }
        if candidates[peer] == nil { open(peer) }
        tags.add(peer)
        change(peer) { candidate, _ in
            candidate.standing = standing
            candidate.plan.setEagerness(standing == .trusted)
            // Whoever is trusted anew is sought once it is said so.
            candidate.search = standing == .trusted ? .leftAlone : .sought
        }
        hasChanged = true
        reconsiderStrangers(at: now)
    }

    private mutating func seek(_ peer: NodeID, _ search: PeerSearch, at now: Instant) {
        change(peer) { candidate, _ in
            guard candidate.search != search else { return }
            candidate.search = search
            if search == .sought { candidate.plan.wake(toward: [], at: now) }
        }
    }

    private mutating func drop(_ peer: NodeID, at now: Instant) {
        guard candidates[peer] != nil else { return }
        tags.remove(peer)
        proven.forget(peer)
        hasChanged = true
        let isExpected = book.isExpected(peer)
        for (key, entry) in book.sightings(of: peer)
        where !isExpected || attribution(of: entry.sighting) != peer {
            book.remove(key)
            readmit(entry, of: nil)
        }
        change(peer) { candidate, _ in
            candidate.standing = .unknown
            candidate.search = .sought
            candidate.plan.setEagerness(false)
        }
    }

    private mutating func linkUp(
        _ peer: NodeID, _ endpoint: Endpoint?, at now: Instant, into effects: inout Outbox<DiscoveryEffect>
    ) {
        guard peer != node else { return }
        if candidates[peer] == nil { open(peer) }
        var losers: [Endpoint] = []
        change(peer) { candidate, _ in losers = candidate.plan.linkUp(endpoint, at: now) }
        for loser in losers { effects.post(.giveUp(DialTarget(node: peer, endpoint: loser))) }
        hasChanged = true
        guard let endpoint else { return }
        search.find(endpoint)
        let former = proven.owner(of: endpoint)
        proven.prove(peer, at: endpoint, when: now)
        if former != peer { reconsiderStrangers(at: now) }
    }

    private mutating func find(_ target: DialTarget, at now: Instant) {
        guard target.node != node else { return }
        search.find(target.endpoint)
        if candidates[target.node] == nil { open(target.node) }
        change(target.node) { candidate, _ in candidate.plan.join(target.endpoint, at: now) }
    }

    private mutating func linkDown(_ peer: NodeID, at now: Instant) {
        change(peer) { candidate, generator in candidate.plan.linkDown(at: now, using: &generator) }
        hasChanged = true
    }

    // MARK: Candidates

    private mutating func open(_ peer: NodeID) {
        candidates[peer] = Candidate(standing: .unknown, plan: DialPlan(configuration))
        hasChanged = true
    }

    /// The one place where a candidate changes: afterwards its plan rests unless it is wanted, its alarm is
    /// right, and it is closed if nothing holds it.
    private mutating func change(_ peer: NodeID, _ action: (inout Candidate, inout SeededGenerator) -> Void) {
        guard var candidate = candidates[peer] else { return }
        action(&candidate, &generator)
        if !isWanted(peer, candidate) { candidate.plan.rest() }
        candidates[peer] = candidate
        if let deadline = candidate.plan.deadline {
            alarms.set(.dial(peer), at: deadline)
        } else {
            alarms.cancel(.dial(peer))
        }
        if candidate.standing == .unknown, candidate.plan.phase == .resting, !book.isExpected(peer) {
            close(peer)
        }
    }

    private mutating func close(_ peer: NodeID) {
        candidates[peer] = nil
        proven.forget(peer)
        hasChanged = true
        for (key, entry) in book.sightings(of: peer) {
            book.remove(key)
            readmit(entry, of: nil)
        }
    }

    private func isWanted(_ peer: NodeID, _ candidate: Candidate) -> Bool {
        switch candidate.standing {
        case .trusted: candidate.search == .sought
        case .barred: false
        case .unknown: book.isExpected(peer)
        }
    }

    private mutating func forgetFailures(of peer: NodeID, at endpoints: [Endpoint]) {
        let named = book.sightings(of: peer).values.flatMap(\.sighting.endpoints)
        change(peer) { candidate, _ in
            for endpoint in endpoints where !named.contains(endpoint) { candidate.plan.forget(endpoint) }
        }
    }

    // MARK: Time

    private mutating func ring(at now: Instant, into effects: inout Outbox<DiscoveryEffect>) {
        while let alarm = alarms.takeDue(at: now) {
            switch alarm {
            case .sighting(let key): withdraw(key)
            case .dial(let peer): dial(peer, at: now, into: &effects)
            case .strangers: break
            }
        }
    }

    /// Dials strangers that are due, and notes when to look again: nothing is done while nobody is sought.
    private mutating func seekStrangers(at now: Instant, into effects: inout Outbox<DiscoveryEffect>) {
        if search.isSeeking, hasChanged || search.deadline.map({ $0 <= now }) == true {
            for endpoint in search.due(at: now, seen: strangersSeen(at: now), using: &generator) {
                effects.post(.dialStranger(endpoint))
            }
        }
        guard let deadline = search.deadline else { return alarms.cancel(.strangers) }
        alarms.set(.strangers, at: deadline)
    }

    private mutating func dial(_ peer: NodeID, at now: Instant, into effects: inout Outbox<DiscoveryEffect>) {
        guard let candidate = candidates[peer] else { return }
        let known =
            isWanted(peer, candidate) ? dialOrder(of: peer, failures: candidate.plan.failures) : []
        let lapses = known.compactMap { own.lapse(of: $0, at: now) }
        let order = Array(known.filter { own.lapse(of: $0, at: now) == nil }.prefix(Limits.endpointsPerPeer))
        change(peer) { candidate, generator in
            let endpoint = candidate.plan.due(at: now, order: order, retry: lapses.min(), using: &generator)
            if let endpoint { effects.post(.dial(DialTarget(node: peer, endpoint: endpoint))) }
        }
    }
}
