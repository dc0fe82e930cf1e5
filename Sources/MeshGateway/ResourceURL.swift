import MeshBase
import MeshRouting
import NIOCore

/// Where a resource is, read strictly: `http://HOST[:PORT][/PATH]`, or `http://unix:SOCKET[:/PATH]` for one
/// that listens at a Unix socket of this machine, SOCKET being an absolute path of visible ASCII without
/// `:`, `?`, `#` and `%`. No user information, no query, no fragment. A gRPC server is at `grpc://HOST:PORT`
/// or `grpc://unix:SOCKET`: its calls have the paths.
public struct ResourceURL: Hashable, Sendable, CustomStringConvertible {
    /// Where connections go.
    public let address: ResourceAddress
    /// Whether it is a gRPC server's: HTTP/2 without TLS, by prior knowledge.
    public let isGRPC: Bool
    /// Begins with `/`, normalised.
    public let path: String
    /// Of a host the address when it is one, and that of a Unix socket: no resolving is needed.
    let socketAddress: SocketAddress?
    /// What `Host` says: the port is left out when it is HTTP's own.
    let authority: String

    /// Nil unless `text` is such a URL of at most 2048 bytes.
    public init?(_ text: String) {
        let isGRPC = text.hasPrefix(Self.grpcScheme)
        let scheme = isGRPC ? Self.grpcScheme : "http://"
        guard text.utf8.count <= 2_048, text.hasPrefix(scheme) else { return nil }
        let rest = text.dropFirst(scheme.count)
        if rest.hasPrefix(Self.socketMark + "/") {
            self.init(socket: rest.dropFirst(Self.socketMark.count), isGRPC)
        } else {
            self.init(host: rest, isGRPC)
        }
        if isGRPC, path != "/" || rest.hasSuffix("/") { return nil }
    }

    private static let grpcScheme = "grpc://"

    /// Before the path of a Unix socket.
    private static let socketMark = "unix:"

    /// - Parameter rest: SOCKET and what follows it.
    private init?(socket rest: Substring, _ isGRPC: Bool) {
        self.isGRPC = isGRPC
        let colon = rest.firstIndex(of: ":") ?? rest.endIndex
        let file = String(rest[..<colon])
        let written = colon == rest.endIndex ? "/" : String(rest[rest.index(after: colon)...])
        // A reader of URLs would take more than a path from `?`, `#` and `%`.
        guard file.utf8.count <= SocketFile.pathMax,
            file.utf8.allSatisfy({ (0x21...0x7e).contains($0) && !"?#%".utf8.contains($0) }),
            !file.hasSuffix("/"), written.hasPrefix("/"),
            case .allowed(let path) = RequestPath.normalised(written)
        else { return nil }
        do {
            socketAddress = try SocketAddress(unixDomainSocketPath: file)
        } catch {
            return nil  // Not reached: the length was looked at.
        }
        address = .socket(path: file)
        self.path = path
        authority = "localhost"
    }

    private init?(host rest: Substring, _ isGRPC: Bool) {
        self.isGRPC = isGRPC
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let authority = String(rest[..<slash])
        let written = slash == rest.endIndex ? "/" : String(rest[slash...])
        guard case .allowed(let path) = RequestPath.normalised(written) else { return nil }
        let hasPort = authority.hasPrefix("[") ? !authority.hasSuffix("]") : authority.contains(":")
        let port = authority.utf8.reversed().prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        // No port is gRPC's own.
        guard hasPort || !isGRPC else { return nil }
        // `Endpoint` reads ports as integers are read: a sign would pass.
        guard !hasPort || (1...5).contains(port.count) && authority.dropLast(port.count).hasSuffix(":"),
            let endpoint = Endpoint(hasPort ? authority : authority + ":80"), endpoint.port != 0
        else { return nil }
        let socketAddress = Self.address(endpoint)
        guard authority.hasPrefix("[") == endpoint.host.contains(":"), !endpoint.host.contains("%"),
            socketAddress != nil || !endpoint.host.contains(":")
        else { return nil }
        address = .host(endpoint)
        self.path = path
        self.socketAddress = socketAddress
        self.authority = isGRPC ? endpoint.description : Self.authority(endpoint)
    }

    private static func address(_ endpoint: Endpoint) -> SocketAddress? {
        do {
            return try SocketAddress(ipAddress: endpoint.host, port: Int(endpoint.port))
        } catch {
            return nil  // A name: the dialler resolves it.
        }
    }

    private static func authority(_ endpoint: Endpoint) -> String {
        guard endpoint.port == 80 else { return endpoint.description }
        return endpoint.host.contains(":") ? "[\(endpoint.host)]" : endpoint.host
    }

    /// The request target for a path beneath this URL: `/` is the URL itself.
    func target(_ path: String, query: String?) -> String {
        let whole =
            if path == "/" { self.path } else if self.path == "/" { path } else {
                self.path.hasSuffix("/") ? self.path.dropLast() + path : self.path + path
            }
        guard let query else { return whole }
        return whole + "?" + query
    }

    public static func == (left: Self, right: Self) -> Bool {
        left.address == right.address && left.path == right.path && left.isGRPC == right.isGRPC
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(address)
        hasher.combine(path)
        hasher.combine(isGRPC)
    }

    /// The URL as it would be typed.
    public var description: String {
        switch address {
        case .host: isGRPC ? "\(Self.grpcScheme)\(authority)" : "http://\(authority)\(path)"
        case .socket(let file):
            (isGRPC ? Self.grpcScheme : "http://") + Self.socketMark + file + (path == "/" ? "" : ":\(path)")
        }
    }
}
