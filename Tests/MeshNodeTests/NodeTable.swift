import MeshAgreements
import MeshAudit
import MeshBase
import MeshGossip
import MeshSimulator
import MeshTrust
import Testing

@testable import MeshNode

/// One node at the table, and what it was ordered to do.
struct Place {
    let key: SimulatedKey
    let name: NodeName
    let endpoint: Endpoint
    var node: Node<SimulatedSuite>
    var shelf = NodeShelf()
    var run: UInt64 = 1
    var view: CallView?
    var answers: [Ticket: NodeAnswer] = [:]
    var effects: [NodeEffect] = []
    var events: [AuditEvent] = []
    var links: [NodeID: ConnectionID] = [:]
    /// Over whose links calls do not go, because nothing needs them.
    var atRest: Set<NodeID> = []
    var accepted: UInt64 = 1
    /// What the audit finds when a peer asks.
    var found: [AuditEvent] = []
    var isPairingOpen = false
    /// Whether its keys sign.
    var signs = true
    /// Where this place's connections lead.
    var ends: [ConnectionID: TableEnd] = [:]

    var id: NodeID { key.node }
    /// The key of the token with which it enrols, if it does.
    var token: SimulatedKey?

    func key(of hand: SigningHand) -> SimulatedKey {
        switch hand {
        case .identity: key
        case .anchor: shelf.anchor ?? key
        case .token: token ?? key
        }
    }
}

struct TableEnd: Equatable {
    let place: Int
    let connection: ConnectionID
    /// Who carries it.
    var relay: Int?
}

/// Nodes and the wire between them; everything a test does not touch goes as in life, one millisecond a hop.
struct NodeTable {
    enum Event {
        case input(Int, run: UInt64, NodeInput)
    }

    static let secret = Octets(Array(1...16))

    var places: [Place] = []
    private(set) var elapsed = Duration.zero
    /// Whether a connection that drains stays open, as one on which a long call is under way.
    var drainsLast = false
    /// Pairs of places between which nothing goes.
    var cuts: [(Int, Int)] = []
    private var queue: [(Duration, Event)] = []
    private var tickets: UInt64 = 1_000_000
    private var nonces: UInt64 = 0

    /// How every node is set.
    let configuration: NodeConfiguration

    init(_ names: String...) { self.init(names) }

    init(_ names: [String], _ configuration: NodeConfiguration = NodeConfiguration()) {
        self.configuration = configuration
        for (index, name) in names.enumerated() {
            let number = UInt64(index) + 1
            let key = SimulatedKey(number)
            let endpoint = Endpoint(host: "192.0.2.\(number)", port: 7410)
            let nodeName = NodeName(name)!
            let node = Self.make(key, name: nodeName, run: 1, from: RestoredNode(), configuration)
            places.append(Place(key: key, name: nodeName, endpoint: endpoint, node: node))
        }
        for index in places.indices { start(index) }
    }

    private static func make(
        _ key: SimulatedKey, name: NodeName, run: UInt64, from restored: RestoredNode,
        _ configuration: NodeConfiguration
    ) -> Node<SimulatedSuite> {
        let next = SimulatedSuite().digest(key.node.digest.bytes)
        let me = OwnIdentity(
            node: key.node, key: key.publicKey,
            inception: key.sign(Inception(key: key.publicKey, nextKeyDigest: next)), name: name,
            boot: BootID(number: Int64(run), random: run))
        return Node(
            me: me, restored: restored, configuration: configuration, suite: SimulatedSuite(),
            generator: SeededGenerator(seed: key.node.digest.bytes.reduce(run) { $0 &* 31 &+ UInt64($1) }))
    }

    var now: Moment {
        Moment(
            instant: Instant(nanoseconds: 1_000_000_000) + elapsed,
            wall: WallTime(milliseconds: 1_800_000_000_000) + elapsed)
    }

    func id(_ place: Int) -> NodeID { places[place].id }

    // MARK: What a test does

    mutating func tell(_ place: Int, _ input: NodeInput) {
        var outbox = Outbox<NodeEffect>()
        places[place].node.handle(input, at: now, into: &outbox)
        perform(outbox.drain(), at: place)
    }

    /// Orders something; the answer stands under the ticket when it comes.
    @discardableResult
    mutating func command(_ place: Int, _ command: NodeCommand) -> Ticket {
        tickets += 1
        tell(place, .commanded(Ticket(tickets), command))
        return Ticket(tickets)
    }

