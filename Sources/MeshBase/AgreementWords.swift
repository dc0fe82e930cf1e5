/// What a call is for, in the consumer's word, and what an agreement is for.
public struct Purpose: NamedWord {
    /// The word itself.
    public let name: ResourceName

    public init(_ name: ResourceName) { self.name = name }
}

/// A few words that an agreement holds and no machine acts on: 1 ... 64 bytes without control or
/// bidirectional characters.
public struct ShortText: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    /// The words themselves.
    public let description: String

    /// Nil unless `text` is such a text.
    public init?(_ text: some StringProtocol) {
        guard (1...64).contains(text.utf8.count), text.isPlain else { return nil }
        description = String(text)
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let text = ShortText(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a short text")
        }
        self = text
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    public static func < (left: Self, right: Self) -> Bool { left.description < right.description }
}
