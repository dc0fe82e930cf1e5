/// A word of a vocabulary of its own, written as a resource name is: 1 ... 64 characters of `a-z 0-9 . _ -`.
public protocol NamedWord: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    /// The word itself.
    var name: ResourceName { get }
    init(_ name: ResourceName)
}

extension NamedWord {
    /// Nil unless `text` is such a word.
    public init?(_ text: some StringProtocol) {
        guard let name = ResourceName(text) else { return nil }
        self.init(name)
    }

    public init(from decoder: any Decoder) throws { self.init(try ResourceName(from: decoder)) }
    public func encode(to encoder: any Encoder) throws { try name.encode(to: encoder) }
    public static func < (left: Self, right: Self) -> Bool { left.name < right.name }
    public var description: String { name.description }
}