    /// Lets this much time pass.
    mutating func pass(_ duration: Duration) {
        let end = elapsed + duration
        while true {
            var next: (Duration, Int?)?
            if let first = queue.first { next = (first.0, nil) }
            for index in places.indices {
                guard let deadline = places[index].node.nextDeadline else { continue }
                let due = max(elapsed, deadline - Instant(nanoseconds: 1_000_000_000))
                if due < next?.0 ?? .seconds(1_000_000) { next = (due, index) }
            }
            guard let (time, timer) = next, time <= end else { break }
            elapsed = max(elapsed, time)
            if let timer {
                tell(timer, .timeReached)
                let later = places[timer].node.nextDeadline.map { $0 > now.instant } ?? true
                #expect(later, "\(places[timer].name) stands still at \(now.instant)")
                guard later else { return }
            } else if case .input(let place, let run, let input) = queue.removeFirst().1 {
                if run == places[place].run { tell(place, input) }
            }
        }
        elapsed = end
    }

    /// As much time passes while all machines sleep.
    mutating func sleep(_ duration: Duration) { elapsed += duration }

    /// Place 0 invites, `joiner` joins; comes back when the link has had time to come up.
    mutating func join(_ joiner: Int, to inviter: Int = 0) {
        command(inviter, .invite(secret: Self.secret, life: .seconds(3_600), confirmation: .none))
        let request = JoinRequest(
            inviter: id(inviter), endpoints: [places[inviter].endpoint], secret: Self.secret,
            expires: now.wall + .seconds(3_600))
        command(joiner, .join(request))
        pass(.seconds(5))
    }

    /// Ends a process and starts the next on the same shelf.
    mutating func restart(_ place: Int) {
        for end in places[place].ends.values { close(end, after: .milliseconds(1)) }
        places[place].ends = [:]
        places[place].links = [:]
        places[place].run += 1
        places[place].node = Self.make(
            places[place].key, name: places[place].name, run: places[place].run,
            from: places[place].shelf.restored, configuration)
        start(place)
    }

    func isLinked(_ one: Int, _ other: Int) -> Bool {
        guard let here = places[one].links[id(other)], let there = places[other].links[id(one)] else {
            return false
        }
        let end = places[one].ends[here]
        return end?.place == other && end?.connection == there
    }

    func isCut(_ one: Int, _ other: Int) -> Bool {
        cuts.contains { $0 == (one, other) || $0 == (other, one) }
    }

    mutating func schedule(_ input: NodeInput, at place: Int, after delay: Duration) {
        let time = elapsed + delay
        let index = queue.firstIndex { $0.0 > time } ?? queue.endIndex
        queue.insert((time, .input(place, run: places[place].run, input)), at: index)
    }

    private mutating func start(_ place: Int) {
        var outbox = Outbox<NodeEffect>()
        places[place].node.start(at: now, into: &outbox)
        perform(outbox.drain(), at: place)
        tell(place, .roomMeasured(bytes: 1 << 30))
        tell(place, .listens(ListeningNotice(port: places[place].endpoint.port, advertised: [])))
    }

    private mutating func freshNonce() -> Digest {
        nonces += 1
        return SimulatedSuite().digest(nonces.bigEndianBytes)
    }
}

// MARK: - The shell of every place

extension NodeTable {
    mutating func perform(_ effects: [NodeEffect], at place: Int) {
        places[place].effects += effects
        for effect in effects { perform(effect, at: place) }
    }

    private mutating func perform(_ effect: NodeEffect, at place: Int) {
        switch effect {
        case .dial(let connection, let endpoint, let purpose):
            dial(connection, endpoint, purpose, from: place)
        case .dialThrough(let connection, let dial): self.dial(connection, dial, from: place)
        case .send(let connection, let document):
            send(.documentArrived(ConnectionID(0), document), over: connection, from: place)
        case .repeatHandshake(let connection):
            guard let end = places[place].ends[connection] else { return }
            secure(end.connection, .responder, .peering, at: end.place, from: place)
            secure(connection, .initiator, .peering, at: place, from: end.place)
        case .ping(let connection, let summary):
            send(.pinged(ConnectionID(0), summary), over: connection, from: place)
            guard let end = places[place].ends[connection], !isCut(place, to: end) else { return }
            schedule(.ponged(connection, roundTrip: .milliseconds(2)), at: place, after: .milliseconds(2))
        case .close(let connection, _):
            guard let end = places[place].ends.removeValue(forKey: connection) else { return }
            close(end, after: .milliseconds(1))
            schedule(.connectionClosed(connection), at: place, after: .zero)
        case .drain(let connection):
            // Nothing is under way on it here: the peer hears it, and then the end.
            guard let end = places[place].ends[connection] else { return }
            send(.goingAway(ConnectionID(0)), over: connection, from: place)
            if drainsLast { return }
            places[place].ends[connection] = nil
            close(end, after: .milliseconds(2))
            schedule(.connectionClosed(connection), at: place, after: .zero)
        case .linkAtRest(let node): places[place].atRest.insert(node)
        case .sign(let request) where !places[place].signs:
            schedule(.signingFailed(request.ticket), at: place, after: .microseconds(500))
        case .sign(let request):
            let signature = places[place].key(of: request.hand).sign(request)
            schedule(.signed(request.ticket, signature), at: place, after: .microseconds(500))
        case .persist(let change): places[place].shelf.keep(change)
        case .linkUp(let node, let connection):
            places[place].links[node] = connection
            places[place].atRest.remove(node)
        case .linkDown(let node): places[place].links[node] = nil
        case .publish(let view): places[place].view = view
        case .pairing(let window): places[place].isPairingOpen = window != .closed
        case .answer(let ticket, let answer): places[place].answers[ticket] = answer
        case .lookUp(let question):
            schedule(.lookedUp(question, places[place].found), at: place, after: .milliseconds(1))
        case .record(let records, _):
            places[place].events += records.compactMap { record in
                if case .event(let event) = record { return event }
                return nil
            }
        case .admit, .awaitPeople, .renewSessions, .confirmationWanted, .makeEncryptionKey,
            .dropEncryptionKey:
            break
        }
    }

