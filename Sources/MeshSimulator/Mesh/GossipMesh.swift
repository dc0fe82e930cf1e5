import MeshBase
import MeshDiscovery
import MeshGossip
import MeshNode

/// How long a document is as it travels.
public protocol DocumentScale: Sendable {
    /// Bytes of its frame, header and all.
    func bytes(of document: LinkDocument) -> Int
}

/// Many members of one domain who do nothing but gossip: the very `Overlay` and `Gossip` that ship, without
/// the rest of a node, so that hundreds of them fit a process. It counts what they say, and how a change
/// spreads.
///
/// What is not so in life: handshakes succeed at once, and each counts as `handshakeBytes`; every link has
/// one latency; at one site gossip takes who has no link for one that was not met, so that only who was
/// linked shares a pair's audience. All know from the beginning what all at their site have told, as members
/// who have been together for a while do, and began to tell it at different times; who else is a member, they
/// know by its proof.
public struct GossipMesh<Suite: SignatureSuite, Scale: DocumentScale>: Sendable {
    /// What crosses a link.
    enum Cargo: Sendable {
        case message(GossipMessage)
        case relay([RelayedHead])
        case ping(RegistrySummary)
        case pong
        case need(LinkNeed)
    }

    enum Event: Sendable {
        case wake(Int)
        case arrival(to: Int, from: Int, ConnectionID, Cargo)
        case signed(Int, Ticket, DocumentSignature)
        case dialled(Int, Int)
    }

    struct Member: Sendable {
        let key: SimulatedKey
        var gossip: Gossip<Suite>
        var overlay: Overlay
        var alarm: Instant?
        var links = OrderedTable<NodeID, ConnectionID>()
        var bytesOut = 0
        var bytesIn = 0
    }

    /// Sent by either side of a handshake, for the sum: its documents, certificates and all.
    static var handshakeBytes: Int { 4_096 }
    /// A ping's or a pong's frame: header, token, and the forty bytes of a ping.
    static var pingBytes: Int { 58 }

    /// How a change spreads.
    public struct Spread: Sendable, Equatable {
        /// How many members hold it, its owner among them.
        public internal(set) var holders = 1
        /// By how many of the others the last had it from the first.
        public internal(set) var hops = 0
        /// Messages that named it: news, questions and heads, all that were sent.
        public internal(set) var messages = 0
        /// Bytes of these.
        public internal(set) var bytes = 0
        /// From the change until the last had it.
        public internal(set) var took = Duration.zero
    }

    /// What was said in a while.
    public struct Talk: Sendable, Equatable {
        /// Bytes a second in and out together of an average member.
        public let average: Int
        /// Of the one with the most.
        public let most: Int
        /// Links of an average member.
        public let links: Int
        /// Of the one with the most.
        public let linksMost: Int
    }

    /// Who has met whom, and so may be linked.
    public enum Sites: Sendable, Equatable {
        /// All are at one site.
        case one
        /// Two sites, of every other member by node ID; one pair alone has met across, and is not near in
        /// either's ring.
        case two
    }

    let suite: Suite
    let scale: Scale
    let domain: DomainID
    let sites: Sites
    let distance: LinkDistance
    var members: [Member] = []
    var places: [NodeID: Int] = [:]
    var ends: [ConnectionID: (Int, Int)] = [:]
    var queue = EventQueue<Event>()
    var time = Instant.zero + Duration.seconds(7_200)
    var connections: UInt64 = 0
    var chance: SeededGenerator
    var bringer = 0
    /// All bytes that were sent since the last `talk` began, by what they are.
    public internal(set) var kinds = OrderedTable<String, Int>()
    var watched: (owner: Int, since: Instant, hops: [Int: Int])?
    /// Of the change that is watched.
    public internal(set) var spread = Spread()

    /// - Parameters:
    ///   - count: members, at least two.
    ///   - distance: how often links are pinged.
    public init(
        _ count: Int, seed: UInt64, _ distance: LinkDistance, suite: Suite, scale: Scale,
        overlay: OverlayConfiguration = OverlayConfiguration(), sites: Sites = .one
    ) {
        self.sites = sites
        self.suite = suite
        self.scale = scale
        self.distance = distance
        chance = SeededGenerator(seed: seed)
        domain = DomainID(suite.digest([1]))
        let keys = (1...count).map { SimulatedKey(UInt64($0)) }.sorted { $0.node < $1.node }
        let heads = keys.enumerated().map {
            Self.head(of: $1, $0, among: keys, domain, chance.split(), suite)
        }
        for (place, key) in keys.enumerated() {
            places[key.node] = place
            let near = heads.indices.filter { sites == .one || ($0 - place).isMultiple(of: 2) }
            members.append(
                Member(
                    key: key,
                    gossip: Gossip(
                        me: key.node, ownKey: key.publicKey, heads: near.map { heads[$0] }, suite: suite,
                        generator: SeededGenerator(seed: seed ^ UInt64(place))),
                    overlay: Overlay(
                        node: key.node, configuration: overlay, generator: chance.split())))
        }
        for place in members.indices { begin(place) }
    }

