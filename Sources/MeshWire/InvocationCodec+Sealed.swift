import MeshBase
import MeshRouting

/// A call's head of which a part is sealed, as it came (Docs/Protocol.md, Sealed payloads).
///
///     2 | remaining ms | bound: correlation, attempt, flags, agreement, principal, purpose, resource,
///       capability, method | key (32) | encapsulated key (32) | sealed: body, flags, path, query, trace,
///       idempotency key, headers
///
/// Whoever carries it reads what stands before the keys, and no more. All of that but the remaining time,
/// which shrinks on the way, is bound to what is sealed, byte for byte.
public struct SealedInvocation: Equatable, Sendable {
    /// What stands in the open; of what is sealed nothing: its path is `/`, it has no headers and no body.
    public let open: Invocation
    /// To which key of the provider the rest is sealed.
    public let key: EncryptionKey
    /// The encapsulated key (RFC 9180 section 4), 32 bytes.
    public let encapsulated: [UInt8]
    /// The sealed part with its tag.
    public let sealed: [UInt8]
    /// The bytes to which it is bound.
    let bound: [UInt8]

    /// The `info` of the key schedule (RFC 9180 section 5.1): both ends, and the bound bytes.
    public func info(caller: NodeID, callee: NodeID) -> [UInt8] {
        InvocationCodec.info(bound, caller: caller, callee: callee)
    }
}

/// A call's head as it came.
public enum ReceivedInvocation: Equatable, Sendable {
    /// All of it can be read.
    case clear(Invocation)
    /// A part is sealed.
    case sealed(SealedInvocation)
}

extension InvocationCodec {
    private static var sealedVersion: UInt8 { 2 }
    /// Bytes of a public key, and of an encapsulated one.
    private static var keyLength: Int { 32 }

    /// Reads a head of either form.
    /// - Throws: at the first byte that is not as it would have been written.
    public static func received(from bytes: UnsafeRawBufferPointer) throws(WireError) -> ReceivedInvocation {
        guard bytes.first == sealedVersion else { return .clear(try invocation(from: bytes)) }
        return .sealed(try sealedInvocation(from: bytes))
    }

    /// As `received(from:)` over a buffer.
    public static func received(from bytes: [UInt8]) throws(WireError) -> ReceivedInvocation {
        try ByteReader.over(bytes, received(from:))
    }

    private static func sealedInvocation(
        from bytes: UnsafeRawBufferPointer
    ) throws(WireError) -> SealedInvocation {
        var reader = try ByteReader(bytes, limit: Limits.invocationHead)
        try reader.version(sealedVersion)
        let remaining = try reader.number(UInt32.self)
        let start = reader.offset
        let correlation = try reader.correlation()
        let attempt = try reader.attempt()
        let flags = try reader.flags(of: Flag.open)
        let addressing = try addressing(from: &reader, flags)
        let bound = Array(bytes[start..<reader.offset])
        guard let key = EncryptionKey(try reader.run(of: keyLength)) else {
            preconditionFailure("32 bytes are no key")
        }
        let encapsulated = Array(try reader.run(of: keyLength))
        let sealed = Array(try reader.run(of: bytes.count - reader.offset))
        let open = Invocation(
            correlation: correlation, attempt: attempt, traceparent: nil, agreement: addressing.agreement,
            principal: addressing.principal, purpose: addressing.purpose, resource: addressing.resource,
            capability: addressing.capability, method: addressing.method, path: "/", query: nil, headers: [],
            remainingMilliseconds: remaining, deadlineScope: scope(flags), idempotencyKey: nil, body: .none,
            sealedTo: key)
        return SealedInvocation(
            open: open, key: key, encapsulated: encapsulated, sealed: sealed, bound: bound)
    }

