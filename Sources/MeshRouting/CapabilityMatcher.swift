import MeshBase

/// Which capability of a resource a request uses (protocol section 8).
///
/// A capability is some methods under one path; paths are compared by whole segments, so `/list` covers
/// `/list`, `/list/` and `/list/5`, not `/listing`. The first that covers both method and path is the
/// request's.
public enum CapabilityMatcher {
    /// What a resource that declares none has.
    public static let standard = [
        Capability(name: name("read"), methods: ["GET", "HEAD", "OPTIONS"], path: "/", safety: .safe),
        Capability(
            name: name("write"), methods: ["POST", "PUT", "PATCH", "DELETE"], path: "/", safety: .unsafe),
    ]

    /// What an MCP server that declares none has.
    public static let tools = [
        Capability(name: name("call"), methods: [ToolCall.method], path: "/", safety: .unsafe)
    ]

    /// What a gRPC server that declares none has: all of its methods (decision 0039).
    public static let procedures = [
        Capability(name: name("call"), methods: ["POST"], path: "/", safety: .unsafe)
    ]

    /// The built-in resource that answers with what it was sent.
    public static let echo = ResourceDescription(
        name: .echo, protocol: .builtin,
        capabilities: [Capability(name: .echo, methods: ["POST", "GET"], path: "/", safety: .safe)],
        labels: [])

    /// The built-in resource that carries links between two peers (decision 0043): the path names the node to
    /// be reached, the bodies are what the two say. Whoever has it may say anything, so it is not safe.
    public static let relay = ResourceDescription(
        name: .relay, protocol: .builtin,
        capabilities: [
            Capability(
                name: name("circuit"), methods: [WebSocketUpgrade.method], path: "/", safety: .unsafe)
        ],
        labels: [])

    /// What every node has under this name, whatever else it provides; nil: nothing.
    public static func builtIn(_ name: ResourceName) -> ResourceDescription? {
        switch name {
        case .echo: echo
        case .relay: relay
        default: nil
        }
    }

    /// The first capability of `capabilities` that covers `method` and `path`.
    /// - Parameter path: in its normal form.
    public static func match(_ capabilities: [Capability], method: String, path: String) -> Capability? {
        capabilities.first { $0.methods.contains(method) && covers($0.path, path) }
    }

    /// Whether `path` is `base` or lies beneath it.
    public static func covers(_ base: String, _ path: String) -> Bool {
        var (wanted, found) = (base.utf8.makeIterator(), path.utf8.makeIterator())
        var last = UInt8(ascii: "/")
        while let byte = wanted.next() {
            guard let other = found.next() else { return byte == UInt8(ascii: "/") && wanted.next() == nil }
            guard other == byte else { return false }
            last = byte
        }
        guard let next = found.next() else { return true }
        return last == UInt8(ascii: "/") || next == UInt8(ascii: "/")
    }

    /// What an application that names a capability asks for: that one, or the only one there is.
    public static func named(_ name: ResourceName?, of resource: ResourceDescription) -> Ruling<Capability> {
        guard let name else {
            if resource.capabilities.count == 1, let only = resource.capabilities.first {
                return .allowed(only)
            }
            return .refused(Refusal(.capabilityUnnamed, facts(of: resource)))
        }
        if let capability = resource.capability(name) { return .allowed(capability) }
        return .refused(Refusal(.capabilityUnknown, [Fact("capability", name)] + facts(of: resource)))
    }

    /// What an application that names method and path asks for.
    /// - Parameter path: in its normal form.
    public static func matched(
        method: String, path: String, of resource: ResourceDescription
    ) -> Ruling<Capability> {
        if let capability = match(resource.capabilities, method: method, path: path) {
            return .allowed(capability)
        }
        if method == ToolCall.listing, path == ToolCall.listingPath,
            let listing = listings(of: resource).first
        {
            return .allowed(listing)
        }
        let asked = [Fact("method", String(method.prefix(16))), Fact("path", String(path.prefix(64)))]
        return .refused(Refusal(.capabilityUnknown, asked + facts(of: resource)))
    }

    /// By which capabilities of an MCP server its tools may be asked for: each that calls any, which then is
    /// as harmless as that is.
    public static func listings(of resource: ResourceDescription) -> [Capability] {
        resource.capabilities.compactMap { listing($0, of: resource) }
    }

    /// What `capability` lets who may use it ask for besides: which tools there are; nil when it calls none.
    public static func listing(_ capability: Capability, of resource: ResourceDescription) -> Capability? {
        guard resource.protocol == .mcp, capability.methods.contains(ToolCall.method) else { return nil }
        return Capability(
            name: capability.name, methods: [ToolCall.listing], path: ToolCall.listingPath, safety: .safe)
    }

    /// What of the capability that an invocation names its request uses; nil when that does not cover it.
    /// - Parameter path: in its normal form.
    public static func use(
        of named: Capability, method: String, path: String, of resource: ResourceDescription
    ) -> Capability? {
        if let capability = match([named], method: method, path: path) { return capability }
        guard method == ToolCall.listing, path == ToolCall.listingPath else { return nil }
        return listing(named, of: resource)
    }

    /// Whether `text` is an HTTP method in upper case.
    public static func isMethod(_ text: String) -> Bool {
        (1...16).contains(text.utf8.count)
            && text.utf8.allSatisfy { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
    }

    private static func facts(of resource: ResourceDescription) -> [Fact] {
        let list = resource.capabilities.prefix(8)
            .map { "\($0.name) = \($0.methods.joined(separator: ",")) \($0.path.prefix(32))" }.joined(
                separator: "; ")
        return [Fact("resource", resource.name), Fact("its capabilities", list)]
    }

    private static func name(_ text: String) -> ResourceName {
        guard let name = ResourceName(text) else { preconditionFailure("\(text) is no name of a capability") }
        return name
    }
}
