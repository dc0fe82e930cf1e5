import MeshBase
import MeshSimulator
import MeshTrust

/// One node of a pair: who it is, what TLS would show of it, and the hand that signs.
struct HandshakeSide {
    let identity: OwnIdentity
    let certificate: CertificateFacts
    let sign: (SigningRequest) throws -> DocumentSignature
}

/// The machines of two nodes that trust each other, and as many peers more in the book of each; handshakes
/// between them, one after the other, each over a connection of its own.
struct HandshakePair<Suite: SignatureSuite> {
    private let sides: [HandshakeSide]
    /// The initiator's, and the responder's.
    private(set) var machines: [Trust<Suite>]
    private var now = Moment(
        instant: Instant(nanoseconds: 1), wall: WallTime(milliseconds: 1_800_000_000_000))
    private var generator = SeededGenerator(seed: 9)
    private var connections: UInt64 = 0
    private var tickets: UInt64 = 1
    private static var place: Endpoint { Endpoint(host: "192.0.2.1", port: 7410) }

    /// - Parameter pins: the book of both, but for each other.
    init(_ sides: [HandshakeSide], suite: Suite, at wall: WallTime, pins: PinBook = PinBook()) throws {
        self.sides = sides
        now = Moment(instant: Instant(nanoseconds: 1), wall: wall)
        machines = sides.enumerated().map { number, side in
            Trust(
                me: side.identity, pins: pins, invites: InviteBook(), suite: suite,
                generator: SeededGenerator(seed: UInt64(number)))
        }
        try pair()
    }

    /// A whole handshake of a link, both sides.
    mutating func shakeHands() throws {
        try shakeHands(.peering, secret: nil, join: nil)
    }

    private mutating func pair() throws {
        let secret = Octets(generator.bytes(16))
        _ = take(
            1, .inviteRequested(ticket(), secret: secret, life: .seconds(3_600), confirmation: .none))
        let join = ticket()
        let request = JoinRequest(
            inviter: sides[1].identity.node, endpoints: [Self.place], secret: secret,
            expires: now.wall + .seconds(3_600))
        _ = take(0, .joinRequested(join, request))
        try shakeHands(.pairing, secret: secret, join: join)
    }

    private mutating func shakeHands(_ purpose: ConnectionPurpose, secret: Octets?, join: Ticket?) throws {
        connections += 1
        let connection = ConnectionID(connections)
        now = Moment(instant: now.instant + .milliseconds(1), wall: now.wall + .milliseconds(1))
        if let join { machines[0].dialStarted(connection, join: join) }
        let intent = DialIntent(node: sides[1].identity.node, secret: secret)
        var waiting: [(Int, TrustInput)] = [
            (1, .connectionSecured(connection, secured(1, purpose), intent: nil)),
            (0, .connectionSecured(connection, secured(0, purpose), intent: intent)),
        ]
        var admitted = 0
        while !waiting.isEmpty {
            let (number, input) = waiting.removeFirst()
            for effect in take(number, input) {
                switch effect {
                case .send(_, let message):
                    waiting.append((1 - number, .messageArrived(connection, message)))
                case .sign(let request):
                    waiting.append((number, .signed(request.ticket, try sides[number].sign(request))))
                case .admit: admitted += 1
                case .awaitPeople, .close, .notify, .dialToPair, .persist, .standingChanged,
                    .membershipChanged, .vouched,
                    .tell, .refer, .proved, .referred, .seek, .answer, .confirmationWanted,
                    .pairing, .record:
                    break
                }
            }
        }
        for number in sides.indices { keep(take(number, .connectionClosed(connection))) }
        try require(purpose == .pairing || admitted == 2, "\(admitted) sides admitted the other")
    }

    private mutating func take(_ number: Int, _ input: TrustInput) -> [TrustEffect] {
        var outbox = Outbox<TrustEffect>()
        machines[number].handle(input, at: now, into: &outbox)
        return outbox.drain()
    }

    private mutating func secured(_ number: Int, _ purpose: ConnectionPurpose) -> SecuredConnection {
        let own = sides[number].certificate
        return SecuredConnection(
            role: number == 0 ? .initiator : .responder, purpose: purpose,
            presented: .wellFormed(sides[1 - number].certificate),
            ownCertificateDigest: own.certificateDigest,
            ownCertificateKey: own.certificateKey, nonce: Digest(generator.bytes(32)) ?? .zero,
            remote: Self.place)
    }

    private mutating func ticket() -> Ticket {
        tickets += 1
        return Ticket(tickets)
    }
}
