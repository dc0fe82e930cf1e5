import MeshBase
import MeshTrust
import MeshWire

/// What an operator was given of another domain: its signed bundle, or the SPIFFE trust bundle that any other
/// program wrote.
///
/// The signed one is read as strictly as all of our documents. The bare one is read as SPIFFE asks (Trust
/// Domain and Bundle section 4, X509-SVID section 6.2): unknown members, and keys of another kind or use, are
/// passed over; so are padding and white space in base64. Nobody signed it: what it is of, people say.
public enum BundleFile: Equatable, Sendable {
    case signed(Signed<DomainBundle>)
    case bare(BareBundle)

    /// Bytes of the file; eight keys with certificates of RSA are less than half.
    public static let lengthMax = 64 * 1024

    /// Reads a bundle; white space around it is left out.
    /// - Throws: `WireError` for what is none.
    public init(_ bytes: [UInt8]) throws(WireError) {
        let text = Array(bytes.drop(while: \.isBlank).reversed().drop(while: \.isBlank).reversed())
        let scalars = Document.scalars(of: text, limit: Self.lengthMax) ?? []
        if scalars.contains(where: { $0.name == "payload" }) {
            let bundle = try Document.decode(Signed<DomainBundle>.self, from: text, limit: Self.lengthMax)
            for key in bundle.body.keys where AnchorCertificate.key(in: key.certificate.bytes) != key.key {
                throw .fieldRefused("x5c", at: 0)
            }
            self = .signed(bundle)
        } else {
            self = .bare(try BareBundle(text))
        }
    }

    /// The text of a signed bundle: one line.
    /// - Throws: never for what was read or made here.
    public static func text(of bundle: Signed<DomainBundle>) throws(WireError) -> String {
        String(decoding: try Document.encode(bundle), as: UTF8.self) + "\n"
    }
}

/// A SPIFFE trust bundle that nobody signed.
public struct BareBundle: Equatable, Sendable {
    /// Its P-256 keys for X.509; others sign no credential of ours. By which of them anything counts, only
    /// people can say; so no number is read either.
    public let keys: [PublicKey]
    /// How our programs call the domain in theirs; nil in one of others.
    public let label: NodeName?
    /// SHA-256 of its bytes.
    public let content: Digest

    /// One entry of `keys`: all that may stand there, of whatever kind.
    private struct Entry: Decodable {
        let kty: String?
        let use: String?
        let crv: String?
        let x: String?
        let y: String?
        let x5c: [String]?

        /// The key; nil for an entry that SPIFFE asks to pass over, or whose key is of another kind.
        func key() throws(WireError) -> PublicKey? {
            guard kty == "EC", use == "x509-svid", crv == "P-256", let first = x5c?.first else { return nil }
            guard let x = Self.bytes(x), let y = Self.bytes(y), let key = PublicKey(p256: x, y) else {
                throw .fieldRefused("x", at: 0)
            }
            guard let der = Self.bytes(first), AnchorCertificate.key(in: der.bytes) == key else {
                throw .fieldRefused("x5c", at: 0)
            }
            return key
        }

        /// base64 in either alphabet, with padding or without.
        private static func bytes(_ text: String?) -> Octets? {
            guard let text else { return nil }
            let characters = text.utf8.filter { $0 != UInt8(ascii: "=") }.map { byte in
                switch byte {
                case UInt8(ascii: "+"): UInt8(ascii: "-")
                case UInt8(ascii: "/"): UInt8(ascii: "_")
                default: byte
                }
            }
            return Base64URL.decode(characters).map { Octets($0) }
        }
    }

    private struct Form: Decodable {
        struct Addition: Decodable { let label: NodeName? }
        let keys: [Entry]
        let comity: Addition?
    }

    init(_ bytes: [UInt8]) throws(WireError) {
        let limit = BundleFile.lengthMax
        let form = try Document.decode(
            Form.self, from: bytes, limit: limit, textLimit: limit, unknown: .passedOver)
        var keys: [PublicKey] = []
        for entry in form.keys {
            guard let key = try entry.key(), !keys.contains(key) else { continue }
            keys.append(key)
        }
        guard keys.count <= Limits.bundleKeys else { throw .fieldRefused("keys", at: 0) }
        self.keys = keys
        label = form.comity?.label
        content = sha256(bytes)
    }
}

extension UInt8 {
    fileprivate var isBlank: Bool {
        self == UInt8(ascii: " ") || self == UInt8(ascii: "\n") || self == UInt8(ascii: "\r")
            || self == UInt8(ascii: "\t")
    }
}
