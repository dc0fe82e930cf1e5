import MeshBase

/// What each side says of itself before anything is proved (protocol section 2).
public struct Hello: Codable, Equatable, Sendable {
    /// Protocol versions that this side speaks, falling; at most eight.
    public let versions: [Int]
    /// Channel bindings that this side can make, falling by strength; at most eight.
    public let bindings: [Int]
    /// 32 fresh random bytes.
    public let nonce: Digest
    /// Who this side is.
    public let node: NodeID
    /// Its identity key.
    public let identityKey: PublicKey
    /// The beginning of its identity log.
    public let inception: Signed<Inception>
    /// Which run of the node this is.
    public let boot: BootID
    /// Its wall clock when it wrote this.
    public let time: WallTime

    public init(
        versions: [Int], bindings: [Int], nonce: Digest, node: NodeID, identityKey: PublicKey,
        inception: Signed<Inception>, boot: BootID, time: WallTime
    ) {
        self.versions = versions
        self.bindings = bindings
        self.nonce = nonce
        self.node = node
        self.identityKey = identityKey
        self.inception = inception
        self.boot = boot
        self.time = time
    }
}

/// What one side consents to by finishing a handshake.
public struct Grants: Codable, Equatable, Sendable {
    /// How this side calls itself to people; a label, never a ground for trust.
    public let name: NodeName
    /// Whether it consents to a link and to trust.
    public let trust: Bool

    public init(name: NodeName, trust: Bool) {
        self.name = name
        self.trust = trust
    }
}

/// One message of a handshake, in the order in which they travel. Each is a JSON object of at most
/// `Limits.handshakeMessage` bytes.
public enum HandshakeMessage: Equatable, Sendable {
    /// M1, initiator to responder.
    case hello(InitiatorHello)
    /// M2, responder to initiator.
    case answer(ResponderHello)
    /// M3, initiator to responder.
    case finish(InitiatorFinish)
    /// M4, responder to initiator.
    case accept(ResponderAccept)
    /// Between M2 and M3, where two people compare words.
    case words(WordMessage)
    /// M4 instead: not here, but there.
    case referral(Referral)
    /// M2 or M4 instead: no, and where the refusing operator finds the reason.
    case deny(Denial)
}

/// M1.
public struct InitiatorHello: Codable, Equatable, Sendable {
    /// What the initiator says of itself.
    public let hello: Hello
    /// The invite that it wants to use; only on `comity-pair/1`.
    public let invite: InviteName?
    /// How else it wants to make trust; only on `comity-pair/1`, and where it names no invite.
    public let pairing: PairingManner?
    /// The tags of the anchors under which it would accept a node, at most `Limits.anchorTags`; nil: none. On
    /// `comity-pair/1` that of its token's anchor.
    public let anchors: [Digest]?

    public init(
        hello: Hello, invite: InviteName?, pairing: PairingManner? = nil, anchors: [Digest]? = nil
    ) {
        self.hello = hello
        self.invite = invite
        self.pairing = pairing
        self.anchors = anchors
    }
}

/// M2. Without the proof it is what the transcript covers as M2.
public struct ResponderHello: Codable, Equatable, Sendable {
    /// What the responder says of itself.
    public let hello: Hello
    /// The responder's signature over the transcript; absent under an invite, where nothing is signed for who
    /// has not shown the secret, and under a token.
    public let proof: Signed<ResponderProof>?
    /// The responder's credential; only for who showed its anchor's tag.
    public let chain: CredentialChain?
    /// Under a token: what the newcomer is to say yes to; nil: nothing.
    public let houseAgreement: Digest?

    public init(
        hello: Hello, proof: Signed<ResponderProof>?, chain: CredentialChain? = nil,
        houseAgreement: Digest? = nil
    ) {
        self.hello = hello
        self.proof = proof
        self.chain = chain
        self.houseAgreement = houseAgreement
    }

    /// What the transcript covers: everything but the signature.
    var unsigned: ResponderHello {
        ResponderHello(hello: hello, proof: nil, chain: chain, houseAgreement: houseAgreement)
    }
}

/// M3.
public struct InitiatorFinish: Codable, Equatable, Sendable {
    /// HMAC over the transcript under the invite's secret; only on `comity-pair/1`.
    public let secretProof: Digest?
    /// The initiator's signature over transcript and grants.
    public let proof: Signed<InitiatorProof>
    /// The initiator's credential; only for a responder that showed its own.
    public let chain: CredentialChain?
    /// The token under which the initiator enrols; only on `comity-pair/1`.
    public let token: TokenPresentation?

