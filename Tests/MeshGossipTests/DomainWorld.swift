import MeshBase
import MeshSimulator
import Testing

@testable import MeshGossip

/// Some gossip machines that trust and are linked with one another, but for those that have not met, and the
/// domains they are in by turns. Whatever any of them sends is looked at: nothing leaves for who is outside
/// its audience. Proofs of membership are true: what of them is judged, trust's own tests show.
struct DomainWorld {
    struct Place: Comparable {
        let owner: NodeID
        let audience: Audience
        static func < (left: Self, right: Self) -> Bool {
            (left.owner, left.audience) < (right.owner, right.audience)
        }
    }

    struct Side {
        let key: SimulatedKey
        var gossip: Gossip<SimulatedSuite>
        var disk = OrderedTable<Place, StoredHead>()
        var offers: [ResourceDescription] = []
        var membership: Membership?
        var records: [GossipEvent] = []
        var catalogChanges = 0
        var reach = GossipReach()
        var convictions: [NodeID] = []
        var relayed = 0
        /// What trust looks at of one teller's proofs, three signatures each.
        var checks = TokenBucket(
            burst: Limits.signatureChecksPerSecond,
            interval: .seconds(1) / Limits.signatureChecksPerSecond, at: Samples.start.instant)
    }

    enum Event {
        case message(from: Int, to: Int, ConnectionID, GossipMessage)
        case relayed(from: Int, to: Int, ConnectionID, [RelayedHead])
        case ping(from: Int, to: Int, ConnectionID, RegistrySummary)
        case signed(at: Int, Ticket, DocumentSignature)
    }

    static let domains = (1...2).map { DomainID(Samples.suite.digest([UInt8($0)])) }

    var sides: [Side]
    var chance: SeededGenerator
    var lossPerMille: UInt64 = 0
    /// From one side to another.
    var latency = Duration.milliseconds(5)
    private(set) var sent: [(from: Int, to: Int, message: GossipMessage)] = []
    private var elapsed = Duration.zero
    private var queue: [(Instant, Event)] = []
    private var links = OrderedTable<ConnectionID, (Int, Int)>()
    private var connections: UInt64 = 0

    /// Whether convictions are what a test is about; else each is a fault.
    var expectsConvictions = false
    /// What becomes of a message of this side: another, the same, or nil, nothing.
    var alters: @Sendable (_ from: Int, GossipMessage) -> GossipMessage? = { $1 }
    /// A side that tells of heads and brings none; nil: there is none.
    var silent: Int?
    /// Members that are no side here: what they signed others hold.
    var absent = OrderedTable<NodeID, SimulatedKey>()
    private let strangers: Set<[Int]>
    private let configuration: GossipConfiguration

    /// - Parameters:
    ///   - strangers: pairs that have not met, the smaller number first.
    ///   - listMost: how many heads are compared by a list.
    init(
        _ count: Int, seed: UInt64 = 1, strangers: [(Int, Int)] = [], listMost: Int = HeadPage.most
    ) {
        var configuration = GossipConfiguration()
        configuration.listMost = listMost
        self.configuration = configuration
        chance = SeededGenerator(seed: seed)
        self.strangers = Set(strangers.map { [$0.0, $0.1] })
        sides = (1...count).map { number in
            let key = SimulatedKey(UInt64(number))
            return Side(
                key: key,
                gossip: Gossip(
                    me: key.node, ownKey: key.publicKey, heads: [], configuration: configuration,
                    suite: Samples.suite, generator: SeededGenerator(seed: seed &+ UInt64(number))))
        }
        for side in sides.indices { begin(side) }
    }

    var now: Moment { Samples.start.after(elapsed) }
    func node(_ side: Int) -> NodeID { sides[side].key.node }

    /// A membership of the first domain unless told otherwise, for a day.
    func member(_ domain: Int = 0, for life: Duration = .seconds(86_400)) -> Membership {
        Membership(domain: Self.domains[domain], roles: [.member], until: now.wall + life)
    }

    /// What `side` shows of what `other` offers to the domain.
    func seen(by side: Int, of other: Int) -> [ResourceName] {
        sides[side].gossip.resourcesOfferedToDomain(by: node(other), at: now.wall)
    }

    func registry(_ side: Int, _ domain: Int = 0) -> AudienceRegistry? {
        sides[side].gossip.registries[.domain(Self.domains[domain])]
    }

    func summary(_ side: Int, with other: Int) -> RegistrySummary {
        sides[side].gossip.summary(with: node(other), at: now.wall)
    }

    // MARK: What a test does

