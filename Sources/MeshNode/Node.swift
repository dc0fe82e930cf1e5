import MeshAgreements
import MeshAudit
import MeshBase
import MeshDiscovery
import MeshGossip
import MeshRouting
import MeshTrust

/// All that a node decides outside of calls: it composes the protocols, and is the only place where one's
/// effect becomes another's input.
///
///     sightings ──> Discovery ──dial──> (world) ──secured──> Trust ──admitted──> Gossip ──link up──┐
///     operator  ──> Trust, Agreements, resources, routes              catalog │                    ▼
///                                                                             └──> CallView <── Agreements
///                                                                                  (published)
///
/// Each machine's effects are performed at once and in order, one machine's turn inside the other's, so the
/// order of `effects` is the order in which the decisions were made. The `CallView` is made at most once an
/// input, at its end.
///
/// Callers owe it: `start` once; every effect performed in order, `.persist` durable before what follows;
/// every `.sign`, `.dial` and `.lookUp` answered; `.timeReached` no earlier than `nextDeadline`. Dialled
/// connections have even numbers, given here; accepted ones have odd numbers, given by the shell.
public struct Node<Suite: SignatureSuite>: Sendable {
    /// This node; as `trust` has it.
    public var me: OwnIdentity { trust.me }
    /// Who is trusted, and every handshake under way.
    public internal(set) var trust: Trust<Suite>
    /// Who may exist and where.
    public internal(set) var discovery: Discovery
    /// Whom links are kept with.
    public internal(set) var overlay: Overlay
    /// Who is reached through whom.
    var circuits: CircuitPlan
    /// What was offered and agreed.
    public internal(set) var agreements: AgreementBook
    /// What holds for whole domains, this node's among them.
    public internal(set) var domainAgreements: DomainAgreementBook<CredentialChain>
    /// Links, and what their ends know of one another's resources.
    public internal(set) var gossip: Gossip<Suite>
    /// Persons whose statements in the store this node did not sign, by the name under which they are
    /// kept: found at start, believed never, until the name is vouched for anew.
    public internal(set) var damagedPeople = OrderedTable<NodeName, DamagedPerson>()
    /// What the audit had no room for as yet: at start nobody has measured any.
    var noticesUntold: [AgreementNotice] = []
    var isRoomKnown = false
    /// What this node provides, `echo` among it.
    public internal(set) var resources = OrderedTable<ResourceName, LocalResource>()
    /// Which of these it offers to its domain, whether or not it is in one.
    public internal(set) var offeredToDomain = OrderedTable<ResourceName, DomainOffer>()
    /// What the operator said about calls to a resource; nothing where that is nothing.
    public internal(set) var routes = OrderedTable<ResourceName, RouteRule>()

    var drifts = DriftWatch()
    /// What marks say of the agreements with a peer; nothing where that may have changed since.
    var openAgreements = OrderedTable<NodeID, OpenAgreements>()
    let suite: Suite
    let configuration: NodeConfiguration
    var generator: SeededGenerator
    var connections = OrderedTable<ConnectionID, Connection>()
    var distances = OrderedTable<ConnectionID, LinkDistance>()
    var signatures = OrderedTable<Ticket, Signer>()
    var listening: ListeningNotice?
    /// When this node repeats the handshake on the links that it dialled (protocol section 2).
    var repeats = Deadlines<ConnectionID>()
    /// Where peers are remembered, newest last, at most `Limits.endpointsPerPeer` each.
    var endpoints = OrderedTable<NodeID, [Endpoint]>()
    var traces = OrderedTable<Ticket, AwaitedTrace>()
    /// What operators ordered, while a link is opened for it.
    var linkErrands = OrderedTable<Ticket, LinkErrand>()
    /// How many of a peer's questions the audit has not answered yet.
    var lookUps = OrderedTable<NodeID, Int>()
    var reach = ReachBook()
    var encryption: EncryptionTerm
    var audit: AuditLog
    let words: EventWriter
    var isViewStale = true
    private var ticketsIssued: UInt64 = 0
    private var connectionsDialled: UInt64 = 0

