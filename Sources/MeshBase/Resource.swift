/// What repeating a request does: decides what may be retried, hedged, or counted as changing something.
public enum Safety: String, Sendable, Codable, CaseIterable, Hashable {
    /// Changes nothing (RFC 9110 section 9.2.1).
    case safe
    /// May change something, but repeating it changes nothing more (RFC 9110 section 9.2.2).
    case idempotent
    /// Anything else.
    case unsafe

    /// Whether a repetition does no harm.
    public var isRepeatable: Bool { self != .unsafe }
    /// Whether it may change something.
    public var isMutating: Bool { self != .safe }
}

/// One thing that a resource can do: some methods under one path.
public struct Capability: Hashable, Sendable, Codable {
    /// Unique within its resource.
    public let name: ResourceName
    /// HTTP methods in upper case, at least one, none twice. The first is the one that `/invoke` sends.
    public let methods: [String]
    /// Absolute and normalised (`/`, `/list`), compared by whole segments with the path beneath the
    /// resource's URL.
    public let path: String
    /// What repeating it does.
    public let safety: Safety

    public init(name: ResourceName, methods: [String], path: String, safety: Safety) {
        self.name = name
        self.methods = methods
        self.path = path
        self.safety = safety
    }
}

/// What a provider tells the peers to whom it offers a resource: no URL, nothing about the host behind it.
public struct ResourceDescription: Hashable, Sendable, Codable {
    /// Unique at its provider.
    public let name: ResourceName
    /// How the resource is spoken to.
    public let `protocol`: ResourceProtocol
    /// In the order in which a request is matched; at least one, at most `Limits.capabilitiesPerResource`.
    public let capabilities: [Capability]
    /// Words for search, at most `Limits.labelsPerResource`.
    public let labels: [ResourceLabel]

    public init(
        name: ResourceName, protocol: ResourceProtocol, capabilities: [Capability], labels: [ResourceLabel]
    ) {
        self.name = name
        self.protocol = `protocol`
        self.capabilities = capabilities
        self.labels = labels
    }

    /// The capability of this name.
    public func capability(_ name: ResourceName) -> Capability? { capabilities.first { $0.name == name } }
}

/// One `key=value` of a resource, for search.
public struct ResourceLabel: Hashable, Sendable, Codable, Comparable {
    /// In the form of a resource name.
    public let key: ResourceName
    /// Plain text of at most 256 bytes.
    public let value: String

    public init(key: ResourceName, value: String) {
        self.key = key
        self.value = value
    }

    public static func < (left: Self, right: Self) -> Bool {
        (left.key, left.value) < (right.key, right.value)
    }
}

/// How a resource is spoken to.
public enum ResourceProtocol: String, Sendable, Codable, CaseIterable, Hashable {
    /// HTTP/1.1 to a URL, or gRPC, which to peers is a POST with trailers (decision 0039).
    case http
    /// Answered by the agent itself (`echo`).
    case builtin
    /// The tools of an MCP server, each a capability's path (decision 0036).
    case mcp
}

/// A resource that this node provides: its description, and where it is.
public struct LocalResource: Hashable, Sendable, Codable {
    /// What peers are told.
    public let description: ResourceDescription
    /// `http://HOST:PORT[/PATH]` or `http://unix:SOCKET[:/PATH]`, without query, for an MCP server with
    /// `mcp+` before it, for a gRPC server with `grpc` in place of `http` and no path; nil for a built-in
    /// one.
    public let url: String?
    /// How long one attempt at it may take; nil: half of the time left while another candidate exists, else
    /// all of it.
    public let timeoutInMilliseconds: Int64?
    /// Of which capabilities callers may keep answers; peers hear of it with each answer.
    public let kept: [KeptCapability]

    public init(
        description: ResourceDescription, url: String?, timeoutInMilliseconds: Int64?,
        kept: [KeptCapability] = []
    ) {
        self.description = description
        self.url = url
        self.timeoutInMilliseconds = timeoutInMilliseconds
        self.kept = kept
    }

    /// A store may hold one that was written before answers could be kept.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        description = try container.decode(ResourceDescription.self, forKey: .description)
        url = try container.decodeIfPresent(String.self, forKey: .url)
        timeoutInMilliseconds = try container.decodeIfPresent(Int64.self, forKey: .timeoutInMilliseconds)
        kept = try container.decodeIfPresent([KeptCapability].self, forKey: .kept) ?? []
    }

    /// Its name.
    public var name: ResourceName { description.name }

    /// For how long answers of this capability may be kept; nil: not at all.
    public func keepTime(of capability: ResourceName) -> KeepTime? {
        kept.isEmpty ? nil : kept.first { $0.capability == capability }?.time
    }
}

/// That answers of a capability may be kept.
public struct KeptCapability: Hashable, Sendable, Codable {
    /// Its name.
    public let capability: ResourceName
    /// For how long.
    public let time: KeepTime

    public init(capability: ResourceName, time: KeepTime) {
        self.capability = capability
        self.time = time
    }
}
