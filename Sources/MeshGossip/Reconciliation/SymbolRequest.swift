import MeshBase

/// Asks for a stretch of the receiver's row of coded symbols.
public struct SymbolRequest: Codable, Equatable, Sendable {
    /// In which audience.
    public let audience: AudienceTag
    /// Names the session: the nonce that the sender of this drew for it.
    public let salt: Octets
    /// Where the stretch begins: how many symbols the sender has, at most `SymbolEncoder.symbolsMax`.
    public let first: Int
    /// How many symbols are wanted, at most `SymbolBatch.symbolsMax`.
    public let count: Int

    public init(audience: AudienceTag, salt: Octets, wanted: Range<Int>) {
        self.audience = audience
        self.salt = salt
        first = wanted.lowerBound
        count = wanted.count
    }

    /// The stretch.
    public var wanted: Range<Int> { first..<first + count }

    private enum CodingKeys: String, CodingKey { case audience, salt, first, count }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        audience = try container.decode(AudienceTag.self, forKey: .audience)
        salt = try container.nonce(forKey: .salt)
        first = try container.number(in: 0...SymbolEncoder.symbolsMax, forKey: .first)
        count = try container.number(in: 1...SymbolBatch.symbolsMax, forKey: .count)
    }
}

/// What the messages of a session have in common.
extension KeyedDecodingContainer {
    /// A whole number of `range`.
    func number(in range: ClosedRange<Int>, forKey key: Key) throws -> Int {
        let number = try decode(Int.self, forKey: key)
        guard range.contains(number) else {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: self, debugDescription: "beyond its bounds")
        }
        return number
    }

    /// What one side drew for a session.
    func nonce(forKey key: Key) throws -> Octets {
        let nonce = try decode(Octets.self, forKey: key)
        guard nonce.bytes.count == SessionKey.nonceLength else {
            throw DecodingError.dataCorruptedError(forKey: key, in: self, debugDescription: "no nonce")
        }
        return nonce
    }
}
