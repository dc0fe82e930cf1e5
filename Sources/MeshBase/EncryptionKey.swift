/// An X25519 public key to which payloads are sealed (RFC 9180, DHKEM(X25519, HKDF-SHA256)): 32 bytes, held
/// without an allocation. It is its own name: no shorter id of it exists.
public struct EncryptionKey: Hashable, Sendable, Codable, CustomStringConvertible {
    private let value: Digest

    /// - Parameter bytes: exactly 32 bytes; anything else gives nil. Whether they are a usable point shows
    ///   when something is sealed to them.
    public init?(_ bytes: some Collection<UInt8>) {
        guard let value = Digest(bytes) else { return nil }
        self.value = value
    }

    public init(from decoder: any Decoder) throws { value = try Digest(from: decoder) }
    public func encode(to encoder: any Encoder) throws { try value.encode(to: encoder) }

    /// The 32 bytes.
    public var bytes: [UInt8] { value.bytes }

    /// The first 16 of its 64 hexadecimal digits: enough to tell a node's keys apart.
    public var description: String { String(value.description.prefix(16)) }
}

/// The keys to which a node's payloads may be sealed now, without their private parts.
public struct HeldEncryptionKeys: Equatable, Sendable {
    /// The one that is announced.
    public let current: EncryptionKey
    /// When it was made, by this node's clock.
    public let made: WallTime
    /// The one before, which still opens what was sealed to it; nil: none does.
    public let previous: EncryptionKey?

    public init(current: EncryptionKey, made: WallTime, previous: EncryptionKey?) {
        self.current = current
        self.made = made
        self.previous = previous
    }
}