    public init(
        secretProof: Digest?, proof: Signed<InitiatorProof>, chain: CredentialChain? = nil,
        token: TokenPresentation? = nil
    ) {
        self.secretProof = secretProof
        self.proof = proof
        self.chain = chain
        self.token = token
    }
}

/// M4.
public struct ResponderAccept: Codable, Equatable, Sendable {
    /// HMAC over the transcript under the invite's secret; only on `comity-pair/1`.
    public let secretProof: Digest?
    /// The responder's signature over transcript, both grants, and what it accepted.
    public let proof: Signed<Acceptance>
    /// The newcomer's credential; only for who presented a token.
    public let granted: CredentialChain?

    public init(secretProof: Digest?, proof: Signed<Acceptance>, granted: CredentialChain? = nil) {
        self.secretProof = secretProof
        self.proof = proof
        self.granted = granted
    }
}

/// M2 or M4 instead.
public struct Denial: Codable, Equatable, Sendable {
    /// `handshake-refused` to a stranger; the true code where the peer is trusted, or for clock skew, which
    /// it can mend.
    public let code: RefusalCode
    /// A random name under which the refusing operator finds the reason.
    public let reference: Octets
    /// What was compared; only together with a true code.
    public let facts: [Fact]
    /// With `boot-returned`: the highest boot number of the refused node that was accepted.
    public let boot: Int64?

    public init(code: RefusalCode, reference: Octets, facts: [Fact], boot: Int64? = nil) {
        self.code = code
        self.reference = reference
        self.facts = facts
        self.boot = boot
    }
}

/// What the responder signs in M2.
public struct ResponderProof: SignedBody {
    public static let kind = DocumentKind.responderProof
    /// The handshake's transcript.
    public let transcript: Digest
}

/// What the initiator signs in M3.
public struct InitiatorProof: SignedBody {
    public static let kind = DocumentKind.initiatorProof
    /// The handshake's transcript.
    public let transcript: Digest
    /// What the initiator consents to.
    public let grants: Grants
    /// SHA-256 of the credential chain that travels beside this; nil: none does.
    public let chain: Digest?
    /// What a newcomer asks for; nil: it is none.
    public let request: EnrolmentRequest?

    init(
        transcript: Digest, grants: Grants, chain: Digest? = nil, request: EnrolmentRequest? = nil
    ) {
        self.transcript = transcript
        self.grants = grants
        self.chain = chain
        self.request = request
    }
}

/// What the responder signs in M4.
public struct Acceptance: SignedBody {
    public static let kind = DocumentKind.acceptance
    /// The handshake's transcript.
    public let transcript: Digest
    /// Content id of the initiator's proof, and so of its grants.
    public let accepted: Digest
    /// What the responder consents to.
    public let grants: Grants
    /// SHA-256 of the credential chain that it gives; nil: it gives none.
    public let granted: Digest?

    init(transcript: Digest, accepted: Digest, grants: Grants, granted: Digest? = nil) {
        self.transcript = transcript
        self.accepted = accepted
        self.grants = grants
        self.granted = granted
    }
}

/// M4 instead, under a token that is right, by a member that may not issue: who may.
public struct Referral: Codable, Equatable, Sendable {
    /// Where issuers were reached; the first `Limits.endpointsPerPeer` count.
    public let issuers: [Endpoint]

    public init(issuers: [Endpoint]) { self.issuers = Array(issuers.prefix(Limits.endpointsPerPeer)) }
}

/// The public name of an invite: the first eight bytes of SHA-256(label, secret). Who does not know the
/// secret cannot name it.
public struct InviteName: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    /// Eight bytes.
    public let octets: Octets

    /// Nil unless there are eight bytes.
    public init?(_ octets: Octets) {
        guard octets.bytes.count == 8 else { return nil }
        self.octets = octets
    }

    /// The name of the invite with this secret.
    public init(secret: Octets, using suite: some SignatureSuite) {
        var fields = FieldSequence(.inviteName)
        fields.append(secret.bytes)
        octets = Octets(Array(suite.digest(fields.bytes).bytes.prefix(8)))
    }

    public init(from decoder: any Decoder) throws {
        let octets = try Octets(from: decoder)
        guard let name = InviteName(octets) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "an invite's name has eight bytes"))
        }
        self = name
    }

    public func encode(to encoder: any Encoder) throws { try octets.encode(to: encoder) }
    public static func < (left: Self, right: Self) -> Bool { left.octets < right.octets }
    /// Sixteen hexadecimal digits.
    public var description: String { Hexadecimal.encode(octets.bytes) }
}