    var now: Moment { Moment(instant: time, wall: Self.wall(time)) }

    static func wall(_ time: Instant) -> WallTime {
        WallTime(milliseconds: 1_800_000_000_000) + (time - .zero)
    }

    var membership: Membership {
        Membership(domain: domain, roles: [.member], until: Self.wall(.zero) + .seconds(7 * 86_400))
    }

    // MARK: What one asks of it

    /// Goes on for so long.
    public mutating func pass(_ duration: Duration) {
        let end = time + duration
        while let next = queue.next, next <= end, let event = queue.pop() {
            time = next
            handle(event)
        }
        time = end
    }

    /// What is said in so long.
    public mutating func talk(for duration: Duration) -> Talk {
        kinds = OrderedTable()
        for place in members.indices { (members[place].bytesIn, members[place].bytesOut) = (0, 0) }
        pass(duration)
        let seconds = max(Int(duration.wholeMilliseconds / 1_000), 1)
        let bytes = members.map { $0.bytesIn + $0.bytesOut }
        let links = members.map(\.links.count)
        return Talk(
            average: bytes.reduce(0, +) / members.count / seconds, most: (bytes.max() ?? 0) / seconds,
            links: links.reduce(0, +) / members.count, linksMost: links.max() ?? 0)
    }

    /// A member offers something else from now on, and what follows is watched.
    public mutating func change(_ place: Int) {
        watched = (place, time, [place: 0])
        spread = Spread()
        tell(place, .domainOffersChanged(Self.offers(place, version: 2)))
    }

    // MARK: How it goes on

    mutating func handle(_ event: Event) {
        switch event {
        case .wake(let place):
            guard members[place].alarm.map({ $0 <= time }) ?? false else { return }
            members[place].alarm = nil
            order(place, .timeReached)
            tell(place, .timeReached)
        case .signed(let place, let ticket, let signature): tell(place, .signed(ticket, signature))
        case .dialled(let one, let other): connect(one, other)
        case .arrival(let place, let from, let connection, let cargo):
            guard ends[connection] != nil else { return }
            arrive(cargo, at: place, from: from, connection)
        }
    }

    mutating func arrive(_ cargo: Cargo, at place: Int, from: Int, _ connection: ConnectionID) {
        bringer = from
        switch cargo {
        case .ping(let summary):
            send(.pong, Self.pingBytes, from: place, over: connection)
            tell(place, .pinged(connection, summary))
        case .pong: tell(place, .ponged(connection, roundTrip: .milliseconds(10)))
        case .message(let message):
            tell(place, .heard(connection))
            tell(place, .messageArrived(members[from].key.node, message))
        case .relay(let heads):
            tell(place, .heard(connection))
            for head in heads { tell(place, .relayed(head.push, by: members[from].key.node)) }
        case .need(let need): order(place, .told(members[from].key.node, need))
        }
    }

    mutating func tell(_ place: Int, _ input: GossipInput) {
        var outbox = Outbox<GossipEffect>()
        members[place].gossip.handle(input, at: now, into: &outbox)
        for effect in outbox.drain() { perform(effect, at: place) }
        setAlarm(place)
    }

    mutating func order(_ place: Int, _ input: OverlayInput) {
        var outbox = Outbox<OverlayEffect>()
        members[place].overlay.handle(input, at: time, into: &outbox)
        for effect in outbox.drain() {
            switch effect {
            case .seek(let peer):
                guard let other = places[peer], members[place].links[peer] == nil else { continue }
                queue.push(
                    .dialled(place, other), at: time + chance.duration(from: .zero, through: .seconds(1)))
            case .tell(let peer, let need):
                guard let connection = members[place].links[peer] else { continue }
                let bytes = scale.bytes(of: .need(NeedNotice(need: need)))
                send(.need(need), bytes, from: place, over: connection)
            case .drain(let peer): tell(place, .linkAtRest(peer))
            case .leave, .stop, .resume, .settled: break
            }
        }
        setAlarm(place)
    }

