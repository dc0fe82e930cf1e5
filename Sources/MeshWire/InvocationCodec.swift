import MeshBase
import MeshRouting

/// The heads of calls and answers as they cross a link, in binary: this is the path of every call, so nothing
/// is searched for, sorted or escaped.
///
/// A head is a version byte and then fields in a fixed order; texts carry their length before them, and a
/// byte of flags says which of those that may be absent are there. Both sides hold every field to the same
/// rule (`FieldRule`): a provider refuses what could change the shape of the HTTP message it makes of it, and
/// a consumer does not even send that.
public enum InvocationCodec {
    private static let version: UInt8 = 1
    /// Header fields of one head.
    static let headerLimit = 128
    /// Bytes of a method.
    private static let methodLimit = 32
    /// Bytes of a trace context: 55 in version 00, more in later ones.
    private static let traceparentLimit = 128

    private enum Flag {
        static let traceparent: UInt8 = 1
        static let agreement: UInt8 = 2
        static let query: UInt8 = 4
        static let idempotencyKey: UInt8 = 8
        static let answerHead: UInt8 = 16
        static let purpose: UInt8 = 32
        static let all: UInt8 = 63
    }

    private enum BodyKind {
        static let none: UInt8 = 0
        static let whole: UInt8 = 1
        static let streamed: UInt8 = 2
        static let streamedOfLength: UInt8 = 3
    }

    /// - Throws: `fieldRefused` for what the other side would refuse, `tooLong` beyond
    ///   `Limits.invocationHead`.
    public static func encode(_ call: Invocation) throws(WireError) -> [UInt8] {
        var writer = ByteWriter(reserving: 512)
        writer.append(version)
        writer.append(call.correlation)
        guard call.attempt > 0 else { throw .fieldRefused("attempt", at: writer.bytes.count) }
        writer.append(call.attempt)
        writer.append(number: call.remainingMilliseconds)
        try append(call.body, to: &writer)
        var flags: UInt8 = call.deadlineScope == .answerHead ? Flag.answerHead : 0
        if call.traceparent != nil { flags |= Flag.traceparent }
        if call.agreement != nil { flags |= Flag.agreement }
        if call.query != nil { flags |= Flag.query }
        if call.idempotencyKey != nil { flags |= Flag.idempotencyKey }
        if call.purpose != nil { flags |= Flag.purpose }
        writer.append(flags)
        if let agreement = call.agreement { writer.append(agreement.bytes) }
        try writer.append(principal: call.principal)
        writer.append(text: call.resource.description)
        writer.append(text: call.capability.description)
        try writer.append(call.method, "method", .method, limit: methodLimit)
        try writer.append(call.path, "path", .path, limit: Limits.invocationHead)
        if let query = call.query { try writer.append(query, "query", .query, limit: Limits.invocationHead) }
        if let trace = call.traceparent {
            try writer.append(trace, "traceparent", .traceparent, limit: traceparentLimit)
        }
        if let key = call.idempotencyKey {
            try writer.append(key, "idempotency key", .key, limit: Limits.idempotencyKey)
        }
        if let purpose = call.purpose { writer.append(text: purpose.description) }
        try writer.append(headers: call.headers)
        return try bounded(writer)
    }

    /// - Throws: at the first byte that is not as `encode` would have written it.
    public static func invocation(from bytes: UnsafeRawBufferPointer) throws(WireError) -> Invocation {
        var reader = try ByteReader(bytes, limit: Limits.invocationHead)
        try reader.version(version)
        let correlation = try reader.correlation()
        let attempt = try reader.byte()
        guard attempt > 0 else { throw .fieldRefused("attempt", at: reader.offset - 1) }
        let remaining = try reader.number(UInt32.self)
        let body = try body(from: &reader)
        let flags = try reader.byte()
        guard flags & ~Flag.all == 0 else { throw .fieldRefused("flags", at: reader.offset - 1) }
        let agreement = flags & Flag.agreement != 0 ? try reader.digest() : nil
        let principal = try reader.principal()
        let resource = try reader.resourceName()
        let capability = try reader.resourceName()
        let method = try reader.text("method", .method, limit: methodLimit)
        let path = try reader.text("path", .path, limit: Limits.invocationHead)
        let query =
            flags & Flag.query != 0 ? try reader.text("query", .query, limit: Limits.invocationHead) : nil
        let trace =
            flags & Flag.traceparent != 0
            ? try reader.text("traceparent", .traceparent, limit: traceparentLimit) : nil
        let key =
            flags & Flag.idempotencyKey != 0
            ? try reader.text("idempotency key", .key, limit: Limits.idempotencyKey) : nil
        let purpose = flags & Flag.purpose != 0 ? Purpose(try reader.resourceName()) : nil
        let headers = try reader.headers()
        try reader.finish()
        return Invocation(
            correlation: correlation, attempt: attempt, traceparent: trace, agreement: agreement,
            principal: principal, purpose: purpose,
            resource: resource, capability: capability, method: method, path: path, query: query,
            headers: headers,
            remainingMilliseconds: remaining,
            deadlineScope: flags & Flag.answerHead == 0 ? .wholeCall : .answerHead, idempotencyKey: key,
            body: body)
    }

