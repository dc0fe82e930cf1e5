import MeshBase
import MeshSimulator
import MeshTrust

/// One node at the table: a trust machine, its key, and what it was ordered to do.
struct Party {
    let key: SimulatedKey
    let next: SimulatedKey
    var leaf: SimulatedKey
    var trust: Trust<SimulatedSuite>
    var admitted: [ConnectionID: AdmittedPeer] = [:]
    var closed: [ConnectionID: RefusalCode?] = [:]
    var answers: [Ticket: TrustAnswer] = [:]
    var events: [TrustEvent] = []
    var persisted: [TrustChange] = []
    var standings: [TrustState?] = []
    /// The last that was told of each node; nil within: nothing counts.
    var memberships: [NodeID: Membership?] = [:]
    /// What it said about domains, in order.
    var spoken: [(NodeID, DomainMessage)] = []
    var vouched: [NodeID: Membership?] = [:]
    /// What it said about credentials.
    var told: [(NodeID, DomainMessage)] {
        get { spoken.filter { !$0.1.isAboutPapers } }
        set { spoken = papers + newValue }
    }
    /// What it said about papers of domains.
    var papers: [(NodeID, DomainMessage)] {
        get { spoken.filter { $0.1.isAboutPapers } }
        set { spoken = told + newValue }
    }
    var referrals: [[NodeID]] = []
    var referredTo: [Endpoint] = []
    var proved: [ConnectionID: NodeID] = [:]
    var seeking = Seeking.nobody
    /// The key of an anchor in this home, and of the token with which it enrols.
    var anchor: SimulatedKey?
    var token: SimulatedKey?
    var windows: [PairingWindow] = []
    var awaited: [ConnectionID] = []
    /// How often the identity key was asked to sign.
    var signOrders = 0
    var sent: [HandshakeMessage] = []
    var dials: [(Endpoint, DialIntent, Ticket)] = []
    var confirmations: [(InviteName, Pin)] = []

    init(
        _ number: UInt64, name: String, boot: Int64 = 1, run: UInt64? = nil, pins: PinBook = PinBook(),
        invites: InviteBook = InviteBook(), domains: DomainBook = DomainBook(), origin: HomeOrigin = .own
    ) {
        key = SimulatedKey(number)
        next = SimulatedKey(number + 1_000)
        leaf = SimulatedKey(number + 2_000)
        let inception = key.sign(
            Inception(key: key.publicKey, nextKeyDigest: SimulatedSuite().digest(next.publicKey.info.bytes)))
        let me = OwnIdentity(
            node: key.node, key: key.publicKey, inception: inception, name: NodeName(name)!,
            boot: BootID(number: boot, random: run ?? number))
        trust = Trust(
            me: me, pins: pins, invites: invites, domains: domains, origin: origin, suite: SimulatedSuite(),
            generator: SeededGenerator(seed: number))
    }

    var node: NodeID { key.node }

    func key(of hand: SigningHand) -> SimulatedKey {
        switch hand {
        case .identity: key
        case .anchor: anchor ?? key
        case .token: token ?? key
        }
    }

    /// The certificate that TLS shows for this party, with the identity key's statement; `claimed` names
    /// another node than the key is of.
    func certificate(
        signedBy signer: SimulatedKey? = nil, claiming claimed: NodeID? = nil, from: Int64 = 0,
        until: Int64 = 90_000_000
    ) -> CertificateFacts {
        let node = claimed ?? self.node
        let notBefore = WallTime(milliseconds: from)
        let notAfter = WallTime(milliseconds: until)
        let bytes = IdentityStatement.signedBytes(
            node: node, certificateKey: leaf.publicKey, notBefore: notBefore, notAfter: notAfter)
        let statement = IdentityStatement(
            node: node, identityKey: key.publicKey, signature: Octets((signer ?? key).sign(bytes)))
        return CertificateFacts(
            certificateDigest: SimulatedSuite().digest(leaf.publicKey.info.bytes + Array("certificate".utf8)),
            certificateKey: leaf.publicKey, notBefore: notBefore, notAfter: notAfter, statement: statement)
    }
}

extension DomainMessage {
    fileprivate var isAboutPapers: Bool {
        switch self {
        case .shown, .named, .renewalWanted, .renewed, .notRenewed: false
        case .papersHeld, .paper, .bundleWanted, .bundleGiven, .bundleWithheld: true
        }
    }
}