    /// What a connection is, to the node.
    enum Connection: Equatable, Sendable {
        /// Dialled for a peer; discovery waits for the end of the dial.
        case dialled(DialTarget)
        /// Dialled for a peer, who proved itself: discovery knows, and its end is no failed dial.
        case proved(DialTarget)
        /// Dialled for a peer, through another one.
        case carried(CircuitPlan.Dial)
        /// Dialled for a peer whose link came by another dial: what still arrives on it counts for nothing.
        case givenUp(DialTarget)
        /// Dialled for a pairing, at this endpoint.
        case pairing(DialIntent, Endpoint)
        /// Dialled to see whether this peer answers there.
        case probe(NodeID)
        /// Dialled without knowing who is there, and whom to accept there.
        case seeking(Endpoint, DialIntent)
        /// Accepted.
        case accepted

        /// Where it was dialled; nil when it was accepted.
        var endpoint: Endpoint? {
            switch self {
            case .dialled(let target), .proved(let target): target.endpoint
            case .pairing(_, let endpoint), .seeking(let endpoint, _): endpoint
            case .carried, .givenUp, .probe, .accepted: nil
            }
        }
    }

    /// Whose signature is awaited, and under which ticket of its own.
    enum Signer: Equatable, Sendable {
        case trust(Ticket)
        case gossip(Ticket)
        case agreements(Ticket)
        case domainAgreements(Ticket)
    }

    /// A question to a peer that is not answered yet.
    struct AwaitedTrace: Equatable, Sendable {
        let peer: NodeID
        let deadline: Instant
    }

    /// - Parameter generator: for jitter and identifiers; this node's own.
    public init(
        me: OwnIdentity, restored: RestoredNode, configuration: NodeConfiguration, suite: Suite,
        generator: SeededGenerator
    ) {
        self.suite = suite
        self.configuration = configuration
        var generator = generator
        trust = Trust(
            me: me,
            pins: PinBook(peers: restored.peers, revokedPins: restored.revokedPins.map { ($0.pin, $0.node) }),
            invites: InviteBook(restored.invites),
            domains: DomainBook(
                home: restored.home, credentials: restored.credentials, tokens: restored.tokenUses,
                anchor: restored.anchor, certificate: restored.anchorCertificate,
                partners: restored.partners, convictions: restored.convictions),
            origin: restored.origin, suite: suite,
            generator: generator.split())
        discovery = Discovery(
            node: me.node, configuration: configuration.discovery, generator: generator.split())
        overlay = Overlay(
            node: me.node, configuration: configuration.discovery.overlay, generator: generator.split())
        agreements = AgreementBook(
            me: me.node, configuration: configuration.agreements, generator: generator.split())
        encryption = EncryptionTerm(restored.encryption)
        audit = AuditLog(node: me.node, configuration: configuration.audit, generator: generator.split())
        words = EventWriter(me: me.node)
        domainAgreements = DomainAgreementBook(me: me.node, generator: generator.split())
        gossip = Gossip(
            me: me.node, ownKey: me.key, heads: restored.heads, configuration: configuration.gossip,
            suite: suite, generator: generator.split())
        // A copy's: what else this node draws stays as it is in every kept seed of the simulator.
        var other = generator
        circuits = CircuitPlan(generator: other.split())
        self.generator = generator
        for resource in restored.resources { resources[resource.name] = resource }
        for name in [ResourceName.echo, .relay] { resources[name] = LocalResource(builtIn: name) }
        for name in restored.offeredToDomain where resources[name] != nil { offeredToDomain[name] = .offered }
        offeredToDomain[.echo] = configuration.agreements.echoOffer.toDomain
        for route in restored.routes { routes[route.resource] = route.rule }
        self.restored = restored
    }

    private var restored: RestoredNode?

