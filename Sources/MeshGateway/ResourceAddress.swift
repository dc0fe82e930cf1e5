import MeshBase

/// Where the connections to a resource go.
public enum ResourceAddress: Hashable, Sendable, CustomStringConvertible {
    /// A host, by name or address, and a port.
    case host(Endpoint)
    /// A Unix socket on this machine, by its absolute path of at most `SocketFile.pathMax` bytes.
    case socket(path: String)

    /// As an operator would look for it.
    public var description: String {
        switch self {
        case .host(let endpoint): endpoint.description
        case .socket(let path): "the Unix socket \(path)"
        }
    }
}
