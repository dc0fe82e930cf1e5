/// A public key as its SubjectPublicKeyInfo in DER (RFC 5280 section 4.1.2.7); P-256 keys take 91 bytes.
public struct PublicKey: Hashable, Sendable, Codable {
    /// The DER bytes, as they were signed or received.
    public let info: Octets

    /// - Parameter info: SubjectPublicKeyInfo in DER; it is not parsed here.
    public init(info: [UInt8]) { self.info = Octets(info) }

    public init(from decoder: any Decoder) throws { info = try Octets(from: decoder) }
    public func encode(to encoder: any Encoder) throws { try info.encode(to: encoder) }
}

/// The SHA-256 of a public key's SubjectPublicKeyInfo: what is stored and compared to know a key again.
///
/// Comparison takes the same time wherever two pins differ (see `Digest`).
public struct Pin: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    /// The digest itself.
    public let digest: Digest

    public init(_ digest: Digest) { self.digest = digest }
    public init(from decoder: any Decoder) throws { digest = try Digest(from: decoder) }
    public func encode(to encoder: any Encoder) throws { try digest.encode(to: encoder) }
    public static func < (left: Self, right: Self) -> Bool { left.digest < right.digest }

    /// base64url, as `kid` writes it.
    public var description: String { Base64URL.encode(digest.bytes) }
}

/// A node's lasting name: the pin of its *first* identity key. It survives rotation of that key.
///
/// Written `n` + base32 in lower case, 53 characters.
public struct NodeID: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    /// SHA-256 of the first identity key's SubjectPublicKeyInfo.
    public let digest: Digest

    public init(_ digest: Digest) { self.digest = digest }

    /// The identifier written as `text`; nil unless it is exactly what `description` prints.
    public init?(_ text: String) {
        guard text.utf8.count == 53, text.utf8.first == UInt8(ascii: "n"),
            let bytes = Base32.decode(text.utf8.dropFirst()), let digest = Digest(bytes)
        else { return nil }
        self.digest = digest
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let node = NodeID(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a node ID")
        }
        self = node
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    public static func < (left: Self, right: Self) -> Bool { left.digest < right.digest }

    /// `n` and 52 characters.
    public var description: String { "n" + Base32.encode(digest.bytes) }

    /// The first eight characters, for people; never compared.
    public var brief: String { String(description.prefix(8)) }
}
