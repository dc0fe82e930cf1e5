import MeshBase

/// Where a handshake stands; each state holds just what the next step needs.
enum HandshakeState: Equatable, Sendable {
    /// Initiator: the certificate is not checked yet.
    case ready
    /// Initiator: M1 is out.
    case awaitingAnswer(InitiatorHello)
    /// Initiator under a token: M2 held; the token's key signs.
    case signingToken(HandshakeExchange, TokenProof, Octets)
    /// Initiator: M2 held; M3 is being signed.
    case signingFinish(HandshakeExchange, InitiatorProof, Octets)
    /// Initiator: M3 is out.
    case awaitingAccept(HandshakeExchange, InitiatorFinish)
    /// Responder: nothing came yet.
    case awaitingHello
    /// Responder: M1 held; M2 is being signed.
    case signingAnswer(HandshakeExchange, ResponderProof, Octets)
    /// Responder: M2 is out.
    case awaitingFinish(HandshakeExchange)
    /// Responder under an invite: the secret is proved; the invite is being marked, the operator perhaps
    /// asked. Under a token: it is right; the newcomer's credential is being signed.
    case awaitingConsent(HandshakeExchange, InitiatorFinish)
    /// Both hellos are checked, and two people compare words before anything is signed.
    case exchangingWords(HandshakeExchange, WordExchange)
    /// Responder: M3 held; M4 is being signed.
    case signingAcceptance(HandshakeExchange, InitiatorFinish, Acceptance, Octets)
    /// Established, refused or denied.
    case finished

    /// What would be in order now, for a refusal's facts.
    var expectation: String {
        switch self {
        case .awaitingHello: "hello"
        case .awaitingAnswer: "answer"
        case .awaitingFinish: "finish"
        case .awaitingAccept: "accept"
        case .exchangingWords(_, let words): words.expectation
        case .ready, .signingToken, .signingFinish, .signingAnswer, .awaitingConsent, .signingAcceptance,
            .finished:
            "nothing"
        }
    }
}

/// What both hellos settled: the same at both ends, or the transcripts differ and no signature fits.
struct HandshakeExchange: Equatable, Sendable {
    let role: HandshakeRole
    let hello: InitiatorHello
    var answer: ResponderHello
    let transcript: Transcript
    /// The invite's secret; nil on `comity/1`.
    let secret: Octets?
    /// The other end's clock less ours, when its hello came.
    let skew: Duration
    /// When the other end's node certificate ends.
    let certificateExpires: WallTime
    /// What the other end's credential proves; nil: it showed none, or none that counts.
    var credential: HeldCredential?
    /// Initiator: this side's credential, as M3 carries it.
    var ownChain: CredentialChain?
    /// Initiator under a token: what M3 presents.
    var token: TokenPresentation?
    /// Under a token: the newcomer's credential, once M4 carries it.
    var granted: CredentialChain?

    init(
        version: Int, binding: Int, hello: InitiatorHello, answer: ResponderHello,
        connection: SecuredConnection,
        peer: CertificateFacts, secret: Octets?, ground: HandshakeGround, using suite: some SignatureSuite
    ) {
        role = connection.role
        self.hello = hello
        self.answer = answer
        self.secret = secret
        let theirs = role == .initiator ? answer.hello : hello.hello
        let ours = role == .initiator ? hello.hello : answer.hello
        skew = theirs.time - ground.now.wall
        certificateExpires = peer.notAfter
        let mine = Transcript.Side(
            hello: ours, certificateDigest: connection.ownCertificateDigest,
            certificateKey: connection.ownCertificateKey)
        let other = Transcript.Side(
            hello: theirs, certificateDigest: peer.certificateDigest, certificateKey: peer.certificateKey)
        transcript = Transcript(
            version: version, binding: binding, initiator: role == .initiator ? mine : other,
            responder: role == .initiator ? other : mine, hello: hello, answer: answer, using: suite)
    }

    /// The other end's hello.
    var peerHello: Hello { role == .initiator ? answer.hello : hello.hello }
    /// The invite that the initiator named.
    var inviteName: InviteName? { hello.invite }

    /// `finish`: at the responder, M3 as it came.
    func establishment(
        grants: Grants, invite: InviteName?, finish: InitiatorFinish? = nil
    ) -> Establishment {
        Establishment(
            node: peerHello.node, key: peerHello.identityKey, inception: peerHello.inception,
            boot: peerHello.boot,
            name: grants.name, transcript: transcript.digest, invite: invite, skew: skew,
            certificateExpires: certificateExpires,
            shown: role == .initiator ? answer.chain : finish?.chain, credential: credential,
            granted: granted)
    }
}

/// What a finished handshake proved about the other end.
struct Establishment: Equatable, Sendable {
    let node: NodeID
    let key: PublicKey
    let inception: Signed<Inception>
    let boot: BootID
    /// How it calls itself.
    let name: NodeName
    let transcript: Digest
    /// The invite under which it happened; nil on `comity/1`.
    let invite: InviteName?
    let skew: Duration
    let certificateExpires: WallTime
    /// The credential that it showed, whatever it proves; nil: none.
    let shown: CredentialChain?
    /// What its credential proved when it was shown; nil: there was none that counted.
    let credential: HeldCredential?
    /// Under a token, the newcomer's credential: at the initiator its own, at the responder the other end's.
    let granted: CredentialChain?
}

