import MeshBase

/// The house agreement of this node's domain.
public struct HouseReport: Codable, Equatable, Sendable {
    /// The version of this form: 1.
    public var version = 1
    /// Its content id, 64 hexadecimal digits; nil while none has come to this node.
    public var id: String?
    /// Whose house it is.
    public var domain: DomainID
    /// How it stands: `offered` while none has come.
    public var state: AgreementReport.State
    /// The agreement's own version; nil while none has come.
    public var agreementVersion: Int64?
    /// When the anchor made it.
    public var issued: Timestamp?
    /// Until when it holds.
    public var until: Timestamp?
    /// Until when this node's own credential holds; without one nothing of it does.
    public var memberUntil: Timestamp
    /// What this node offers to the domain, by name.
    public var offered: [ResourceName]
    /// The other members that this node trusts, by name.
    public var members: [HouseMember]

    /// Another member.
    public struct HouseMember: Codable, Equatable, Sendable {
        /// Who it is.
        public var node: NodeReference
        /// Until when its credential holds, as far as this node knows.
        public var until: Timestamp
        /// What it offers to the domain, by name.
        public var offered: [ResourceName]

        public init(node: NodeReference, until: Timestamp, offered: [ResourceName]) {
            self.node = node
            self.until = until
            self.offered = offered
        }
    }

    public init(
        id: String?, domain: DomainID, state: AgreementReport.State, agreementVersion: Int64?,
        issued: Timestamp?, until: Timestamp?, memberUntil: Timestamp, offered: [ResourceName],
        members: [HouseMember]
    ) {
        self.id = id
        self.domain = domain
        self.state = state
        self.agreementVersion = agreementVersion
        self.issued = issued
        self.until = until
        self.memberUntil = memberUntil
        self.offered = offered
        self.members = members
    }
}

/// What `comity agreement show` answers: an agreement of two, or the house agreement. As JSON it is that
/// report itself; only the house's has a member `domain`.
public enum AgreementDetail: Codable, Equatable, Sendable {
    /// An agreement with one peer.
    case pair(AgreementReport)
    /// The house agreement.
    case house(HouseReport)

    private enum CodingKeys: String, CodingKey { case domain }

    public init(from decoder: any Decoder) throws {
        let isHouse = try decoder.container(keyedBy: CodingKeys.self).contains(.domain)
        self = isHouse ? .house(try HouseReport(from: decoder)) : .pair(try AgreementReport(from: decoder))
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .pair(let report): try report.encode(to: encoder)
        case .house(let report): try report.encode(to: encoder)
        }
    }
}