    /// Takes up what was stored: once, before the first input.
    public mutating func start(at now: Moment, into effects: inout Outbox<NodeEffect>) {
        guard let restored else { preconditionFailure("\(me.name) was started twice") }
        self.restored = nil
        // First: no head is made that lacks the key.
        if let held = encryption.held { tell(.encryptionKeyChanged(held.current), at: now, into: &effects) }
        orderEncryptionKey(at: now, into: &effects)
        takeUp(
            restored.agreements, unreadable: restored.damagedAgreements, of: restored.peers, at: now,
            into: &effects)
        tell(.housesRestored(restored.houseAgreements), at: now, into: &effects)
        takeUp(
            restored.domainAgreements, unreadable: restored.unreadableDomainAgreements, at: now,
            into: &effects)
        takeUp(restored.people, unreadable: restored.damagedPeople, at: now, into: &effects)
        refreshDomainOffers(at: now, into: &effects)
        for peer in restored.peers {
            for proven in restored.endpoints where proven.node == peer.node {
                endpoints[peer.node] = (endpoints[peer.node] ?? []) + [proven.endpoint]
                let key = SightingKey(witness: .link, source: proven.endpoint.description)
                let sighting = Sighting(
                    key: key, endpoints: [proven.endpoint], claim: .node(peer.node), life: nil)
                tell(.sighted(sighting), at: now, into: &effects)
            }
            stand(peer.node, peer.state, at: now, into: &effects)
        }
        var outbox = Outbox<TrustEffect>()
        trust.start(at: now, into: &outbox)
        perform(&outbox, at: now, into: &effects)
        publishIfStale(at: now, into: &effects)
    }

    /// When `.timeReached` is due; nil when nothing waits for time.
    public var nextDeadline: Instant? {
        [
            trust.nextDeadline, discovery.nextDeadline, overlay.nextDeadline, circuits.nextDeadline,
            agreements.nextDeadline,
            domainAgreements.nextDeadline,
            gossip.nextDeadline,
            audit.nextDeadline, repeats.next, traces.values.map(\.deadline).min(),
            linkErrands.values.map(\.deadline).min(), reach.nextDeadline, encryption.nextDeadline,
        ]
        .compactMap { $0 }.min()
    }

    /// The one entrance.
    public mutating func handle(_ input: NodeInput, at now: Moment, into effects: inout Outbox<NodeEffect>) {
        switch input {
        case .connectionSecured(let connection, let secured, let distance):
            secure(connection, secured, distance, at: now, into: &effects)
        case .documentArrived(let connection, let document):
            receive(document, on: connection, at: now, into: &effects)
        case .documentUnreadable(let connection, let problem):
            receiveUnreadable(problem, on: connection, at: now, into: &effects)
        case .heard(let connection): tell(.heard(connection), at: now, into: &effects)
        case .pinged(let connection, let ping):
            tell(.pinged(connection, ping.registry), at: now, into: &effects)
            compare(ping.beliefs, over: connection, at: now, into: &effects)
        case .ponged(let connection, let roundTrip):
            tell(.ponged(connection, roundTrip: roundTrip), at: now, into: &effects)
        case .connectionClosed(let connection): close(connection, at: now, into: &effects)
        case .goingAway(let connection):
            guard let node = gossip.node(on: connection) else { break }
            tell(.goingAway(node), at: now, into: &effects)
        case .linkWanted(let node): tell(.wanted(node, .call), at: now, into: &effects)
        case .linkUsed(let node): tell(.used(node), at: now, into: &effects)
        case .doorClosed(let connection): tell(.doorClosed(connection), at: now, into: &effects)
        case .listens(let notice): tellPeers(notice, into: &effects)
        case .sighted(let sighting): tell(.sighted(sighting), at: now, into: &effects)
        case .withdrawn(let key): tell(.withdrawn(key), at: now, into: &effects)
        case .anchorChanged(let anchor):
            tell(.anchorChanged(anchor), at: now, into: &effects)
            keepHouse(at: now, into: &effects)
        case .anchorCertified(let certificate):
            tell(.anchorCertified(certificate), at: now, into: &effects)
        case .encryptionKeysHeld(let held):
            encryption.keep(held)
            tell(.encryptionKeyChanged(held.current), at: now, into: &effects)
            orderEncryptionKey(at: now, into: &effects)
        case .enrolmentOrdered(let token): tell(.enrolmentOrdered(token), at: now, into: &effects)
        case .signed(let ticket, let signature): receive(signature, ticket, at: now, into: &effects)
        case .signingFailed(let ticket): giveUp(ticket, at: now, into: &effects)
        case .commanded(let ticket, let command): obey(command, ticket, at: now, into: &effects)
        case .roomMeasured(let bytes):
            tell(.roomMeasured(bytes: bytes), at: now, into: &effects)
            if !isRoomKnown { tellNotices(at: now, into: &effects) }
        case .callsFoundUnfinished(let calls): tell(.foundUnfinished(calls), at: now, into: &effects)
        case .lookedUp(let lookUp, let found): answer(lookUp, found, into: &effects)
        case .timeReached: reachTime(at: now, into: &effects)
        }
        publishIfStale(at: now, into: &effects)
    }

