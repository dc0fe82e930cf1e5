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

    enum Flag {
        static let traceparent: UInt8 = 1
        static let agreement: UInt8 = 2
        static let query: UInt8 = 4
        static let idempotencyKey: UInt8 = 8
        static let answerHead: UInt8 = 16
        static let purpose: UInt8 = 32
        static let open = agreement | answerHead | purpose
        static let closed = traceparent | query | idempotencyKey
        static let all = open | closed
    }

    private enum BodyKind {
        static let none: UInt8 = 0
        static let whole: UInt8 = 1
        static let streamed: UInt8 = 2
        static let streamedOfLength: UInt8 = 3
    }

    /// - Throws: `fieldRefused` for what the other side would refuse, `tooLong` beyond
    ///   `Limits.invocationHead`.
    /// - Precondition: the call is not to be sealed.
    public static func encode(_ call: Invocation) throws(WireError) -> [UInt8] {
        precondition(call.sealedTo == nil, "a head that is to be sealed is written in clear")
        var writer = ByteWriter(reserving: 512)
        writer.append(version)
        writer.append(call.correlation)
        try writer.append(attempt: call.attempt)
        writer.append(number: call.remainingMilliseconds)
        try append(call.body, to: &writer)
        writer.append(openFlags(of: call) | closedFlags(of: call))
        try append(addressing: call, to: &writer)
        try append(asking: call, to: &writer)
        return try bounded(writer)
    }

    /// - Throws: at the first byte that is not as `encode` would have written it.
    public static func invocation(from bytes: UnsafeRawBufferPointer) throws(WireError) -> Invocation {
        var reader = try ByteReader(bytes, limit: Limits.invocationHead)
        try reader.version(version)
        let correlation = try reader.correlation()
        let attempt = try reader.attempt()
        let remaining = try reader.number(UInt32.self)
        let body = try body(from: &reader)
        let flags = try reader.flags(of: Flag.all)
        let addressing = try addressing(from: &reader, flags)
        let asking = try asking(from: &reader, flags)
        try reader.finish()
        return Invocation(
            correlation: correlation, attempt: attempt, traceparent: asking.traceparent,
            agreement: addressing.agreement, principal: addressing.principal, purpose: addressing.purpose,
            resource: addressing.resource, capability: addressing.capability, method: addressing.method,
            path: asking.path, query: asking.query, headers: asking.headers,
            remainingMilliseconds: remaining,
            deadlineScope: scope(flags), idempotencyKey: asking.idempotencyKey, body: body)
    }

    // MARK: Its two parts: what a relay may read, and what is the provider's alone

    /// Who asks for what of what, under which agreement and for what purpose.
    struct Addressing {
        let agreement: Digest?
        let principal: Principal
        let purpose: Purpose?
        let resource: ResourceName
        let capability: ResourceName
        let method: String
    }

    /// What exactly is asked.
    struct Asking {
        let path: String
        let query: String?
        let traceparent: String?
        let idempotencyKey: String?
        let headers: [HeaderField]
    }

    static func openFlags(of call: Invocation) -> UInt8 {
        (call.deadlineScope == .answerHead ? Flag.answerHead : 0)
            | (call.agreement == nil ? 0 : Flag.agreement) | (call.purpose == nil ? 0 : Flag.purpose)
    }

    static func closedFlags(of call: Invocation) -> UInt8 {
        (call.traceparent == nil ? 0 : Flag.traceparent) | (call.query == nil ? 0 : Flag.query)
            | (call.idempotencyKey == nil ? 0 : Flag.idempotencyKey)
    }

    static func scope(_ flags: UInt8) -> DeadlineScope {
        flags & Flag.answerHead == 0 ? .wholeCall : .answerHead
    }

    static func append(addressing call: Invocation, to writer: inout ByteWriter) throws(WireError) {
        if let agreement = call.agreement { writer.append(agreement) }
        try writer.append(principal: call.principal)
        if let purpose = call.purpose { writer.append(text: purpose.description) }
        writer.append(text: call.resource.description)
        writer.append(text: call.capability.description)
        try writer.append(call.method, "method", .method, limit: methodLimit)
    }

    static func append(asking call: Invocation, to writer: inout ByteWriter) throws(WireError) {
        try writer.append(call.path, "path", .path, limit: Limits.invocationHead)
        if let query = call.query { try writer.append(query, "query", .query, limit: Limits.invocationHead) }
        if let trace = call.traceparent {
            try writer.append(trace, "traceparent", .traceparent, limit: traceparentLimit)
        }
        if let key = call.idempotencyKey {
            try writer.append(key, "idempotency key", .key, limit: Limits.idempotencyKey)
        }
        try writer.append(headers: call.headers)
    }

    static func addressing(from reader: inout ByteReader, _ flags: UInt8) throws(WireError) -> Addressing {
        Addressing(
            agreement: flags & Flag.agreement != 0 ? try reader.digest() : nil,
            principal: try reader.principal(),
            purpose: flags & Flag.purpose != 0 ? Purpose(try reader.resourceName()) : nil,
            resource: try reader.resourceName(), capability: try reader.resourceName(),
            method: try reader.text("method", .method, limit: methodLimit))
    }

    static func asking(from reader: inout ByteReader, _ flags: UInt8) throws(WireError) -> Asking {
        let path = try reader.text("path", .path, limit: Limits.invocationHead)
        let query =
            flags & Flag.query != 0 ? try reader.text("query", .query, limit: Limits.invocationHead) : nil
        let trace =
            flags & Flag.traceparent != 0
            ? try reader.text("traceparent", .traceparent, limit: traceparentLimit) : nil
        let key =
            flags & Flag.idempotencyKey != 0
            ? try reader.text("idempotency key", .key, limit: Limits.idempotencyKey) : nil
        return Asking(
            path: path, query: query, traceparent: trace, idempotencyKey: key,
            headers: try reader.headers())
    }

    /// As `invocation(from:)` over a buffer.
    public static func invocation(from bytes: [UInt8]) throws(WireError) -> Invocation {
        try ByteReader.over(bytes, invocation(from:))
    }

    static func append(_ body: RequestBody, to writer: inout ByteWriter) throws(WireError) {
        switch body {
        case .none: writer.append(BodyKind.none)
        case .whole(let length, let digest):
            writer.append(BodyKind.whole)
            guard (1...Int64(Limits.callBody)).contains(length) else {
                throw .fieldRefused("length of the body", at: writer.count)
            }
            writer.append(number: UInt32(length))
            writer.append(digest)
        case .streamed(nil): writer.append(BodyKind.streamed)
        case .streamed(let length?):
            writer.append(BodyKind.streamedOfLength)
            guard length > 0 else { throw .fieldRefused("length of the body", at: writer.count) }
            writer.append(number: length)
        }
    }

    static func body(from reader: inout ByteReader) throws(WireError) -> RequestBody {
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

    static func bounded(_ writer: borrowing ByteWriter) throws(WireError) -> [UInt8] {
        guard writer.count <= Limits.invocationHead else {
            throw .tooLong(bytes: writer.count, limit: Limits.invocationHead)
        }
        return writer.bytes
    }
}