    mutating func setAlarm(_ place: Int) {
        let deadlines = [members[place].gossip.nextDeadline, members[place].overlay.nextDeadline]
        guard let due = deadlines.compactMap({ $0 }).min(), due != .never,
            members[place].alarm.map({ due < $0 }) ?? true
        else { return }
        members[place].alarm = max(due, time)
        queue.push(.wake(place), at: max(due, time))
    }

    mutating func connect(_ one: Int, _ other: Int) {
        let (here, there) = (members[one].key, members[other].key)
        guard members[one].links[there.node] == nil, haveMet(one, other) else { return }
        connections += 1
        let connection = ConnectionID(connections)
        ends[connection] = (one, other)
        for (place, far) in [(one, there), (other, here)] {
            members[place].bytesOut += Self.handshakeBytes
            members[place].bytesIn += Self.handshakeBytes
            members[place].links[far.node] = connection
            tell(place, .peerTrusted(far.node, far.publicKey))
            tell(place, .membershipChanged(far.node, membership))
            tell(place, .offersChanged(far.node, []))
        }
        for (place, far) in [(one, there), (other, here)] {
            let terms = LinkTerms(
                node: far.node, dialler: here.node, boot: BootID(number: 1, random: 1), skew: .zero,
                certificateExpires: membership.until, remote: Endpoint(host: "192.0.2.1", port: 7410),
                distance: distance)
            tell(place, .linkAdmitted(connection, terms))
        }
    }

    mutating func disconnect(_ connection: ConnectionID) {
        guard let (one, other) = ends.removeValue(forKey: connection) else { return }
        for (place, far) in [(one, other), (other, one)] {
            members[place].links[members[far].key.node] = nil
            tell(place, .connectionClosed(connection))
        }
    }

    mutating func send(_ cargo: Cargo, _ bytes: Int, from place: Int, over connection: ConnectionID) {
        guard let (one, other) = ends[connection] else { return }
        let to = one == place ? other : one
        kinds[Self.name(of: cargo)] = (kinds[Self.name(of: cargo)] ?? 0) + bytes
        members[place].bytesOut += bytes
        members[to].bytesIn += bytes
        let due = time + .milliseconds(5)
        queue.push(.arrival(to: to, from: place, connection, cargo), at: due)
    }

    static func name(of cargo: Cargo) -> String {
        switch cargo {
        case .ping, .pong: "pings"
        case .need: "needs"
        case .relay: "heads of others"
        case .message(.head): "heads"
        case .message(.list(let list)): list.audience == nil ? "lists of pairs" : "lists of the domain"
        case .message(.places): "places"
        case .message(.ask): "questions"
        case .message(.symbolsWanted), .message(.symbols), .message(.elementsWanted): "symbols"
        case .message(.want), .message(.records), .message(.contradiction): "others"
        }
    }

    mutating func perform(_ effect: GossipEffect, at place: Int) {
        switch effect {
        case .ping(let connection, let summary):
            send(.ping(summary), Self.pingBytes, from: place, over: connection)
        case .send(let peer, let message):
            guard let connection = members[place].links[peer] else { return }
            let bytes = scale.bytes(of: .gossip(message))
            note(message, bytes)
            send(.message(message), bytes, from: place, over: connection)
        case .relay(let peer, let heads):
            guard let connection = members[place].links[peer] else { return }
            let passed = heads.map { Relay.Passed(push: $0.push, proof: nil) }
            let bytes = scale.bytes(of: .relay(Relay(heads: passed)))
            if heads.contains(where: { isWatched($0.push.head.body.owner) }) { note(bytes) }
            send(.relay(heads), bytes, from: place, over: connection)
        case .sign(let request):
            let signature = members[place].key.sign(request)
            queue.push(.signed(place, request.ticket, signature), at: time + .milliseconds(1))
        case .persist(.head(let stored)): hold(stored, at: place)
        case .close(let connection, _), .drain(let connection): disconnect(connection)
        case .linkUp(let peer, _, _): order(place, .linkUp(peer))
        case .linkDown(let peer, _): order(place, .linkDown(peer))
        case .contradicted(let peer, let evidence): preconditionFailure("\(peer) is convicted: \(evidence)")
        case .reach(let reach):
            order(place, .reach(unheard: reach.unheard, bridges: reach.bridges))
        case .persist(.headGone), .linkDegraded, .catalogChanged, .record: break
        }
    }
}
