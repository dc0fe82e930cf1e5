import MeshRouting
import NIOHTTP1

/// What of a resource's answer is passed on.
enum ResourceAnswer {
    /// What makes the head unusable; nil when nothing does.
    /// - Parameter isWebSocket: whether a WebSocket was asked for.
    static func fault(in head: HTTPResponseHead, toWebSocket isWebSocket: Bool) -> String? {
        if isWebSocket, head.status == .switchingProtocols {
            // RFC 6455 section 4.1: it is one, and nothing besides.
            let upgrades = head.headers["upgrade"].flatMap { HeaderRules.elements(of: $0) }
            let options = head.headers["connection"].flatMap { HeaderRules.elements(of: $0) }
            return upgrades == [WebSocketUpgrade.name] && options.contains("upgrade")
                ? nil : "another protocol"
        }
        guard (200...599).contains(head.status.code) else { return "status \(head.status.code)" }
        let codings = head.headers[canonicalForm: "transfer-encoding"]
        if !codings.isEmpty {
            guard codings.count == 1, codings[0].lowercased() == "chunked" else { return "transfer-encoding" }
            if head.headers.contains(name: "content-length") { return "ambiguous framing" }
        }
        return nil
    }

    /// The fields that pass, in lower case.
    static func passing(_ headers: HTTPHeaders) -> [HeaderField] {
        var fields: [HeaderField] = []
        fields.reserveCapacity(headers.count)
        var named: [String] = []
        for (name, value) in headers {
            let name = name.lowercasedASCII
            if name == "connection" {
                named += HeaderRules.elements(of: value)
            } else if !HeaderRules.isHopByHop(name), !HeaderRules.isReserved(name) {
                fields.append(HeaderField(name, value.trimmed))
            }
        }
        let others = named.filter { $0 != "keep-alive" && $0 != "close" }
        if !others.isEmpty { fields.removeAll { others.contains($0.name) } }
        return fields
    }
}
