import MeshBase

/// Asks for what only the receiver has, by the ids of the session that the sender asked for: the end of a
/// reconciliation.
///
/// In a document the ids are one run of bytes, 8 each, big-endian, rising.
public struct ElementRequest: Codable, Equatable, Sendable {
    /// Which session.
    public let salt: Octets
    /// At least one, at most `idsMax`, strictly rising.
    public let ids: [SaltedID]

    /// How many ids one message may have: in base64url they fit a frame.
    public static let idsMax = 4_096
    private static let idLength = 8

    /// - Parameter ids: rising; those beyond `idsMax` are left for another message.
    public init(salt: Octets, ids: some Sequence<SaltedID>) {
        self.salt = salt
        self.ids = Array(ids.prefix(Self.idsMax))
    }

    private enum CodingKeys: String, CodingKey { case salt, ids }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(salt, forKey: .salt)
        try container.encode(Octets(ids.flatMap(\.value.bigEndianBytes)), forKey: .ids)
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        salt = try container.nonce(forKey: .salt)
        let bytes = try container.decode(Octets.self, forKey: .ids).bytes
        let count = bytes.count / Self.idLength
        guard bytes.count % Self.idLength == 0, (1...Self.idsMax).contains(count) else {
            throw DecodingError.dataCorruptedError(
                forKey: .ids, in: container, debugDescription: "no run of ids")
        }
        ids = (0..<count).map { place in
            let start = place * Self.idLength
            return SaltedID(bytes[start..<start + Self.idLength].reduce(0) { $0 << 8 | UInt64($1) })
        }
        guard zip(ids, ids.dropFirst()).allSatisfy({ $0 < $1 }) else {
            throw DecodingError.dataCorruptedError(
                forKey: .ids, in: container, debugDescription: "ids that do not rise")
        }
    }
}