/// Two parties and the wire between them. Everything a test does not touch goes as in life.
struct TrustTable {
    var parties: [Party]
    var now = Moment(instant: Instant(nanoseconds: 1), wall: WallTime(milliseconds: 10_000_000))
    /// What travels, oldest first: (to whom, on which connection of theirs, what).
    var wire: [(to: Int, ConnectionID, HandshakeMessage)] = []
    /// Whether orders to sign wait in `awaitingSignature` until `sign()`.
    var holdsSignatures = false
    var awaitingSignature: [(Int, SigningRequest)] = []
    private var peers: [Int: [ConnectionID: (Int, ConnectionID)]] = [0: [:], 1: [:], 2: [:], 3: [:]]
    private var connections: UInt64 = 0
    private var tickets: UInt64 = 1_000
    private var nonces: UInt64 = 77

    init(_ parties: Party...) { self.parties = parties }

    static let secret = Octets(Array(1...16))
    static let place = Endpoint(host: "192.0.2.1", port: 7410)
    /// Where the other end of each connection is.
    var remote = TrustTable.place

    mutating func handle(_ index: Int, _ input: TrustInput) {
        var outbox = Outbox<TrustEffect>()
        parties[index].trust.handle(input, at: now, into: &outbox)
        perform(index, outbox.drain())
    }

    mutating func take(_ index: Int, _ effects: [TrustEffect]) { perform(index, effects) }

    private mutating func perform(_ index: Int, _ effects: [TrustEffect]) {
        for effect in effects {
            switch effect {
            case .send(let connection, let message):
                parties[index].sent.append(message)
                if let (other, theirs) = peers[index]?[connection] { wire.append((other, theirs, message)) }
            case .sign(let request):
                parties[index].signOrders += 1
                awaitingSignature.append((index, request))
                if !holdsSignatures { sign() }
            case .awaitPeople(let connection): parties[index].awaited.append(connection)
            case .close(let connection, let code): parties[index].closed[connection] = .some(code)
            case .admit(let connection, let peer): parties[index].admitted[connection] = peer
            case .notify: break
            case .dialToPair(let endpoint, let intent, let ticket):
                parties[index].dials.append((endpoint, intent, ticket))
            case .persist(let change): parties[index].persisted.append(change)
            case .standingChanged(_, let state): parties[index].standings.append(state)
            case .membershipChanged(let node, let membership):
                parties[index].memberships[node] = .some(membership)
            case .vouched(let node, _, let membership): parties[index].vouched[node] = .some(membership)
            case .tell(let node, let message):
                parties[index].spoken.append((node, message))
            case .refer(let connection, let issuers):
                parties[index].referrals.append(issuers)
                guard let (other, theirs) = peers[index]?[connection] else { continue }
                wire.append((other, theirs, .referral(Referral(issuers: issuers.map { _ in Self.place }))))
            case .proved(let connection, let node): parties[index].proved[connection] = node
            case .referred(let endpoints): parties[index].referredTo += endpoints
            case .seek(let whom): parties[index].seeking = whom
            case .answer(let ticket, let answer): parties[index].answers[ticket] = answer
            case .confirmationWanted(let name, let pin, _): parties[index].confirmations.append((name, pin))
            case .pairing(let window): parties[index].windows.append(window)
            case .record(let event): parties[index].events.append(event)
            }
        }
    }

    mutating func freshNonce() -> Digest {
        nonces += 1
        return SimulatedSuite().digest(nonces.bigEndianBytes)
    }

    /// What one side knows of a connection to the other.
    mutating func secured(
        _ index: Int, to other: Int, _ role: HandshakeRole, _ purpose: ConnectionPurpose,
        presenting: PresentedCertificate? = nil
    ) -> SecuredConnection {
        let own = parties[index].certificate()
        return SecuredConnection(
            role: role, purpose: purpose, presented: presenting ?? .wellFormed(parties[other].certificate()),
            ownCertificateDigest: own.certificateDigest, ownCertificateKey: own.certificateKey,
            nonce: freshNonce(),
            remote: remote)
    }

    /// Joins two ends without starting either; the initiator's end first.
    mutating func connect(_ initiator: Int, _ responder: Int) -> (ConnectionID, ConnectionID) {
        connections += 2
        let pair = (ConnectionID(connections), ConnectionID(connections + 1))
        peers[initiator]?[pair.0] = (responder, pair.1)
        peers[responder]?[pair.1] = (initiator, pair.0)
        return pair
    }

