import MeshBase

/// The domain that a node is in, as that node sees it.
public struct DomainReport: Codable, Equatable, Sendable {
    /// The version of this form: 1.
    public var version = 1
    /// How its people call it.
    public var name: NodeName
    /// The anchor's pin.
    public var id: DomainID
    /// The same in words, to be compared by voice.
    public var words: [String]
    /// What this node is in it; empty when its credential is over.
    public var roles: [DomainRole]
    /// When this node's credential ends.
    public var until: Timestamp
    /// When it asks for a later one.
    public var renewal: Timestamp?
    /// Who signed it; nil: the anchor.
    public var issuer: NodeReference?
    /// Whether the anchor's key is in this home.
    public var hasAnchor: Bool
    /// What this node may give as an issuer; empty when it is none.
    public var mayGive: [DomainRole]
    /// The other members that this node knows.
    public var members: [MemberReport]
    /// Other domains that it trusts.
    public var partners: [PartnerReport]

    public init(
        name: NodeName, id: DomainID, words: [String], roles: [DomainRole], until: Timestamp,
        renewal: Timestamp?, issuer: NodeReference?, hasAnchor: Bool, mayGive: [DomainRole],
        members: [MemberReport], partners: [PartnerReport] = []
    ) {
        self.name = name
        self.id = id
        self.words = words
        self.roles = roles
        self.until = until
        self.renewal = renewal
        self.issuer = issuer
        self.hasAnchor = hasAnchor
        self.mayGive = mayGive
        self.members = members
        self.partners = partners
    }
}

/// One member of a domain.
public struct MemberReport: Codable, Equatable, Sendable {
    /// Who.
    public var node: NodeReference
    /// What it is.
    public var roles: [DomainRole]
    /// When its credential ends.
    public var until: Timestamp
    /// How its link stands.
    public var link: PeerReport.Link

    public init(node: NodeReference, roles: [DomainRole], until: Timestamp, link: PeerReport.Link) {
        self.node = node
        self.roles = roles
        self.until = until
        self.link = link
    }
}

/// What a node is in a domain.
public struct MembershipReport: Codable, Equatable, Sendable {
    /// How people call the domain here; nil for one that has no name here, or another's.
    public var name: NodeName?
    /// Which domain.
    public var id: DomainID
    /// Rising.
    public var roles: [DomainRole]
    /// When it ends, unless renewed.
    public var until: Timestamp

    public init(name: NodeName?, id: DomainID, roles: [DomainRole], until: Timestamp) {
        self.name = name
        self.id = id
        self.roles = roles
        self.until = until
    }
}

/// A join token that was made. Its text is a secret.
public struct TokenReport: Codable, Equatable, Sendable {
    /// The version of this form: 1.
    public var version = 1
    /// The token itself: whoever has it may enrol nodes.
    public var token: String
    /// Into which domain.
    public var name: NodeName
    /// What newcomers become.
    public var roles: [DomainRole]
    /// Until when.
    public var until: Timestamp
    /// Nodes, at each issuer.
    public var uses: Int

    public init(
        token: String, name: NodeName, roles: [DomainRole], until: Timestamp, uses: Int
    ) {
        self.token = token
        self.name = name
        self.roles = roles
        self.until = until
        self.uses = uses
    }
}
