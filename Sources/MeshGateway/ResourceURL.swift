import MeshBase
import MeshRouting
import NIOCore

/// Where a resource is: `http://HOST[:PORT][/PATH]`, read strictly. No user information, no query, no
/// fragment.
public struct ResourceURL: Hashable, Sendable, CustomStringConvertible {
    /// Host (IPv6 without brackets) and port.
    public let endpoint: Endpoint
    /// Begins with `/`, normalised.
    public let path: String
    /// The address when the host is one: no resolving is needed.
    let address: SocketAddress?
    /// What `Host` says: the port is left out when it is HTTP's own.
    let authority: String

    /// Nil unless `text` is such a URL of at most 2048 bytes.
    public init?(_ text: String) {
        let scheme = "http://"
        guard text.utf8.count <= 2_048, text.hasPrefix(scheme) else { return nil }
        let rest = text.dropFirst(scheme.count)
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let authority = String(rest[..<slash])
        let written = slash == rest.endIndex ? "/" : String(rest[slash...])
        guard case .allowed(let path) = RequestPath.normalised(written) else { return nil }
        let hasPort = authority.hasPrefix("[") ? !authority.hasSuffix("]") : authority.contains(":")
        let port = authority.utf8.reversed().prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        // `Endpoint` reads ports as integers are read: a sign would pass.
        guard !hasPort || (1...5).contains(port.count) && authority.dropLast(port.count).hasSuffix(":"),
            let endpoint = Endpoint(hasPort ? authority : authority + ":80"), endpoint.port != 0
        else { return nil }
        let address = Self.address(endpoint)
        guard authority.hasPrefix("[") == endpoint.host.contains(":"), !endpoint.host.contains("%"),
            address != nil || !endpoint.host.contains(":")
        else { return nil }
        self.endpoint = endpoint
        self.path = path
        self.address = address
        self.authority = Self.authority(endpoint)
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
            path == "/"
            ? self.path : self.path.hasSuffix("/") ? self.path.dropLast() + path : self.path + path
        guard let query else { return whole }
        return whole + "?" + query
    }

    public static func == (left: Self, right: Self) -> Bool {
        left.endpoint == right.endpoint && left.path == right.path
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(endpoint)
        hasher.combine(path)
    }

    /// The URL as it would be typed.
    public var description: String { "http://\(authority)\(path)" }
}
