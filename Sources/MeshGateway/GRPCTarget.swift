import MeshBase
import MeshRouting

/// Whom a gRPC call is for. Its path is taken by service and method, so peer and resource stand in what the
/// client calls the server: `RESOURCE.PEER.mesh` as `:authority`, or `PEER/RESOURCE` in `comity-target`.
struct GRPCTarget: Equatable {
    /// A name of a peer, or `any`.
    let peer: String
    /// A resource's name.
    let resource: String

    /// Behind RESOURCE.PEER.
    static let domain = ".mesh"
    /// The field that names both where the client cannot choose its `:authority`.
    static let field = "comity-target"

    /// Whether `authority` is one that names peer and resource, well or badly.
    static func isNamed(by authority: String) -> Bool { host(of: authority).hasSuffix(domain) }

    /// Reads `RESOURCE.PEER.mesh`, with or without a port. Names that hold a dot could be read in two ways,
    /// and are not read at all.
    init(authority: String) throws(RequestRefusal) {
        let host = Self.host(of: authority)
        let labels = host.dropLast(Self.domain.utf8.count).split(
            separator: ".", omittingEmptySubsequences: false)
        guard host.hasSuffix(Self.domain), labels.count == 2 else {
            throw RequestRefusal(
                .requestMalformed,
                [
                    Fact("authority", Self.shortened(authority)), Fact("is read", "RESOURCE.PEER.mesh"),
                    Fact("with a dot in a name", "comity-target: PEER/RESOURCE"),
                ])
        }
        try self.init(peer: labels[1], resource: labels[0])
    }

    /// Reads `PEER/RESOURCE`.
    init(field: String) throws(RequestRefusal) {
        let parts = field.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            throw RequestRefusal(
                .requestMalformed,
                [Fact("comity-target", Self.shortened(field)), Fact("is read", "PEER/RESOURCE")])
        }
        try self.init(peer: parts[0], resource: parts[1])
    }

    private init(peer: Substring, resource: Substring) throws(RequestRefusal) {
        guard let node = NodeName(peer) else {
            throw RequestRefusal(.peerNotFound, [Fact("peer", Self.shortened(String(peer)))])
        }
        guard let name = ResourceName(resource) else {
            throw RequestRefusal(.resourceUnknown, [Fact("resource", Self.shortened(String(resource)))])
        }
        (self.peer, self.resource) = (node.description, name.description)
    }

    /// Without `:PORT`.
    private static func host(of authority: String) -> Substring {
        guard let colon = authority.utf8.lastIndex(of: UInt8(ascii: ":")) else { return Substring(authority) }
        let port = authority.utf8[colon...].dropFirst()
        let isPort = (1...5).contains(port.count) && port.allSatisfy { (0x30...0x39).contains($0) }
        return isPort ? authority[..<colon] : Substring(authority)
    }

    private static func shortened(_ text: String) -> String {
        text.utf8.count <= 128 ? text : String(decoding: text.utf8.prefix(128), as: UTF8.self) + "…"
    }
}
