import MeshBase
import MeshRouting

/// Where a request's target points: the gateway's few paths, read in one way only.
enum RequestTarget: Equatable {
    /// `/health`.
    case health
    /// `/metrics`.
    case metrics
    /// `/invoke/PEER/RESOURCE[/CAPABILITY]`.
    case invoke(peer: String, resource: String, capability: String?)
    /// `/mesh/PEER/RESOURCE[/path...][?query]`.
    case mesh(peer: String, resource: String, path: String, query: String?)

    /// Reads an origin-form target (RFC 9112 section 3.2.1).
    static func read(_ target: String) throws(RequestRefusal) -> RequestTarget {
        guard target.utf8.first == UInt8(ascii: "/") else {
            throw RequestRefusal(.requestMalformed, [Fact("target", shortened(target))], then: .close)
        }
        guard target.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "#") }) else {
            throw RequestRefusal(.requestMalformed, [Fact("target", "holds bytes that no URL holds")])
        }
        let (path, query) = split(target)
        // By bytes: telling characters apart costs more than all else here.
        let segments = path.utf8.dropFirst()
            .split(separator: UInt8(ascii: "/"), maxSplits: 3, omittingEmptySubsequences: false)
            .map { Substring($0) }
        switch segments.first {
        case "health" where segments.count == 1: return .health
        case "metrics" where segments.count == 1: return .metrics
        case "invoke" where (3...4).contains(segments.count):
            let (peer, resource) = try names(segments)
            guard query == nil else {
                throw RequestRefusal(.requestMalformed, [Fact("query", "/invoke takes a body, not a query")])
            }
            guard segments.count == 4 else { return .invoke(peer: peer, resource: resource, capability: nil) }
            guard let capability = ResourceName(segments[3]) else {
                throw RequestRefusal(.capabilityUnknown, [Fact("capability", shortened(String(segments[3])))])
            }
            return .invoke(peer: peer, resource: resource, capability: capability.description)
        case "mesh" where segments.count >= 3:
            let (peer, resource) = try names(segments)
            let rest = segments.count == 4 ? "/" + String(segments[3]) : "/"
            switch RequestPath.normalised(rest) {
            case .allowed(let path): return .mesh(peer: peer, resource: resource, path: path, query: query)
            case .refused(let refusal): throw RequestRefusal(refusal.code, refusal.facts)
            }
        default: throw RequestRefusal(.resourceUnknown, [Fact("path", shortened(path))], status: 404)
        }
    }

    private static func split(_ target: String) -> (path: String, query: String?) {
        guard let mark = target.utf8.firstIndex(of: UInt8(ascii: "?")) else { return (target, nil) }
        return (String(target[..<mark]), String(target[target.utf8.index(after: mark)...]))
    }

    private static func names(_ segments: [Substring]) throws(RequestRefusal) -> (
        peer: String, resource: String
    ) {
        let isToAll = segments[1] == GatewayRequest.everyProvider
        guard let peer = isToAll ? GatewayRequest.everyProvider : NodeName(segments[1])?.description else {
            throw RequestRefusal(.peerNotFound, [Fact("peer", shortened(String(segments[1])))])
        }
        guard let resource = ResourceName(segments[2]) else {
            throw RequestRefusal(.resourceUnknown, [Fact("resource", shortened(String(segments[2])))])
        }
        return (peer, resource.description)
    }

    private static func shortened(_ text: String) -> String {
        text.utf8.count <= Limits.documentText
            ? text : String(decoding: text.utf8.prefix(Limits.documentText), as: UTF8.self) + "…"
    }
}
