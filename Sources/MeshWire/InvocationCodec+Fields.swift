import MeshBase
import MeshRouting

// The fields of a head.
extension ByteWriter {
    mutating func append(attempt: UInt8) throws(WireError) {
        guard attempt > 0 else { throw .fieldRefused("attempt", at: count) }
        append(attempt)
    }

    mutating func append(headers: [HeaderField]) throws(WireError) {
        guard headers.count <= InvocationCodec.headerLimit else {
            throw .fieldRefused("number of headers", at: count)
        }
        append(length: headers.count)
        for header in headers {
            try append(header.name, "header name", .fieldName, limit: 256)
            try append(
                header.value, "value of header \(header.name)", .fieldValue, limit: Limits.invocationHead)
        }
    }

    /// Held to NFC as well, since it is compared with what an agreement names.
    mutating func append(principal: Principal) throws(WireError) {
        if let flaw = TextRules.flaw(of: principal.description, limit: Limits.documentText) {
            throw .textRefused(flaw, at: count)
        }
        append(text: principal.description)
    }
}

extension ByteReader {
    mutating func attempt() throws(WireError) -> UInt8 {
        let attempt = try byte()
        guard attempt > 0 else { throw .fieldRefused("attempt", at: offset - 1) }
        return attempt
    }

    mutating func flags(of known: UInt8) throws(WireError) -> UInt8 {
        let flags = try byte()
        guard flags & ~known == 0 else { throw .fieldRefused("flags", at: offset - 1) }
        return flags
    }

    mutating func headers() throws(WireError) -> [HeaderField] {
        let count = try length()
        guard count <= InvocationCodec.headerLimit else {
            throw .fieldRefused("number of headers", at: offset)
        }
        var headers: [HeaderField] = []
        headers.reserveCapacity(count)
        for _ in 0..<count {
            let name = try text("header name", .fieldName, limit: 256)
            headers.append(
                HeaderField(name, try text("header value", .fieldValue, limit: Limits.invocationHead)))
        }
        return headers
    }

    mutating func principal() throws(WireError) -> Principal {
        let start = offset
        let text = try text("principal", .plain, limit: Limits.documentText)
        if let flaw = TextRules.flaw(of: text, limit: Limits.documentText) {
            throw .textRefused(flaw, at: start)
        }
        guard let principal = Principal(text) else { throw .fieldRefused("principal", at: start) }
        return principal
    }

    mutating func resourceName() throws(WireError) -> ResourceName {
        let start = offset
        guard let name = ResourceName(try text("resource name", .plain, limit: 64)) else {
            throw .fieldRefused("resource name", at: start)
        }
        return name
    }
}