/// What a handshake's checks are held against: this node and its books, at one moment.
struct HandshakeGround: Sendable {
    let me: OwnIdentity
    let pins: PinBook
    let invites: InviteBook
    let words: WordPairing
    let domains: DomainBook
    let now: Moment

    /// What this node consents to.
    var grants: Grants { Grants(name: me.name, trust: true) }

    /// This node's hello for one connection.
    func hello(nonce: Digest) -> Hello {
        Hello(
            versions: Hello.versionsSpoken, bindings: Hello.bindingsMade, nonce: nonce, node: me.node,
            identityKey: me.key,
            inception: me.inception, boot: me.boot, time: now.wall)
    }
}

extension Hello {
    /// Versions, and bindings, that one hello may name.
    static let listMax = 8
    /// The protocol versions of this build.
    static let versionsSpoken = [1]
    /// 1 is both certificates' digests.
    static let bindingsMade = [1]
}

extension HandshakeMessage {
    /// Its name in the protocol, for a refusal's facts.
    var name: String {
        switch self {
        case .hello: "hello"
        case .answer: "answer"
        case .finish: "finish"
        case .accept: "accept"
        case .words(let message): message.name
        case .referral: "referral"
        case .deny: "deny"
        }
    }
}

/// This node, as it proves itself.
public struct OwnIdentity: Equatable, Sendable {
    /// Its lasting name.
    public let node: NodeID
    /// Its identity key.
    public let key: PublicKey
    /// The beginning of its identity log.
    public let inception: Signed<Inception>
    /// How it calls itself.
    public let name: NodeName
    /// Which run this is.
    public let boot: BootID

    public init(node: NodeID, key: PublicKey, inception: Signed<Inception>, name: NodeName, boot: BootID) {
        self.node = node
        self.key = key
        self.inception = inception
        self.name = name
        self.boot = boot
    }
}

/// A TLS connection that has been set up, and what is known of it before the first message.
public struct SecuredConnection: Equatable, Sendable {
    /// Which end this is.
    public let role: HandshakeRole
    /// What the ALPN says the connection is for.
    public let purpose: ConnectionPurpose
    /// The other end's certificate, as TLS has it for this very connection.
    public let presented: PresentedCertificate
    /// SHA-256 of the certificate that this side showed on this connection.
    public let ownCertificateDigest: Digest
    /// That certificate's key.
    public let ownCertificateKey: PublicKey
    /// 32 bytes from the system's generator, for this connection only.
    public let nonce: Digest
    /// The other end's address.
    public let remote: Endpoint

    public init(
        role: HandshakeRole, purpose: ConnectionPurpose, presented: PresentedCertificate,
        ownCertificateDigest: Digest,
        ownCertificateKey: PublicKey, nonce: Digest, remote: Endpoint
    ) {
        self.role = role
        self.purpose = purpose
        self.presented = presented
        self.ownCertificateDigest = ownCertificateDigest
        self.ownCertificateKey = ownCertificateKey
        self.nonce = nonce
        self.remote = remote
    }
}

/// What a connection is for, as its ALPN says.
public enum ConnectionPurpose: String, Sendable, Hashable, Codable {
    /// `comity/1`: between nodes that have made trust.
    case peering
    /// `comity-pair/1`: to make trust.
    case pairing
}

/// Whom a dialler will accept (protocol section 0, rule 3).
public struct DialIntent: Equatable, Sendable {
    /// Whom it accepts.
    public enum Whom: Hashable, Sendable {
        /// This node and no other.
        case node(NodeID)
        /// Whoever two people confirm by words, while `comity pair` is open.
        case words
        /// Any node under an anchor that is trusted here.
        case member
        /// Any member of this domain, which is to enrol this node under its token.
        case issuer(of: DomainID)
    }

    /// Whom it accepts.
    public let whom: Whom
    /// The secret of the invite under which this side joins; nil on `comity/1`, and without an invite.
    public let secret: Octets?
    /// The token under which this side enrols; nil: it does not.
    public let token: JoinToken?

    /// Accepts any member of a domain that is trusted here.
    public static let member = DialIntent(whom: .member, secret: nil)

    /// Accepts any member of the token's domain, to enrol there.
    public init(token: JoinToken) { self.init(whom: .issuer(of: token.domain), secret: nil, token: token) }

    /// Accepts whom two people confirm by words.
    public static let words = DialIntent(whom: .words, secret: nil)

    /// Accepts this node only.
    public init(node: NodeID, secret: Octets?) { self.init(whom: .node(node), secret: secret) }

    private init(whom: Whom, secret: Octets?, token: JoinToken? = nil) {
        self.whom = whom
        self.secret = secret
        self.token = token
    }

    /// The only node that may answer; nil when it shows later who answered.
    public var node: NodeID? {
        switch whom {
        case .node(let node): node
        case .words, .member, .issuer: nil
        }
    }

    func invite(using suite: some SignatureSuite) -> InviteName? {
        secret.map { InviteName(secret: $0, using: suite) }
    }
}
