/// A public key as its SubjectPublicKeyInfo in DER (RFC 5280 section 4.1.2.7); P-256 keys take 91 bytes.
public struct PublicKey: Hashable, Sendable, Codable {
    /// The DER bytes, as they were signed or received.
    public let info: Octets

    /// - Parameter info: SubjectPublicKeyInfo in DER; it is not parsed here.
    public init(info: [UInt8]) { self.info = Octets(info) }

    public init(from decoder: any Decoder) throws { info = try Octets(from: decoder) }
    public func encode(to encoder: any Encoder) throws { try info.encode(to: encoder) }
}

/// P-256 keys by the coordinates of their points, as JWK writes them (RFC 7518 section 6.2.1).
extension PublicKey {
    /// SubjectPublicKeyInfo up to the coordinates (RFC 5480): id-ecPublicKey, secp256r1, BIT STRING without
    /// unused bits, and the mark of a point that carries both (SEC 1 section 2.3.3).
    public static let p256Head: [UInt8] = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
        0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
    ]
    /// Bytes of one coordinate.
    private static let p256Coordinate = 32

    /// The key of this point; nil unless both have 32 bytes. Whether it is on the curve is seen where it is
    /// used.
    public init?(p256 x: Octets, _ y: Octets) {
        guard x.bytes.count == Self.p256Coordinate, y.bytes.count == Self.p256Coordinate else { return nil }
        self.init(info: Self.p256Head + x.bytes + y.bytes)
    }

    /// The point's coordinates; of a key of another kind they mean nothing.
    public var p256Coordinates: (x: Octets, y: Octets) {
        let point = info.bytes.dropFirst(Self.p256Head.count)
        return (
            Octets(Array(point.prefix(Self.p256Coordinate))),
            Octets(Array(point.dropFirst(Self.p256Coordinate)))
        )
    }
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
