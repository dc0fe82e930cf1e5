import MeshBase
import MeshRouting
import NIOCore
import NIOHPACK
import NIOHTTP1

// Calls of gRPC, which come over HTTP/2.
extension RequestGate {
    /// Reads a call's head: the request without its body. Nothing that two readers could read differently
    /// passes.
    func admit(
        _ head: HPACKHeaders, id: GatewayRequestID, at arrival: NIODeadline
    ) throws(RequestRefusal) -> GatewayRequest {
        let call = try CallHead(head)
        guard call.isGRPC else {
            throw RequestRefusal(
                .requestMalformed,
                [
                    Fact("content-type", call.contentType ?? "none"),
                    Fact("HTTP/2 is spoken for", "application/grpc"),
                ],
                status: 415)
        }
        guard call.method == "POST", ["http", "https"].contains(call.scheme) else {
            throw RequestRefusal(
                .requestMalformed, [Fact("method", call.method), Fact("scheme", call.scheme)])
        }
        let fields = try RequestFields(call.fields, version: .http1_1)
        try checkOrigin(fields)
        if let host = fields.host, host != call.authority {
            throw RequestRefusal(
                .requestMalformed, [Fact("host", host), Fact("authority", call.authority ?? "none")])
        }
        let target = try target(of: call)
        try checkToken(fields.authorization)
        guard !call.path.utf8.contains(UInt8(ascii: "?")),
            call.path.utf8.dropFirst().contains(UInt8(ascii: "/"))
        else { throw RequestRefusal(.pathRefused, [Fact("because it", "is no /SERVICE/METHOD")]) }
        let path: String
        switch RequestPath.normalised(call.path) {
        case .allowed(let normal): path = normal
        case .refused(let refusal): throw RequestRefusal(refusal.code, refusal.facts)
        }
        var headers = fields.passing
        if case .open = access, let authorization = fields.authorization {
            headers.append(HeaderField("authorization", authorization))
        }
        // An idempotency key is metadata and passes as that: what is kept of an answer has no trailers.
        return GatewayRequest(
            id: id, transport: transport, form: .mesh(method: "POST", path: path, query: nil),
            peer: target.peer, resource: target.resource, headers: headers,
            claimedPrincipal: fields.principal, purpose: fields.purpose,
            deadline: try deadline(of: call, fields), idempotencyKey: nil, stickyKey: fields.stickyKey,
            traceparent: fields.traceparent, body: ByteBuffer(), delivery: .whole, bodyLength: nil,
            arrival: arrival, awaitsInvitation: false)
    }

    private func target(of call: CallHead) throws(RequestRefusal) -> GRPCTarget {
        let authority = call.authority ?? ""
        if GRPCTarget.isNamed(by: authority) {
            guard call.target == nil else {
                throw RequestRefusal(
                    .requestMalformed,
                    [Fact("comity-target", "given"), Fact("authority", "names peer and resource, too")])
            }
            return try GRPCTarget(authority: authority)
        }
        guard let field = call.target, hosts.isEmpty || hosts.contains(authority.lowercasedASCII) else {
            let shown = String(authority.prefix(Limits.documentText))
            throw RequestRefusal(
                .hostRefused,
                [
                    Fact("host", shown),
                    Fact("allowed", "RESOURCE.PEER.mesh, or this gateway's own with comity-target"),
                ])
        }
        return try GRPCTarget(field: field)
    }

    /// The shorter of the two ways to say it. What is longer than a call may be is as long as that.
    private func deadline(
        of call: CallHead, _ fields: RequestFields
    ) throws(RequestRefusal) -> Duration? {
        guard let text = call.timeout else { return fields.deadline }
        guard let time = GRPCTimeout.read(text) else {
            throw RequestRefusal(
                .requestMalformed, [Fact("grpc-timeout", String(text.prefix(Limits.documentText)))])
        }
        // Nothing is left, and the desk says so as of every other call.
        let bounded = max(.nanoseconds(1), min(time, Limits.callDeadlineMax))
        return fields.deadline.map { min($0, bounded) } ?? bounded
    }
}

/// What of a call's head is HTTP/2's and gRPC's own, and the rest.
private struct CallHead {
    private(set) var method = ""
    private(set) var scheme = ""
    private(set) var path = ""
    private(set) var authority: String?
    private(set) var contentType: String?
    private(set) var timeout: String?
    private(set) var target: String?
    /// All else but `te`.
    private(set) var fields = HTTPHeaders()

    /// Whether it is gRPC, whatever its messages are written in.
    var isGRPC: Bool {
        guard let type = contentType?.lowercasedASCII, type.hasPrefix("application/grpc") else {
            return false
        }
        let rest = type.dropFirst("application/grpc".count).first
        return rest == nil || rest == "+" || rest == ";"
    }

    init(_ head: HPACKHeaders) throws(RequestRefusal) {
        fields.reserveCapacity(head.count)
        var length = 0
        var seen: Set<String> = []
        for (name, value, _) in head {
            length += name.utf8.count + value.utf8.count + 4
            guard HeaderRules.isWritable(name.first == ":" ? String(name.dropFirst()) : name, value) else {
                throw RequestRefusal(.requestMalformed, [Fact("field", "holds bytes that no field holds")])
            }
            switch name {
            case ":method", ":scheme", ":path", ":authority", "content-type", GRPCTimeout.field,
                GRPCTarget.field:
                guard seen.insert(name).inserted else {
                    throw RequestRefusal(.requestMalformed, [Fact(name, "given twice")])
                }
                take(name, value)
            case "te":
                guard value == "trailers" else {
                    throw RequestRefusal(.requestMalformed, [Fact(name, value)])
                }
            default:
                guard name.first != ":", !HeaderRules.isHopByHop(name) else {
                    throw RequestRefusal(
                        .requestMalformed, [Fact("field", String(name.prefix(Limits.documentText)))])
                }
                fields.add(name: name, value: value)
            }
        }
        guard length <= Limits.invocationHead else {
            throw RequestRefusal(.headTooLarge, [Fact("head limit", "\(Limits.invocationHead) bytes")])
        }
    }

    private mutating func take(_ name: String, _ value: String) {
        switch name {
        case ":method": method = value
        case ":scheme": scheme = value
        case ":path": path = value
        case ":authority": authority = value
        case GRPCTimeout.field: timeout = value
        case GRPCTarget.field: target = value
        default:
            contentType = value
            fields.add(name: name, value: value)
        }
    }
}
