import MeshBase
import MeshRouting

@testable import MeshGateway

/// What applications and operators write into HTTP.
extension FuzzTargets {
    static let gateway = [requestTarget, resourceURL, grpcHead]

    private static let requestTarget = FuzzTarget(
        "request-target", longest: 9_000,
        samples: {
            ["/health", "/metrics", "/invoke/a/echo/read", "/mesh/a/b/c%20d?x=1", "/mesh/any/b"].map {
                Array($0.utf8)
            }
        },
        read: { bytes in
            let read: RequestTarget
            do throws(RequestRefusal) {
                read = try RequestTarget.read(String(decoding: bytes, as: UTF8.self))
            } catch {
                return .refused
            }
            switch read {
            case .health, .metrics: break
            case .invoke(let peer, let resource, let capability):
                try hold(NodeName(peer) != nil && ResourceName(resource) != nil, "names \(peer), \(resource)")
                if let capability { try hold(ResourceName(capability) != nil, "a capability \(capability)") }
            case .mesh(let peer, let resource, let path, let query):
                let again = "/mesh/\(peer)/\(resource)\(path)" + (query.map { "?" + $0 } ?? "")
                try hold(try RequestTarget.read(again) == read, "written again as \(again) it is another")
            }
            return .taken
        })

    private static let resourceURL = FuzzTarget(
        "resource-url", longest: 2_100,
        samples: {
            ["http://a.example:8080/x/", "http://[::1]/", "http://127.0.0.1", "grpc://h:1", "grpc://unix:/a"]
                .map { Array($0.utf8) }
        },
        read: { bytes in
            guard let url = ResourceURL(String(decoding: bytes, as: UTF8.self)) else { return .refused }
            try hold(ResourceURL(url.description) == url, "written again as \(url) it is another")
            try hold(!url.authority.contains("@") && !url.path.contains("?"), "more than a place: \(url)")
            return .taken
        })
}
