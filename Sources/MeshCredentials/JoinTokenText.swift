import MeshBase
import MeshTrust
import MeshWire

/// A join token as its holder has it: the anchor's signed record, the domain, and the seed of the token's key
/// (protocol section 3). Whoever has it may enrol nodes, so its text is a secret.
public struct HeldToken: Sendable {
    /// What the machines know of it.
    public let token: JoinToken
    /// The hand that proves it.
    public let signer: Signer
    private let key: IdentityKey

    private init(token: JoinToken, key: IdentityKey) {
        self.token = token
        self.key = key
        signer = Signer(key)
    }

    /// A token's key pair before the anchor has signed its record.
    public struct Draft: Sendable {
        private let key = IdentityKey.ephemeral()
        public init() {}
        /// What the anchor signs.
        public var publicKey: PublicKey { key.publicKey }
        /// The whole token.
        public func held(under token: JoinToken) -> HeldToken { HeldToken(token: token, key: key) }
    }
}

extension HeldToken: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The domain; nothing of the seed.
    public var description: String { "join token of \(token.domain)" }
    /// The domain; nothing of the seed.
    public var debugDescription: String { description }
    /// Everything but the seed.
    public var customMirror: Mirror { Mirror(self, children: ["domain": token.domain]) }
}

/// The text of a join token: one JSON document, and a line's end.
extension HeldToken {
    /// Bytes of a token's text.
    public static let lengthMax = 8 * 1024

    private struct Form: Codable {
        let comity: String
        let domain: DomainID
        let record: Signed<TokenRecord>
        let seed: Octets
    }

    private static let form = "join-token-1"

    /// What `init(_:)` reads.
    /// - Throws: never for what this program signed: a record fits.
    public func text() throws(WireError) -> String {
        let form = Form(
            comity: Self.form, domain: token.domain, record: token.record, seed: Octets(key.seed))
        return String(decoding: try Document.encode(form), as: UTF8.self) + "\n"
    }

    /// Reads a token; white space around it is left out.
    /// - Throws: `WireError` for what is none: another form, a seed that is no key, or not the record's.
    public init(_ bytes: [UInt8]) throws(WireError) {
        let form = try Document.decode(Form.self, from: bytes, limit: Self.lengthMax)
        guard form.comity == Self.form else { throw .fieldRefused("comity", at: 0) }
        guard let key = IdentityKey.made(of: form.seed.bytes), key.publicKey == form.record.body.key else {
            throw .fieldRefused("seed", at: 0)
        }
        self.init(token: JoinToken(record: form.record, domain: form.domain), key: key)
    }

    /// Reads the token in the file at `path`.
    /// - Throws: `CredentialError` when it is no private file, or holds no token.
    public static func load(from path: String) throws(CredentialError) -> HeldToken {
        let bytes = try PrivateFile(path: path, sizeLimit: lengthMax).read()
        do throws(WireError) {
            return try HeldToken(bytes)
        } catch {
            throw .tokenMalformed(path: path)
        }
    }
}
