import MeshRouting
import NIOHPACK

/// A call's head as it goes to a gRPC server (gRPC over HTTP/2, "Requests").
enum GRPCRequestHead {
    /// The fields, or why there can be none. `grpc-timeout` is added when it leaves: by then time has passed.
    static func fields(of request: ResourceRequest) throws(ResourceFailure) -> HPACKHeaders {
        guard request.method == "POST" else { throw .requestInvalid("method") }
        guard case .allowed(request.path) = RequestPath.normalised(request.path) else {
            throw .requestInvalid("path")
        }
        guard request.query == nil else { throw .requestInvalid("query") }
        var fields = HPACKHeaders()
        fields.reserveCapacity(request.headers.count + request.added.count + 6)
        fields.add(name: ":method", value: "POST")
        fields.add(name: ":scheme", value: "http")
        fields.add(name: ":path", value: request.path)
        fields.add(name: ":authority", value: request.url.authority)
        fields.add(name: "te", value: "trailers")
        for field in request.headers {
            let name = field.name.lowercasedASCII
            guard name != GRPCTimeout.field, request.passes(name, []) else { continue }
            try write(name, field.value, into: &fields)
        }
        for field in request.added { try write(field.name.lowercasedASCII, field.value, into: &fields) }
        return fields
    }

    // The fields crossed a link. Other callers' heads share the connection's table: what proves somebody is
    // not kept there.
    private static func write(
        _ name: String, _ value: String, into fields: inout HPACKHeaders
    ) throws(ResourceFailure) {
        guard HeaderRules.isWritable(name, value) else { throw .requestInvalid("header field") }
        let isSecret = name == "authorization" || name == "cookie"
        fields.add(name: name, value: value, indexing: isSecret ? .neverIndexed : .indexable)
    }
}

/// Fields as HTTP/2 has them, in both directions.
enum GRPCFields {
    /// The fields of an answer that pass, or of what follows it; pseudo-fields are left out.
    static func passing(_ fields: HPACKHeaders) -> [HeaderField] {
        var passing: [HeaderField] = []
        passing.reserveCapacity(fields.count)
        for (name, value, _) in fields
        where name.utf8.first != UInt8(ascii: ":") && !HeaderRules.isHopByHop(name)
            && !HeaderRules.isReserved(name) && HeaderRules.isWritable(name, value)
        {
            passing.append(HeaderField(name, value.trimmed))
        }
        return passing
    }

    /// The status of an answer's head: three digits; nil for anything else.
    static func status(_ fields: HPACKHeaders) -> Int? {
        guard let text = fields.first(name: ":status"), text.utf8.count == 3,
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return Int(text)
    }
}
