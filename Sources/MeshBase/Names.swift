/// The name of a resource or capability: 1 ... 64 characters of `a-z 0-9 . _ -`, beginning with a letter or a
/// digit.
public struct ResourceName: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    /// The name itself.
    public let description: String

    /// Nil unless `text` is such a name.
    public init?(_ text: some StringProtocol) { self.init(String(text)) }

    /// Nil unless `text` is such a name.
    public init?(_ text: String) {
        guard (1...64).contains(text.utf8.count), let first = text.utf8.first, isLowerOrDigit(first),
            Self.characters.holds(text)
        else { return nil }
        description = text
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let name = ResourceName(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a resource name")
        }
        self = name
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    public static func < (left: Self, right: Self) -> Bool { left.description < right.description }

    /// The built-in resource that answers with what it was sent.
    public static let echo = ResourceName(trusted: "echo")

    /// The built-in resource that carries links between two peers of its node (decision 0043), and the role
    /// in a domain of nodes that have it.
    public static let relay = ResourceName(trusted: "relay")

    // The names of the protocol's other roles in a domain: see `DomainRole`.
    static let member = ResourceName(trusted: "member")
    static let issue = ResourceName(trusted: "issue")
    static let agree = ResourceName(trusted: "agree")

    /// What the house agreements of today permit.
    public static let whatMembersOffer = ResourceName(trusted: "what-members-offer-to-the-domain")

    private init(trusted: String) { description = trusted }

    private static let characters = ByteSet { isLowerOrDigit($0) || isJoiner($0) }
}

/// A node's name for people: 1 ... 63 characters of `A-Z a-z 0-9 . _ -`, beginning with a letter or a digit.
///
/// Unique in one node's store only, claimed by its owner, and never a ground for trust.
public struct NodeName: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    /// The name itself.
    public let description: String

    /// Nil unless `text` is such a name.
    public init?(_ text: some StringProtocol) { self.init(String(text)) }

    /// Nil unless `text` is such a name.
    public init?(_ text: String) {
        guard (1...63).contains(text.utf8.count), let first = text.utf8.first, !isJoiner(first),
            Self.characters.holds(text)
        else { return nil }
        description = text
    }

    /// This name with `-NUMBER` behind it, shortened so that it still fits.
    public func numbered(_ number: Int) -> NodeName {
        let suffix = "-\(number)"
        return NodeName(trusted: String(description.prefix(63 - suffix.count)) + suffix)
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let name = NodeName(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a node name")
        }
        self = name
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    public static func < (left: Self, right: Self) -> Bool { left.description < right.description }

    private init(trusted: String) { description = trusted }

    private static let characters = ByteSet { byte in
        isLowerOrDigit(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) || isJoiner(byte)
    }
}

/// Who asks, within one node: a user, a service, `local`. 1 ... 256 bytes of text without control or
/// bidirectional characters.
public struct Principal: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    /// The name itself.
    public let description: String

    /// Nil unless `text` is such a name.
    public init?(_ text: some StringProtocol) { self.init(String(text)) }

    /// Nil unless `text` is such a name.
    public init?(_ text: String) {
        guard (1...256).contains(text.utf8.count), text.isPlain else { return nil }
        description = text
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let principal = Principal(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a principal")
        }
        self = principal
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    public static func < (left: Self, right: Self) -> Bool { left.description < right.description }

    /// Whoever reaches the gateway's port on this machine.
    public static let local = Principal(trusted: "local")

    /// The agent itself, where it asks a peer for something that it needs for its own work.
    public static let agent = Principal(trusted: "agent")

    private init(trusted: String) { description = trusted }
}

extension StringProtocol {
    /// Whether the text holds neither control nor bidirectional formatting characters (Unicode Bidi_Control,
    /// general category Cc).
    @inlinable public var isPlain: Bool {
        // Most texts are visible ASCII, and bytes are looked at faster than scalars are read.
        if isVisibleASCII { return true }
        return unicodeScalars.allSatisfy { scalar in
            switch scalar.value {
            case 0...0x1f, 0x7f...0x9f, 0x61c, 0x200e, 0x200f, 0x202a...0x202e, 0x2066...0x2069: false
            default: true
            }
        }
    }
}

extension StringProtocol {
    /// Whether all of the text is ASCII from the space to `~`.
    @inlinable public var isVisibleASCII: Bool {
        utf8.withContiguousStorageIfAvailable { UnsafeRawBufferPointer($0).isVisibleASCII }
            ?? utf8.allSatisfy { (0x20...0x7e).contains($0) }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether every byte is 0x20 ... 0x7e. Eight are looked at together: with `b` for each byte of a word,
    /// `b - 0x20` borrows where it is less, and `(b ^ 0x7f) - 1` where it is 0x7f.
    public var isVisibleASCII: Bool {
        let each: UInt64 = 0x0101_0101_0101_0101
        let top = each << 7
        var offset = 0
        while offset + 8 <= count {
            let word = loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            let isSmall = (word &- each &* 0x20) & ~word
            let delete = word ^ each &* 0x7f
            let isDelete = (delete &- each) & ~delete
            guard (word | isSmall | isDelete) & top == 0 else { return false }
            offset += 8
        }
        while offset < count {
            guard self[offset] >= 0x20, self[offset] <= 0x7e else { return false }
            offset += 1
        }
        return true
    }
}

private func isLowerOrDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
}

private func isJoiner(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
}