    mutating func tell(_ side: Int, _ input: GossipInput) {
        var outbox = Outbox<GossipEffect>()
        sides[side].gossip.handle(input, at: now, into: &outbox)
        for effect in outbox.drain() { perform(effect, at: side) }
    }

    mutating func offer(_ side: Int, _ names: String...) { offer(side, names.map { Samples.resource($0) }) }

    mutating func offer(_ side: Int, _ resources: [ResourceDescription]) {
        sides[side].offers = resources.sorted { $0.name < $1.name }
        tell(side, .domainOffersChanged(sides[side].offers))
    }

    /// The credentials of `side` change, and everybody learns of it.
    mutating func join(_ side: Int, _ membership: Membership?) {
        sides[side].membership = membership
        for other in sides.indices where haveMet(side, other) {
            tell(other, .membershipChanged(node(side), membership))
        }
    }

    func haveMet(_ one: Int, _ other: Int) -> Bool {
        !strangers.contains([min(one, other), max(one, other)])
    }

    /// What two do not know of each other by meeting, each learns by the proof that travels.
    mutating func vouch(_ side: Int, to other: Int) {
        guard !haveMet(side, other), sides[side].membership?.domain == sides[other].membership?.domain else {
            return
        }
        tell(other, .memberVouched(node(side), sides[side].key.publicKey, sides[side].membership))
    }

    mutating func connectAll() {
        for one in sides.indices {
            for other in sides.indices where one < other && haveMet(one, other) { connect(one, other) }
        }
    }

    mutating func connect(_ one: Int, _ other: Int) {
        guard !links.values.contains(where: { $0 == (one, other) }) else { return }
        connections += 1
        let id = ConnectionID(connections)
        links[id] = (one, other)
        for (side, peer) in [(one, other), (other, one)] {
            tell(side, .linkAdmitted(id, Samples.terms(node(peer), dialler: node(one))))
        }
    }

    mutating func disconnect(_ side: Int) {
        for (id, ends) in links where ends.0 == side || ends.1 == side {
            links[id] = nil
            for end in [ends.0, ends.1] { tell(end, .connectionClosed(id)) }
        }
    }

    mutating func restart(_ side: Int) {
        disconnect(side)
        queue.removeAll {
            if case .signed(let at, _, _) = $0.1 { return at == side }
            return false
        }
        let key = sides[side].key
        sides[side].gossip = Gossip(
            me: key.node, ownKey: key.publicKey, heads: sides[side].disk.values,
            configuration: configuration, suite: Samples.suite, generator: chance.split())
        begin(side)
    }

    mutating func pass(_ duration: Duration) {
        let end = elapsed + duration
        while true {
            let timers = sides.indices.compactMap { side in
                sides[side].gossip.nextDeadline.map { ($0, side) }
            }
            let timer = timers.min { $0.0 < $1.0 }
            guard let next = [timer?.0, queue.first?.0].compactMap({ $0 }).min(),
                next <= Samples.start.instant + end
            else { break }
            elapsed += max(.zero, next - now.instant)
            if let (time, event) = queue.first, time <= next {
                queue.removeFirst()
                handle(event)
            } else if let (_, side) = timer {
                tell(side, .timeReached)
            }
        }
        elapsed = end
    }

    // MARK: How it goes on

    private mutating func begin(_ side: Int) {
        for other in sides.indices where other != side && haveMet(side, other) {
            tell(side, .peerTrusted(node(other), sides[other].key.publicKey))
            tell(side, .offersChanged(node(other), []))
        }
        tell(side, .domainOffersChanged(sides[side].offers))
        for other in sides.indices where haveMet(side, other) {
            tell(side, .membershipChanged(node(other), sides[other].membership))
        }
    }

    private func link(_ one: Int, _ other: Int) -> ConnectionID? {
        links.first { $0.1 == (min(one, other), max(one, other)) }?.0
    }

    private mutating func relay(_ heads: [RelayedHead], from side: Int, to peer: NodeID) {
        guard let to = sides.firstIndex(where: { $0.key.node == peer }), let id = link(side, to) else {
            return
        }
        guard side != silent else { return }
        sides[side].relayed += heads.count
        for head in heads { look(at: .head(head.push), from: side, to: to) }
        transmit(.relayed(from: side, to: to, id, heads))
    }

    private mutating func schedule(_ event: Event, after delay: Duration) {
        let time = now.instant + delay
        queue.insert((time, event), at: queue.firstIndex { $0.0 > time } ?? queue.endIndex)
    }

    private mutating func transmit(_ event: Event) {
        if case .ping = event {
            // Links live: only what they carry is lost.
        } else if chance.number(below: 1_000) < lossPerMille {
            return
        }
        schedule(event, after: latency)
    }

