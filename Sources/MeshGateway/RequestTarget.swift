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
        guard characters.holds(target) else {
            throw RequestRefusal(.requestMalformed, [Fact("target", "holds bytes that no URL holds")])
        }
        let parts = Parts(of: target)
        switch parts.first {
        case "mesh" where parts.resource != nil:
            let (peer, resource) = try names(parts)
            switch RequestPath.normalised(parts.rest.map { "/" + $0 } ?? "/") {
            case .allowed(let path):
                return .mesh(peer: peer, resource: resource, path: path, query: parts.query)
            case .refused(let refusal): throw RequestRefusal(refusal.code, refusal.facts)
            }
        case "invoke" where parts.resource != nil:
            let (peer, resource) = try names(parts)
            guard parts.query == nil else {
                throw RequestRefusal(.requestMalformed, [Fact("query", "/invoke takes a body, not a query")])
            }
            guard let rest = parts.rest else {
                return .invoke(peer: peer, resource: resource, capability: nil)
            }
            guard let capability = ResourceName(rest) else {
                throw RequestRefusal(.capabilityUnknown, [Fact("capability", shortened(rest))])
            }
            return .invoke(peer: peer, resource: resource, capability: capability.description)
        case "health" where parts.peer == nil: return .health
        case "metrics" where parts.peer == nil: return .metrics
        default:
            let path = String(target.prefix { $0 != "?" })
            throw RequestRefusal(.resourceUnknown, [Fact("path", shortened(path))], status: 404)
        }
    }

    /// What a target is made of: visible ASCII without the mark of a fragment.
    static let characters = ByteSet { (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "#") }

    /// The pieces of `/FIRST[/PEER[/RESOURCE[/REST]]][?QUERY]`.
    private struct Parts {
        let first: String
        var peer: String?
        var resource: String?
        var rest: String?
        var query: String?

        /// - Precondition: it begins with a slash, and all of it is ASCII.
        init(of target: String) {
            var target = target
            self = target.withUTF8 { Parts($0) }
        }

        private init(_ target: UnsafeBufferPointer<UInt8>) {
            func text(_ range: Range<Int>) -> String {
                String(decoding: UnsafeBufferPointer(rebasing: target[range]), as: UTF8.self)
            }
            let end = target.firstIndex(of: UInt8(ascii: "?")) ?? target.count
            if end < target.count { query = text(end + 1..<target.count) }
            /// The piece that begins at `start`, and where the next one begins; it ends at a slash.
            func piece(at start: Int) -> (String, next: Int?) {
                let slash = target[start..<end].firstIndex(of: UInt8(ascii: "/"))
                return (text(start..<(slash ?? end)), slash.map { $0 + 1 })
            }
            var next: Int?
            (first, next) = piece(at: 1)
            if let start = next { (peer, next) = piece(at: start) }
            if let start = next { (resource, next) = piece(at: start) }
            if let start = next { rest = text(start..<end) }
        }
    }

    private static func names(_ parts: Parts) throws(RequestRefusal) -> (peer: String, resource: String) {
        let (peer, resource) = (parts.peer ?? "", parts.resource ?? "")
        guard peer == GatewayRequest.everyProvider || NodeName(peer) != nil else {
            throw RequestRefusal(.peerNotFound, [Fact("peer", shortened(peer))])
        }
        guard ResourceName(resource) != nil else {
            throw RequestRefusal(.resourceUnknown, [Fact("resource", shortened(resource))])
        }
        return (peer, resource)
    }

    private static func shortened(_ text: String) -> String {
        text.utf8.count <= Limits.documentText
            ? text : String(decoding: text.utf8.prefix(Limits.documentText), as: UTF8.self) + "…"
    }
}
