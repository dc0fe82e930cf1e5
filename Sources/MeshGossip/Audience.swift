import MeshBase

/// Who may know of a record (protocol section 6).
public enum Audience: Hashable, Sendable {
    /// Two nodes.
    case pair(NodePair)
    /// Every member of a domain, while it is one.
    case domain(DomainID)

    /// The audience of these two, in either order.
    public static func pair(_ one: NodeID, _ other: NodeID) -> Audience { .pair(NodePair(one, other)) }

    /// Reads exactly what `description` writes; nil otherwise.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        switch (parts.first, parts.count) {
        case ("pair", 3):
            guard let first = NodeID(String(parts[1])), let second = NodeID(String(parts[2])), first < second
            else { return nil }
            self = .pair(first, second)
        case ("domain", 2):
            guard let domain = DomainID(String(parts[1])) else { return nil }
            self = .domain(domain)
        default: return nil
        }
    }

    /// The other of a pair; nil when `node` is none of it, and of a domain.
    func other(than node: NodeID) -> NodeID? {
        switch self {
        case .pair(let pair): pair.other(than: node)
        case .domain: nil
        }
    }

    /// What names it between two nodes that are both in it, and tells nobody else that there is such an
    /// audience: salted with both, so that no two links name it alike.
    public func tag(between one: NodeID, and other: NodeID, using suite: some SignatureSuite) -> AudienceTag {
        var fields = FieldSequence(.audienceTag)
        fields.append(description)
        fields.append(min(one, other).digest)
        fields.append(max(one, other).digest)
        return AudienceTag(digest: suite.digest(fields.bytes))
    }
}

/// Two nodes, in the order of their IDs.
public struct NodePair: Hashable, Sendable, Comparable {
    /// The smaller node ID.
    public let first: NodeID
    /// The greater one.
    public let second: NodeID

    init(_ one: NodeID, _ other: NodeID) {
        first = min(one, other)
        second = max(one, other)
    }

    /// The other of the two; nil when `node` is neither.
    func other(than node: NodeID) -> NodeID? {
        node == first ? second : node == second ? first : nil
    }

    public static func < (left: Self, right: Self) -> Bool {
        (left.first, left.second) < (right.first, right.second)
    }
}

/// An audience's name on one link; the pair of the two that the link joins has none.
public struct AudienceTag: Hashable, Sendable, Codable {
    let digest: Digest

    init(digest: Digest) { self.digest = digest }

    public init(from decoder: any Decoder) throws { digest = try Digest(from: decoder) }
    public func encode(to encoder: any Encoder) throws { try digest.encode(to: encoder) }
}

extension Audience: Codable, Comparable, CustomStringConvertible {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let audience = Audience(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an audience")
        }
        self = audience
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    /// Pairs first, then domains.
    public static func < (left: Self, right: Self) -> Bool {
        switch (left, right) {
        case (.pair(let one), .pair(let other)): one < other
        case (.domain(let one), .domain(let other)): one < other
        case (.pair, .domain): true
        case (.domain, .pair): false
        }
    }

    /// `pair:NODE:NODE`, the smaller first; `domain:DOMAIN`.
    public var description: String {
        switch self {
        case .pair(let pair): "pair:\(pair.first):\(pair.second)"
        case .domain(let domain): "domain:\(domain)"
        }
    }
}