    /// As `invocation(from:)` over a buffer.
    public static func invocation(from bytes: [UInt8]) throws(WireError) -> Invocation {
        try ByteReader.over(bytes, invocation(from:))
    }

    private static func append(_ body: RequestBody, to writer: inout ByteWriter) throws(WireError) {
        switch body {
        case .none: writer.append(BodyKind.none)
        case .whole(let length, let digest):
            writer.append(BodyKind.whole)
            guard (1...Int64(Limits.callBody)).contains(length) else {
                throw .fieldRefused("length of the body", at: writer.bytes.count)
            }
            writer.append(number: UInt32(length))
            writer.append(digest.bytes)
        case .streamed(nil): writer.append(BodyKind.streamed)
        case .streamed(let length?):
            writer.append(BodyKind.streamedOfLength)
            guard length > 0 else { throw .fieldRefused("length of the body", at: writer.bytes.count) }
            writer.append(number: length)
        }
    }

    private static func body(from reader: inout ByteReader) throws(WireError) -> RequestBody {
        switch try reader.byte() {
        case BodyKind.none: return .none
        case BodyKind.whole:
            let length = Int64(try reader.number(UInt32.self))
            guard (1...Int64(Limits.callBody)).contains(length) else {
                throw .fieldRefused("length of the body", at: reader.offset - 4)
            }
            return .whole(length: length, digest: try reader.digest())
        case BodyKind.streamed: return .streamed(length: nil)
        case BodyKind.streamedOfLength:
            let length = try reader.number(Int64.self)
            guard length > 0 else { throw .fieldRefused("length of the body", at: reader.offset - 8) }
            return .streamed(length: length)
        default: throw .fieldRefused("kind of the body", at: reader.offset - 1)
        }
    }

    /// The trailers in the payload of an `end` frame; no trailers are no bytes.
    public static func encode(trailers: [HeaderField]) throws(WireError) -> [UInt8] {
        guard !trailers.isEmpty else { return [] }
        var writer = ByteWriter(reserving: 256)
        try writer.append(headers: trailers)
        return try bounded(writer)
    }

    /// As `trailers(from:)` over a buffer.
    public static func trailers(from bytes: [UInt8]) throws(WireError) -> [HeaderField] {
        try ByteReader.over(bytes, trailers(from:))
    }

    /// The trailers in the payload of an `end` frame.
    public static func trailers(from bytes: UnsafeRawBufferPointer) throws(WireError) -> [HeaderField] {
        guard !bytes.isEmpty else { return [] }
        var reader = try ByteReader(bytes, limit: Limits.invocationHead)
        let trailers = try reader.headers()
        try reader.finish()
        guard !trailers.isEmpty else { throw .fieldRefused("number of trailers", at: 0) }
        return trailers
    }

    static func bounded(_ writer: ByteWriter) throws(WireError) -> [UInt8] {
        guard writer.bytes.count <= Limits.invocationHead else {
            throw .tooLong(bytes: writer.bytes.count, limit: Limits.invocationHead)
        }
        return writer.bytes
    }
}

extension ByteWriter {
    mutating func append(headers: [HeaderField]) throws(WireError) {
        guard headers.count <= InvocationCodec.headerLimit else {
            throw .fieldRefused("number of headers", at: bytes.count)
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
            throw .textRefused(flaw, at: bytes.count)
        }
        append(text: principal.description)
    }
}

extension ByteReader {
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