    private mutating func perform(_ effect: GossipEffect, at side: Int) {
        switch effect {
        case .send(let peer, let message):
            guard let to = sides.firstIndex(where: { $0.key.node == peer }),
                let (id, _) = links.first(where: { $0.1 == (min(side, to), max(side, to)) })
            else { return }
            look(at: message, from: side, to: to)
            sent.append((side, to, message))
            transmit(.message(from: side, to: to, id, message))
        case .ping(let id, let summary):
            guard let ends = links[id] else { return }
            transmit(.ping(from: side, to: ends.0 == side ? ends.1 : ends.0, id, summary))
        case .sign(let request):
            schedule(
                .signed(at: side, request.ticket, sides[side].key.sign(request)), after: .milliseconds(2))
        case .persist(.head(let stored)):
            let place = Place(owner: stored.head.body.owner, audience: stored.head.body.audience)
            if let before = sides[side].disk[place]?.head.body.position {
                #expect(before <= stored.head.body.position, "a position went back")
            }
            sides[side].disk[place] = stored
        case .persist(.headGone(let owner, let audience)):
            sides[side].disk[Place(owner: owner, audience: audience)] = nil
        case .close(let id, _), .drain(let id):
            guard let ends = links.remove(id) else { return }
            for end in [ends.0, ends.1] { tell(end, .connectionClosed(id)) }
        case .relay(let peer, let heads): relay(heads, from: side, to: peer)
        case .catalogChanged: sides[side].catalogChanges += 1
        case .reach(let reach): sides[side].reach = reach
        case .record(let event): sides[side].records.append(event)
        case .contradicted(let node, let evidence):
            sides[side].convictions.append(node)
            if !expectsConvictions { Issue.record("convicted an honest node: \(evidence)") }
            guard let of = sides.firstIndex(where: { $0.key.node == node }) else { return }
            tell(
                side,
                haveMet(side, of) ? .peerDropped(node) : .memberVouched(node, sides[of].key.publicKey, nil))
        case .linkUp, .linkDown, .linkDegraded: break
        }
    }

    /// The taint check: what is of a domain leaves only from a member of it to one, as credentials are now.
    private func look(at message: GossipMessage, from side: Int, to other: Int) {
        var audiences: [Audience] = []
        var tags: [AudienceTag] = []
        switch message {
        case .head(let push): audiences = [push.head.body.audience] + push.records.map(\.audience)
        case .records(let batch):
            audiences = batch.records.map(\.audience)
            tags = [batch.audience].compactMap { $0 }
        case .want(let request): tags = [request.audience].compactMap { $0 }
        case .list(let list):
            audiences = [list.yours?.body.audience].compactMap { $0 }
            tags = [list.audience].compactMap { $0 }
        case .places(let told): tags = [told.audience]
        case .ask(let request): tags = [request.audience]
        case .symbolsWanted(let request): tags = [request.audience]
        case .symbols, .elementsWanted: break
        case .contradiction(let shown): audiences = [shown.one.body.audience]
        }
        let (mine, theirs) = (sides[side].membership, sides[other].membership)
        let isShared =
            mine != nil && mine?.domain == theirs?.domain && mine.map { $0.until > now.wall } ?? false
            && theirs.map { $0.until > now.wall } ?? false
        let shared = isShared ? mine.map { Audience.domain($0.domain) } : nil
        for audience in audiences where audience != .pair(node(side), node(other)) {
            #expect(audience == shared, "told \(audience) to who is outside of it")
        }
        for tag in tags {
            let own = shared?.tag(between: node(side), and: node(other), using: Samples.suite)
            #expect(tag == own, "named an audience to who is outside of it")
        }
    }

    private mutating func handle(_ event: Event) {
        switch event {
        case .message(let from, let to, let id, let message):
            guard links[id] != nil, let altered = alters(from, message) else { return }
            tell(to, .messageArrived(node(from), altered))
        case .relayed(let from, let to, let id, let heads):
            guard links[id] != nil else { return }
            for head in heads {
                let owner = sides.firstIndex { $0.key.node == head.push.head.body.owner }
                if let owner, !head.isProved { vouch(owner, to: to) }
                if let key = absent[head.push.head.body.owner], !head.isProved,
                    sides[to].checks.take(3, at: now.instant)
                {
                    tell(to, .memberVouched(key.node, key.publicKey, member()))
                }
                tell(to, .relayed(head.push, by: node(from)))
            }
        case .ping(let from, let to, let id, let summary):
            guard links[id] != nil else { return }
            tell(to, .pinged(id, summary))
            tell(from, .ponged(id, roundTrip: .milliseconds(1)))
        case .signed(let side, let ticket, let signature): tell(side, .signed(ticket, signature))
        }
    }
}
