import MeshBase
import MeshGateway

/// Where an MCP server of this node is, as a resource's URL says it.
enum ToolPlace: Hashable {
    /// `mcp+http://...`: it listens there.
    case http(ResourceURL)
    /// `mcp+stdio:NAME`: this agent runs it, by the command that the configuration gives for this name.
    case program(ResourceName)

    /// Before the URL of a server.
    static let scheme = "mcp+"
    private static let programScheme = "stdio:"

    /// Whether this agent runs it.
    var isProgram: Bool { if case .program = self { true } else { false } }

    /// Whether `text` says that it is an MCP server's.
    static func isMeant(by text: String) -> Bool { text.hasPrefix(scheme) }

    /// Nil for anything else.
    init?(_ text: String) {
        guard Self.isMeant(by: text) else { return nil }
        let rest = String(text.dropFirst(Self.scheme.count))
        if rest.hasPrefix(Self.programScheme) {
            guard let name = ResourceName(rest.dropFirst(Self.programScheme.count)) else { return nil }
            self = .program(name)
        } else {
            guard let url = ResourceURL(rest), !url.isGRPC else { return nil }
            self = .http(url)
        }
    }
}