    /// The bytes to which the sealed part of `call` is bound.
    /// - Throws: `fieldRefused` for what the other side would refuse.
    public static func bound(of call: Invocation) throws(WireError) -> [UInt8] {
        var writer = ByteWriter(reserving: 160)
        writer.append(call.correlation)
        try writer.append(attempt: call.attempt)
        writer.append(openFlags(of: call))
        try append(addressing: call, to: &writer)
        return writer.bytes
    }

    /// As `SealedInvocation.info`, at the consumer.
    public static func info(_ bound: [UInt8], caller: NodeID, callee: NodeID) -> [UInt8] {
        var fields = FieldSequence(.sealedCall)
        fields.append(caller.digest)
        fields.append(callee.digest)
        fields.append(bound)
        return fields.bytes
    }

    /// What of `call` is to be sealed.
    /// - Throws: as `encode`.
    public static func closedPart(of call: Invocation) throws(WireError) -> [UInt8] {
        var writer = ByteWriter(reserving: 256)
        try append(call.body, to: &writer)
        writer.append(closedFlags(of: call))
        try append(asking: call, to: &writer)
        return try bounded(writer)
    }

    /// The head of `call`, a part of which was sealed.
    /// - Throws: `tooLong` beyond `Limits.invocationHead`.
    public static func encode(
        _ call: Invocation, bound: [UInt8], to key: EncryptionKey, encapsulated: [UInt8], sealed: [UInt8]
    ) throws(WireError) -> [UInt8] {
        precondition(encapsulated.count == keyLength, "an encapsulated key of \(encapsulated.count) bytes")
        var writer = ByteWriter(reserving: bound.count + sealed.count + 2 * keyLength + 5)
        writer.append(sealedVersion)
        writer.append(number: call.remainingMilliseconds)
        writer.append(bound)
        writer.append(key.bytes)
        writer.append(encapsulated)
        writer.append(sealed)
        return try bounded(writer)
    }

    /// The call, once its sealed part was opened.
    /// - Throws: at the first byte of `closed` that is not as `closedPart` would have written it.
    public static func completed(
        _ sealed: SealedInvocation, by closed: [UInt8]
    ) throws(WireError) -> Invocation {
        try ByteReader.over(closed) { raw throws(WireError) in
            var reader = try ByteReader(raw, limit: Limits.invocationHead)
            var call = sealed.open
            call.body = try body(from: &reader)
            let asking = try asking(from: &reader, try reader.flags(of: Flag.closed))
            try reader.finish()
            (call.path, call.query, call.headers) = (asking.path, asking.query, asking.headers)
            (call.traceparent, call.idempotencyKey) = (asking.traceparent, asking.idempotencyKey)
            return call
        }
    }

    // MARK: Answers

    /// Bytes of the answerer's nonce (RFC 9458 section 4.4).
    public static var answerNonceLength: Int { 16 }

    /// The head of an answer, sealed: its nonce, then what `encode(_:)` of the answer gave, sealed.
    public static func encode(sealedAnswer sealed: [UInt8], nonce: [UInt8]) throws(WireError) -> [UInt8] {
        precondition(nonce.count == answerNonceLength, "a nonce of \(nonce.count) bytes")
        var writer = ByteWriter(reserving: sealed.count + nonce.count + 1)
        writer.append(sealedVersion)
        writer.append(nonce)
        writer.append(sealed)
        return try bounded(writer)
    }

    /// The nonce and the sealed part of an answer's head; nil when it is not sealed.
    /// - Throws: `truncated`, `tooLong`.
    public static func sealedAnswer(
        from bytes: [UInt8]
    ) throws(WireError) -> (nonce: [UInt8], sealed: [UInt8])? {
        guard bytes.first == sealedVersion else { return nil }
        return try ByteReader.over(bytes) { raw throws(WireError) in
            var reader = try ByteReader(raw, limit: Limits.invocationHead)
            try reader.version(sealedVersion)
            let nonce = Array(try reader.run(of: answerNonceLength))
            return (nonce, Array(try reader.run(of: raw.count - reader.offset)))
        }
    }
}