    private mutating func dial(
        _ connection: ConnectionID, _ endpoint: Endpoint, _ purpose: ConnectionPurpose, from place: Int
    ) {
        guard let other = places.firstIndex(where: { $0.endpoint == endpoint }), !isCut(place, other),
            purpose == .peering || places[other].isPairingOpen
        else { return schedule(.connectionClosed(connection), at: place, after: .milliseconds(2)) }
        let accepted = ConnectionID(places[other].accepted)
        places[other].accepted += 2
        places[place].ends[connection] = TableEnd(place: other, connection: accepted)
        places[other].ends[accepted] = TableEnd(place: place, connection: connection)
        secure(accepted, .responder, purpose, at: other, from: place)
        secure(connection, .initiator, purpose, at: place, from: other)
    }

    private mutating func secure(
        _ connection: ConnectionID, _ role: HandshakeRole, _ purpose: ConnectionPurpose, at place: Int,
        from other: Int
    ) {
        let secured = facts(role, purpose, at: place, from: other)
        let delay: Duration = role == .responder ? .milliseconds(1) : .milliseconds(2)
        schedule(.connectionSecured(connection, secured, .local), at: place, after: delay)
    }

    /// What `place` knows of a connection that `other` dialled to it.
    mutating func dialled(by other: Int, at place: Int) -> SecuredConnection {
        facts(.responder, .peering, at: place, from: other)
    }

    mutating func facts(
        _ role: HandshakeRole, _ purpose: ConnectionPurpose, at place: Int, from other: Int
    ) -> SecuredConnection {
        let own = certificate(of: place)
        return SecuredConnection(
            role: role, purpose: purpose, presented: .wellFormed(certificate(of: other)),
            ownCertificateDigest: own.certificateDigest, ownCertificateKey: own.certificateKey,
            nonce: freshNonce(), remote: places[other].endpoint)
    }

    private func certificate(of place: Int) -> CertificateFacts {
        let key = places[place].key
        let leaf = SimulatedKey(10_000 + UInt64(place) * 1_000 + places[place].run)
        let from = WallTime(milliseconds: 0)
        let until = WallTime(milliseconds: 4_000_000_000_000)
        let bytes = IdentityStatement.signedBytes(
            node: key.node, certificateKey: leaf.publicKey, notBefore: from, notAfter: until)
        return CertificateFacts(
            certificateDigest: SimulatedSuite().digest(leaf.publicKey.info.bytes),
            certificateKey: leaf.publicKey, notBefore: from, notAfter: until,
            statement: IdentityStatement(
                node: key.node, identityKey: key.publicKey, signature: Octets(key.sign(bytes))))
    }

    /// Sends `input` to the other end, under its own number there.
    private mutating func send(_ input: NodeInput, over connection: ConnectionID, from place: Int) {
        guard let end = places[place].ends[connection], !isCut(place, to: end) else { return }
        let arriving: NodeInput? =
            switch input {
            case .documentArrived(_, let document): .documentArrived(end.connection, document)
            case .pinged(_, let summary): .pinged(end.connection, summary)
            case .goingAway: .goingAway(end.connection)
            default: nil
            }
        guard let arriving else { return }
        schedule(arriving, at: end.place, after: .milliseconds(1))
    }

    private mutating func close(_ end: TableEnd, after delay: Duration) {
        guard places[end.place].ends[end.connection] != nil else { return }
        // What was sent before the end still arrives; then the place knows.
        places[end.place].ends[end.connection] = nil
        schedule(.connectionClosed(end.connection), at: end.place, after: delay)
    }
}