    private mutating func orderEncryptionKey(at now: Moment, into effects: inout Outbox<NodeEffect>) {
        switch encryption.next(at: now) {
        case .make: effects.post(.makeEncryptionKey)
        case .dropPrevious: effects.post(.dropEncryptionKey)
        case nil: break
        }
    }

    mutating func newTicket() -> Ticket {
        ticketsIssued += 1
        return Ticket(ticketsIssued)
    }

    mutating func newConnection() -> ConnectionID {
        connectionsDialled += 2
        return ConnectionID(connectionsDialled)
    }

    private mutating func reachTime(at now: Moment, into effects: inout Outbox<NodeEffect>) {
        if trust.nextDeadline.map({ $0 <= now.instant }) ?? false {
            tell(TrustInput.timeReached, at: now, into: &effects)
        }
        if discovery.nextDeadline.map({ $0 <= now.instant }) ?? false {
            tell(DiscoveryInput.timeReached, at: now, into: &effects)
        }
        if overlay.nextDeadline.map({ $0 <= now.instant }) ?? false {
            tell(OverlayInput.timeReached, at: now, into: &effects)
        }
        if agreements.nextDeadline.map({ $0 <= now.instant }) ?? false {
            tell(AgreementInput.timeReached, at: now, into: &effects)
        }
        if domainAgreements.nextDeadline.map({ $0 <= now.instant }) ?? false {
            tell(DomainAgreementInput.timeReached, at: now, into: &effects)
        }
        if gossip.nextDeadline.map({ $0 <= now.instant }) ?? false {
            tell(GossipInput.timeReached, at: now, into: &effects)
        }
        if audit.nextDeadline.map({ $0 <= now.instant }) ?? false {
            tell(AuditInput.alarmRang, at: now, into: &effects)
        }
        if encryption.nextDeadline <= now.instant { orderEncryptionKey(at: now, into: &effects) }
        dialThroughRelays(at: now, into: &effects)
        endLateRounds(at: now, into: &effects)
        endLateLinkErrands(at: now.instant, into: &effects)
        while let connection = repeats.takeDue(at: now.instant) { effects.post(.repeatHandshake(connection)) }
        for (ticket, awaited) in traces where awaited.deadline <= now.instant {
            traces[ticket] = nil
            effects.post(
                .answer(ticket, .refused([Refusal(.peerUnreachable, [Fact("peer", nameOf(awaited.peer))])])))
        }
    }

    private mutating func publishIfStale(at now: Moment, into effects: inout Outbox<NodeEffect>) {
        guard isViewStale else { return }
        isViewStale = false
        effects.post(.publish(callView(at: now)))
    }

    /// How a peer is called here.
    func nameOf(_ node: NodeID) -> String { trust.pins[node]?.name.description ?? node.brief }
}

/// What an operator may set of a node's decisions.
public struct NodeConfiguration: Equatable, Sendable {
    /// How eagerly peers are sought.
    public var discovery = DiscoveryConfiguration()
    /// What is offered and accepted without asking.
    public var agreements = AgreementConfiguration()
    /// How audiences are compared.
    public var gossip = GossipConfiguration()
    /// How many calls there may be at once.
    public var calls = CallConfiguration()
    /// What the audit log may use.
    public var audit = AuditConfiguration()

    /// The defaults.
    public init() {}
}
