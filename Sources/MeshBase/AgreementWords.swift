/// What a call is for, in the consumer's word, and what an agreement is for. Written as a resource name is: 1
/// ... 64 characters of `a-z 0-9 . _ -`.
public struct Purpose: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    /// The word itself.
    public let name: ResourceName

    public init(_ name: ResourceName) { self.name = name }

    /// Nil unless `text` is such a word.
    public init?(_ text: some StringProtocol) {
        guard let name = ResourceName(text) else { return nil }
        self.name = name
    }

    public init(from decoder: any Decoder) throws { name = try ResourceName(from: decoder) }
    public func encode(to encoder: any Encoder) throws { try name.encode(to: encoder) }
    public static func < (left: Self, right: Self) -> Bool { left.name < right.name }
    public var description: String { name.description }
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
