import MeshBase

/// Who is on one side of an agreement: one node, or every member of a domain (protocol section 7).
///
/// Written as the node ID or the domain ID itself: `n` begins the one and `d` the other, so an agreement of
/// two nodes has the bytes that it always had.
public enum AgreementParty: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    /// This node alone; it signs itself.
    case node(NodeID)
    /// Whoever holds a valid credential of this domain; a node that holds its role `agree` signs.
    case domain(DomainID)

    /// The party written as `text`; nil unless it is exactly what `description` prints.
    public init?(_ text: String) {
        if let node = NodeID(text) {
            self = .node(node)
        } else if let domain = DomainID(text) {
            self = .domain(domain)
        } else {
            return nil
        }
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let party = AgreementParty(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "neither a node ID nor a domain ID")
        }
        self = party
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    /// The node, when it is one alone.
    public var node: NodeID? {
        guard case .node(let node) = self else { return nil }
        return node
    }

    /// The domain, when it is one.
    public var domain: DomainID? {
        guard case .domain(let domain) = self else { return nil }
        return domain
    }

    /// Whether `node` is this party, or belongs to it: its credential then holds until `end` at least.
    /// - Parameter membership: what counts of the node's credential; nil: nothing.
    func includes(_ node: NodeID, _ membership: Membership?, until end: WallTime) -> Bool {
        switch self {
        case .node(let one): one == node
        case .domain(let domain): membership.map { $0.domain == domain && end <= $0.until } ?? false
        }
    }

    /// Whether the party is this node alone.
    public static func == (party: AgreementParty, node: NodeID) -> Bool { party.node == node }
    /// Whether the party is anybody but this node alone.
    public static func != (party: AgreementParty, node: NodeID) -> Bool { party.node != node }

    /// The identifier.
    public var description: String {
        switch self {
        case .node(let node): node.description
        case .domain(let domain): domain.description
        }
    }

    /// The first eight characters, for people; never compared.
    public var brief: String { String(description.prefix(8)) }
}
