import MeshBase

/// What a node provides.
public struct ResourcesReport: Codable, Equatable, Sendable {
    /// The version of this form: 1.
    public var version = 1
    /// By name.
    public var resources: [ResourceReport]

    public init(resources: [ResourceReport]) { self.resources = resources }
}

/// One resource that this node provides.
public struct ResourceReport: Codable, Equatable, Sendable {
    /// What peers are told.
    public var description: ResourceDescription
    /// Where it is; nil for a built-in one.
    public var url: String?
    /// How long one attempt may take; nil: as the deadline allows.
    public var timeoutMilliseconds: Int64?
    /// Of which capabilities callers may keep answers, for how long; nil: of none.
    public var kept: [KeptCapability]?
    /// The peers with a living agreement that covers it, by name.
    public var offeredTo: [NodeReference]
    /// Whether it is offered to every member of this node's domain; nil: no.
    public var offeredToDomain: Bool?

    public init(
        description: ResourceDescription, url: String?, timeoutMilliseconds: Int64?,
        kept: [KeptCapability]? = nil, offeredTo: [NodeReference], offeredToDomain: Bool? = nil
    ) {
        self.description = description
        self.url = url
        self.timeoutMilliseconds = timeoutMilliseconds
        self.kept = kept
        self.offeredTo = offeredTo
        self.offeredToDomain = offeredToDomain
    }
}

/// The catalog: resources across all peers, as far as this node may see.
public struct CatalogReport: Codable, Equatable, Sendable {
    /// The version of this form: 1.
    public var version = 1
    /// By resource, then by provider.
    public var entries: [CatalogEntry]

    public init(entries: [CatalogEntry]) { self.entries = entries }
}

/// One resource at one provider.
public struct CatalogEntry: Codable, Equatable, Sendable {
    /// Who provides it.
    public var provider: NodeReference
    /// Whether that is this node.
    public var isHere: Bool
    /// What it is.
    public var description: ResourceDescription
    /// The agreement under which this node may call it; nil when none covers it now.
    public var agreement: String?
    /// Until when that agreement holds.
    public var until: Timestamp?
    /// Whether the provider offers it to the whole domain; nil: to this node alone.
    public var toDomain: Bool?
    /// True where the provider is a member of this node's domain that it has not met: other members tell of
    /// it, and nothing can be called there before a handshake. Nil: it was met.
    public var notMet: Bool?

    public init(
        provider: NodeReference, isHere: Bool, description: ResourceDescription, agreement: String?,
        until: Timestamp?, toDomain: Bool? = nil, notMet: Bool? = nil
    ) {
        self.notMet = notMet
        self.provider = provider
        self.isHere = isHere
        self.description = description
        self.agreement = agreement
        self.until = until
        self.toDomain = toDomain
    }
}
