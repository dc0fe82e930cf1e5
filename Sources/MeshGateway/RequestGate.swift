import MeshBase
import MeshRouting
import NIOCore
import NIOHTTP1

/// What a connection knows of itself before the first request: how it was reached, and who may speak there.
struct RequestGate: Sendable {
    let transport: GatewayTransport
    let access: GatewayAccess
    /// `Host` values that are this gateway's, in lower case; empty: any.
    let hosts: [String]

    init(transport: GatewayTransport, access: GatewayAccess, port: UInt16) {
        self.transport = transport
        switch transport {
        case .port:
            self.access = access
            hosts = ["127.0.0.1", "localhost", "[::1]"].flatMap { [$0 + ":\(port)", $0] }
        case .unixSocket:
            self.access = .open
            hosts = []
        }
    }

    /// What a head asks for, once its form, framing, `Host` and origin are in order.
    enum Admission {
        case health
        case request(GatewayRequest)
    }

    /// Reads a head. Answers with the request without its body.
    func admit(
        _ head: HTTPRequestHead, _ fields: RequestFields, id: GatewayRequestID, at arrival: NIODeadline
    ) throws(RequestRefusal) -> Admission {
        try checkHost(fields, version: head.version)
        try checkOrigin(fields)
        let target = try RequestTarget.read(head.uri)
        if case .health = target, head.method == .GET { return .health }
        try checkToken(fields.authorization)
        var headers = fields.passing
        if case .open = access, let authorization = fields.authorization {
            headers.append(HeaderField("authorization", authorization))
        }
        let form: GatewayForm
        let names: (peer: String, resource: String)
        switch target {
        case .invoke(let peer, let resource, let capability) where head.method == .POST:
            (form, names) = (.invoke(capability: capability), (peer, resource))
        case .mesh(let peer, let resource, let path, let query):
            let method = try method(of: head, fields, to: peer)
            (form, names) = (.mesh(method: method, path: path, query: query), (peer, resource))
        case .metrics where head.method == .GET: (form, names) = (.metrics, ("", ""))
        case .health, .metrics, .invoke:
            throw RequestRefusal(
                .resourceUnknown, [Fact("method", head.method.rawValue), Fact("path", head.uri)], status: 404)
        }
        let isOpen = fields.isChunked || form.isWebSocket
        return .request(
            GatewayRequest(
                id: id, transport: transport, form: form, peer: names.peer, resource: names.resource,
                headers: headers,
                claimedPrincipal: fields.principal, purpose: fields.purpose, deadline: fields.deadline,
                idempotencyKey: fields.idempotencyKey, stickyKey: fields.stickyKey,
                traceparent: fields.traceparent, body: ByteBuffer(), delivery: .whole,
                bodyLength: isOpen ? nil : Int64(fields.contentLength ?? 0), arrival: arrival,
                awaitsInvitation: fields.expectsContinue && fields.hasBody))
    }

    /// What the request is called from here on: one to open a WebSocket has a method of its own.
    private func method(
        of head: HTTPRequestHead, _ fields: RequestFields, to peer: String
    ) throws(RequestRefusal) -> String {
        let method = head.method.rawValue
        guard fields.asksWebSocket else {
            guard method != WebSocketUpgrade.method else {
                throw RequestRefusal(.requestMalformed, [Fact("method", method)])
            }
            return method
        }
        guard head.method == .GET, !fields.hasBody, fields.idempotencyKey == nil,
            peer != GatewayRequest.everyProvider
        else {
            throw RequestRefusal(
                .requestMalformed,
                [
                    Fact("upgrade", WebSocketUpgrade.name),
                    Fact("is asked for", "by GET, of one provider, without a body or an idempotency key"),
                ])
        }
        return WebSocketUpgrade.method
    }

    // A page that a browser loaded under a foreign name that was rebound to 127.0.0.1 still sends that name.
    private func checkHost(_ fields: RequestFields, version: HTTPVersion) throws(RequestRefusal) {
        guard let host = fields.host else {
            // RFC 9112 section 3.2: HTTP/1.1 demands the field; HTTP/1.0 may leave it out, where any host
            // will do.
            if version.minor == 0, hosts.isEmpty { return }
            throw RequestRefusal(.requestMalformed, [Fact("host", "missing")])
        }
        guard hosts.isEmpty || hosts.contains(host.lowercasedASCII) else {
            throw RequestRefusal(
                .hostRefused, [Fact("host", host), Fact("allowed", hosts.joined(separator: " "))])
        }
    }

    /// No page in a browser calls in this node's name.
    func checkOrigin(_ fields: RequestFields) throws(RequestRefusal) {
        if let origin = fields.origin {
            throw RequestRefusal(.originRefused, [Fact("origin", origin)])
        }
        if let site = fields.fetchSite, site != "none" {
            throw RequestRefusal(.originRefused, [Fact("sec-fetch-site", site)])
        }
    }

    /// Where the port asks for one.
    func checkToken(_ authorization: String?) throws(RequestRefusal) {
        guard case .token(let digest, let hash) = access else { return }
        let scheme = "bearer "
        guard let authorization, authorization.utf8.count > scheme.utf8.count,
            String(authorization.prefix(scheme.count)).lowercasedASCII == scheme,
            hash(Array(String(authorization.dropFirst(scheme.count)).trimmed.utf8)) == digest
        else {
            let found = authorization == nil ? "none" : "another"
            throw RequestRefusal(.principalRefused, [Fact("bearer token", found)], status: 401)
        }
    }
}
