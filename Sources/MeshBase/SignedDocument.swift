/// Something that somebody signed, with the bytes they signed: evidence that outlives the connection it came
/// over.
///
/// It is a JWS (RFC 7515): `typ` separates the kinds of document, `kid` is the signer's pin. The bytes are
/// verified as they were received; the body is what a strict parser read from those very bytes, and is never
/// encoded again to verify.
public struct Signed<Body: SignedBody>: Equatable, Sendable {
    /// What was signed, parsed.
    public let body: Body
    /// The bytes of `body`, as they were signed.
    public let payload: Octets
    /// One signature, or two where two parties sign the same bytes; never none, never two by one signer.
    public let signatures: [DocumentSignature]

    public init(body: Body, payload: Octets, signatures: [DocumentSignature]) {
        self.body = body
        self.payload = payload
        self.signatures = signatures
    }

    /// Whether one of the signatures is `key`'s, and valid.
    public func isSigned(by key: PublicKey, using suite: some SignatureSuite) -> Bool {
        let pin = suite.pin(of: key)
        guard let signature = signatures.first(where: { $0.signer == pin }) else { return false }
        return suite.isValid(signature.value.bytes, over: signature.input.bytes, by: key)
    }

    /// The content id: SHA-256 of the payload, by which other documents name this one.
    public func contentID(using suite: some SignatureSuite) -> Digest { suite.digest(payload.bytes) }
}

/// One signature of a document.
public struct DocumentSignature: Equatable, Sendable {
    /// Whose it claims to be: the header's `kid`.
    public let signer: Pin
    /// The bytes that it covers: protected header, a full stop, payload, both in base64url (RFC 7515 section
    /// 5.1).
    public let input: Octets
    /// The signature: r and s, 64 bytes.
    public let value: Octets

    public init(signer: Pin, input: Octets, value: Octets) {
        self.signer = signer
        self.input = input
        self.value = value
    }
}

/// The content of a signed document.
public protocol SignedBody: Codable, Equatable, Sendable {
    /// Its kind: the `typ` of its header.
    static var kind: DocumentKind { get }
    /// Bytes of one text in it that is not base64url; `Limits.documentText` unless it says otherwise.
    static var textLimit: Int { get }
}

extension SignedBody {
    /// What holds for all texts, unless a kind needs more.
    public static var textLimit: Int { Limits.documentText }
}

/// Every kind of document that anybody signs. `typ` is `comity-KIND+json`, so that a signature under one kind
/// is none under another.
public enum DocumentKind: String, Sendable, CaseIterable, Codable {
    /// A node's first identity key and the digest of its next one.
    case inception
    /// The responder's proof in a handshake (M2).
    case responderProof = "responder-proof"
    /// The initiator's proof in a handshake (M3).
    case initiatorProof = "initiator-proof"
    /// The responder's acceptance in a handshake (M4).
    case acceptance
    /// An owner's summary of its records for one audience.
    case head
    /// What may be called by whom and until when; two sign it.
    case agreement
    /// One party's word that an agreement is over for good.
    case agreementRevocation = "agreement-revocation"
    /// A person's word about an agreement.
    case approval
    /// A node's word about a person's key.
    case vouching
    /// What the members of a domain may do with one another; its anchor signs it.
    case houseAgreement = "house-agreement"
    /// An anchor's word that a node may sign credentials.
    case issuerCertificate = "issuer-certificate"
    /// An issuer's word that a node belongs to a domain.
    case credential
    /// An anchor's word that who holds a key may enrol nodes.
    case tokenRecord = "token-record"
    /// A token key's proof in a handshake (M3).
    case tokenProof = "token-proof"
    /// A domain's own word about its keys, for other domains.
    case bundle
    /// Which other domains a domain trusts; its anchor signs it.
    case partnerships
}

/// Which key signs.
public enum SigningHand: String, Sendable, Hashable {
    /// The node's identity key.
    case identity
    /// The key of the domain's anchor, where it lies in this home.
    case anchor
    /// The key of the join token with which this node enrols.
    case token
}

/// An order to sign: the shell wraps `payload` in a JWS of this kind, signs it with the key of `hand` and
/// answers with the same ticket.
public struct SigningRequest: Equatable, Sendable {
    /// Comes back with the answer.
    public let ticket: Ticket
    /// The `typ` of the header.
    public let kind: DocumentKind
    /// The bytes to sign, made by `SignatureSuite.encoded`.
    public let payload: Octets
    /// By which key.
    public let hand: SigningHand

    public init(ticket: Ticket, kind: DocumentKind, payload: Octets, hand: SigningHand = .identity) {
        self.ticket = ticket
        self.kind = kind
        self.payload = payload
        self.hand = hand
    }
}

extension Signed: Codable {
    private enum CodingKeys: String, CodingKey { case payload, signatures }

    /// The general JSON serialisation of RFC 7515 section 7.2.1, whether one or two signed.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(payload, forKey: .payload)
        try container.encode(signatures.map(GeneralSignature.init), forKey: .signatures)
    }

    /// - Throws: `DecodingError` when the decoder reads no signed documents, or the document breaks a rule of
    ///   protocol section 10.
    public init(from decoder: any Decoder) throws {
        guard let reader = decoder as? any SignedDocumentReading else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath, debugDescription: "this decoder reads no signed documents"
                ))
        }
        self = try reader.signedDocument()
    }
}

/// One member of `signatures` in the general serialisation.
private struct GeneralSignature: Encodable {
    let protected: String
    let signature: Octets

    init(_ signature: DocumentSignature) {
        protected = String(decoding: signature.input.bytes.prefix { $0 != UInt8(ascii: ".") }, as: UTF8.self)
        self.signature = signature.value
    }
}

/// What a decoder must be able to do to read a signed document: keep the payload's bytes and parse them
/// strictly.
public protocol SignedDocumentReading: Decoder {
    /// The document at the decoder's place.
    func signedDocument<Body: SignedBody>() throws -> Signed<Body>
}