    /// Starts both ends; the initiator expects whom it dials.
    @discardableResult
    mutating func open(
        _ initiator: Int, _ responder: Int, _ purpose: ConnectionPurpose = .peering, secret: Octets? = nil,
        join: Ticket? = nil,
        initiatorShows: PresentedCertificate? = nil, responderShows: PresentedCertificate? = nil,
        intent: DialIntent? = nil
    ) -> (ConnectionID, ConnectionID) {
        let (mine, theirs) = connect(initiator, responder)
        if let join { parties[initiator].trust.dialStarted(mine, join: join) }
        let accepted = secured(responder, to: initiator, .responder, purpose, presenting: initiatorShows)
        handle(responder, .connectionSecured(theirs, accepted, intent: nil))
        let dialled = secured(initiator, to: responder, .initiator, purpose, presenting: responderShows)
        let intent = intent ?? DialIntent(node: parties[responder].node, secret: secret)
        handle(initiator, .connectionSecured(mine, dialled, intent: intent))
        return (mine, theirs)
    }

    /// Delivers one message; false when none travels.
    @discardableResult
    mutating func deliver() -> Bool {
        guard !wire.isEmpty else { return false }
        let (to, connection, message) = wire.removeFirst()
        handle(to, .messageArrived(connection, message))
        return true
    }

    /// Answers every order to sign that waits.
    mutating func sign() {
        while !awaitingSignature.isEmpty {
            let (index, request) = awaitingSignature.removeFirst()
            handle(index, .signed(request.ticket, parties[index].key(of: request.hand).sign(request)))
        }
    }

    /// Answers the order to sign that has waited longest.
    mutating func signOnce() {
        guard !awaitingSignature.isEmpty else { return }
        let (index, request) = awaitingSignature.removeFirst()
        handle(index, .signed(request.ticket, parties[index].key(of: request.hand).sign(request)))
    }

    /// Answers the order to sign that has waited longest: it comes to nothing.
    mutating func failOnce() {
        guard !awaitingSignature.isEmpty else { return }
        let (index, request) = awaitingSignature.removeFirst()
        handle(index, .signingFailed(request.ticket))
    }

    /// Lets everything take its course until this order to sign is the next.
    mutating func proceed(until index: Int, signs kind: DocumentKind) {
        for _ in 0..<50 where awaitingSignature.first.map({ $0.0 == index && $0.1.kind == kind }) != true {
            if !deliver() { signOnce() }
        }
    }

    mutating func settle() { while deliver() {} }

    mutating func pass(_ duration: Duration) {
        now = Moment(instant: now.instant + duration, wall: now.wall + duration)
        for index in parties.indices { handle(index, .timeReached) }
    }

    mutating func ticket() -> Ticket {
        tickets += 1
        return Ticket(tickets)
    }

    /// Party 0 invites, party 1 joins; both ends of the pairing connection come back.
    @discardableResult
    mutating func makeTrust(inviter: Int = 0, joiner: Int = 1, secret: Octets = TrustTable.secret) -> (
        ConnectionID, ConnectionID
    ) {
        handle(
            inviter, .inviteRequested(ticket(), secret: secret, life: .seconds(3_600), confirmation: .none))
        let join = ticket()
        let request = JoinRequest(
            inviter: parties[inviter].node, endpoints: [Self.place], secret: secret,
            expires: now.wall + .seconds(3_600))
        handle(joiner, .joinRequested(join, request))
        let pair = open(joiner, inviter, .pairing, secret: secret, join: join)
        settle()
        return pair
    }

    /// Whether `index` ever sent M3.
    func hasSentFinish(_ index: Int) -> Bool {
        parties[index].sent.contains { if case .finish = $0 { true } else { false } }
    }

    /// Whether `index` ever sent M4.
    func hasSentAccept(_ index: Int) -> Bool {
        parties[index].sent.contains { if case .accept = $0 { true } else { false } }
    }

    /// Why a handshake failed at `index`, by its own record.
    func refusals(_ index: Int) -> [RefusalCode] {
        parties[index].events.compactMap { event in
            if case .handshakeRefused(_, _, _, let refusal) = event { return refusal.code }
            return nil
        }
    }

    /// What the other end was told.
    func denials(_ index: Int) -> [RefusalCode] {
        parties[index].events.compactMap { event in
            if case .handshakeDenied(_, _, let denial) = event { return denial.code }
            return nil
        }
    }
}
