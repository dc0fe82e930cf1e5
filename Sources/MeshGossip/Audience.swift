import MeshBase

/// Who may know of a record. So far: two nodes.
public struct Audience: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    /// The smaller node ID.
    public let first: NodeID
    /// The greater one.
    public let second: NodeID

    /// The audience of these two, in either order.
    public static func pair(_ one: NodeID, _ other: NodeID) -> Audience {
        Audience(first: min(one, other), second: max(one, other))
    }

    private init(first: NodeID, second: NodeID) {
        self.first = first
        self.second = second
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let parts = try container.decode(String.self).split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "pair", let first = NodeID(String(parts[1])),
            let second = NodeID(String(parts[2])), first < second
        else { throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an audience") }
        self.init(first: first, second: second)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    /// The other of the two; nil when `node` is neither.
    func other(than node: NodeID) -> NodeID? {
        node == first ? second : node == second ? first : nil
    }

    public static func < (left: Self, right: Self) -> Bool {
        (left.first, left.second) < (right.first, right.second)
    }

    /// `pair:NODE:NODE`, the smaller first.
    public var description: String { "pair:\(first):\(second)" }
}
