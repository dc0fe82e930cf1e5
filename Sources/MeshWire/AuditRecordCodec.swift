import MeshAudit
import MeshBase

/// Records of the audit as the journal keeps them, in binary. Length and checksum are the journal's own.
///
/// Encoding never fails and never exceeds `Limits.auditRecord`: the audit must take what happened, whatever
/// it was. Texts from elsewhere are cut at 256 bytes with `…` behind, control characters become U+FFFD, and
/// of the metadata, as of the refusals, as much is kept, from the front, as fits in 6 KiB; a last fact then
/// says how many were left out (`Fitting`).
public enum AuditRecordCodec {
    static let version: UInt8 = 1

    enum Kind {
        static let admitted: UInt8 = 0
        static let settled: UInt8 = 1
        static let event: UInt8 = 2
    }

    /// Which of the fields that may be absent are there; the success itself is one bit as well.
    struct Presence: OptionSet {
        let rawValue: UInt16
        static let success = Presence(rawValue: 1 << 0)
        static let correlation = Presence(rawValue: 1 << 1)
        static let principal = Presence(rawValue: 1 << 2)
        static let resource = Presence(rawValue: 1 << 3)
        static let capability = Presence(rawValue: 1 << 4)
        static let agreement = Presence(rawValue: 1 << 5)
        static let requestDigest = Presence(rawValue: 1 << 6)
        static let answerDigest = Presence(rawValue: 1 << 7)
        static let status = Presence(rawValue: 1 << 8)
        static let traceparent = Presence(rawValue: 1 << 9)
        static let breaker = Presence(rawValue: 1 << 10)
        static let request = Presence(rawValue: 1 << 11)
        static let ofEvent = Presence(rawValue: 1 << 11 - 1)
        static let ofSettlement: Presence = [.success, .answerDigest, .status, .request, .requestDigest]
    }

    /// The bytes of `record`; see above for what is cut.
    public static func encode(_ record: AuditRecord) -> [UInt8] { written(record).bytes }

    /// Appends the bytes of `record` to `bytes`.
    public static func encode(_ record: AuditRecord, into bytes: inout [UInt8]) {
        written(record).copy(into: &bytes)
    }

    private static func written(_ record: AuditRecord) -> ByteWriter {
        var writer = ByteWriter(reserving: 384)
        writer.append(version)
        switch record {
        case .admitted(let event):
            writer.append(Kind.admitted)
            append(event, to: &writer)
        case .settled(let settlement):
            writer.append(Kind.settled)
            append(settlement, to: &writer)
        case .event(let event):
            writer.append(Kind.event)
            append(event, to: &writer)
        }
        precondition(
            writer.count <= Limits.auditRecord, "an audit record of \(writer.count) bytes")
        return writer
    }

    /// - Throws: at the first byte that is not as `encode` would have written it.
    public static func decode(_ bytes: UnsafeRawBufferPointer) throws(WireError) -> AuditRecord {
        var reader = try ByteReader(bytes, limit: Limits.auditRecord)
        try reader.version(version)
        let kind = try reader.byte()
        let record: AuditRecord
        switch kind {
        case Kind.admitted: record = .admitted(try event(from: &reader))
        case Kind.settled: record = .settled(try settlement(from: &reader))
        case Kind.event: record = .event(try event(from: &reader))
        default: throw .fieldRefused("kind of record", at: reader.offset - 1)
        }
        try reader.finish()
        return record
    }

    /// As `decode` over a buffer.
    public static func decode(_ bytes: [UInt8]) throws(WireError) -> AuditRecord {
        try ByteReader.over(bytes, decode(_:))
    }

    private static func append(_ event: AuditEvent, to writer: inout ByteWriter) {
        writer.append(event.id)
        writer.append(number: event.time.milliseconds)
        writer.append(number: presence(of: event).rawValue)
        writer.append(text: event.type.rawValue)
        writer.append(event.source.digest)
        writer.append(event.target.digest)
        writer.append(number: event.durationInMilliseconds)
        writer.append(number: event.requestLength)
        writer.append(number: event.answerLength)
        writer.append(event.attempt)
        writer.append(fitting: event.action, limit: Limits.documentText)
        if let correlation = event.correlation { writer.append(correlation) }
        if let principal = event.principal {
            writer.append(fitting: principal.description, limit: Limits.documentText)
        }
        if let resource = event.resource { writer.append(text: resource.description) }
        if let capability = event.capability { writer.append(text: capability.description) }
        if let agreement = event.agreement { writer.append(agreement) }
        if let digest = event.requestDigest { writer.append(digest) }
        if let digest = event.answerDigest { writer.append(digest) }
        if let status = event.status { writer.append(number: status) }
        if let trace = event.traceparent {
            writer.append(fitting: trace, limit: Limits.documentText)
        }
        if let breaker = event.breaker {
            writer.append(fitting: breaker, limit: Limits.documentText)
        }
        writer.append(refusals: event.refusals)
        writer.append(facts: event.metadata)
    }

    private static func presence(of event: AuditEvent) -> Presence {
        var presence: Presence = event.success ? [.success] : []
        if event.correlation != nil { presence.insert(.correlation) }
        if event.principal != nil { presence.insert(.principal) }
        if event.resource != nil { presence.insert(.resource) }
        if event.capability != nil { presence.insert(.capability) }
        if event.agreement != nil { presence.insert(.agreement) }
        if event.requestDigest != nil { presence.insert(.requestDigest) }
        if event.answerDigest != nil { presence.insert(.answerDigest) }
        if event.status != nil { presence.insert(.status) }
        if event.traceparent != nil { presence.insert(.traceparent) }
        if event.breaker != nil { presence.insert(.breaker) }
        return presence
    }

    private static func event(from reader: inout ByteReader) throws(WireError) -> AuditEvent {
        let id = try reader.correlation()
        let time = WallTime(milliseconds: try reader.number(Int64.self))
        let has = try presence(from: &reader, allowed: .ofEvent)
        let start = reader.offset
        guard
            let type = AuditEventType(
                rawValue: try reader.text("event type", .plain, limit: Fitting.nameLimit))
        else {
            throw .fieldRefused("event type", at: start)
        }
        let source = NodeID(try reader.digest())
        let target = NodeID(try reader.digest())
        var event = AuditEvent(
            id: id, time: time, type: type, source: source, target: target, action: "",
            success: has.contains(.success))
        event.durationInMilliseconds = try reader.number(Int64.self)
        event.requestLength = try reader.number(Int64.self)
        event.answerLength = try reader.number(Int64.self)
        event.attempt = try reader.byte()
        event.action = try reader.text("action", .plain, limit: Limits.documentText)
        if has.contains(.correlation) { event.correlation = try reader.correlation() }
        if has.contains(.principal) { event.principal = try principal(from: &reader) }
        if has.contains(.resource) { event.resource = try reader.resourceName() }
        if has.contains(.capability) { event.capability = try reader.resourceName() }
        if has.contains(.agreement) { event.agreement = try reader.digest() }
        if has.contains(.requestDigest) { event.requestDigest = try reader.digest() }
        if has.contains(.answerDigest) { event.answerDigest = try reader.digest() }
        if has.contains(.status) { event.status = try reader.number(UInt16.self) }
        if has.contains(.traceparent) {
            event.traceparent = try reader.text("traceparent", .plain, limit: Limits.documentText)
        }
        if has.contains(.breaker) {
            event.breaker = try reader.text("breaker", .plain, limit: Limits.documentText)
        }
        event.refusals = try reader.refusals()
        event.metadata = try reader.facts()
        return event
    }

    private static func append(_ settlement: AuditSettlement, to writer: inout ByteWriter) {
        var presence: Presence = settlement.success ? [.success] : []
        if settlement.answerDigest != nil { presence.insert(.answerDigest) }
        if settlement.status != nil { presence.insert(.status) }
        if settlement.request != nil { presence.insert(.request) }
        if settlement.request?.digest != nil { presence.insert(.requestDigest) }
        writer.append(settlement.id)
        writer.append(number: settlement.time.milliseconds)
        writer.append(number: presence.rawValue)
        writer.append(number: settlement.durationInMilliseconds)
        writer.append(number: settlement.answerLength)
        if let digest = settlement.answerDigest { writer.append(digest) }
        if let status = settlement.status { writer.append(number: status) }
        if let request = settlement.request {
            writer.append(number: request.length)
            if let digest = request.digest { writer.append(digest) }
        }
        writer.append(refusals: settlement.refusals)
    }

    private static func settlement(from reader: inout ByteReader) throws(WireError) -> AuditSettlement {
        let id = try reader.correlation()
        let time = WallTime(milliseconds: try reader.number(Int64.self))
        let has = try presence(from: &reader, allowed: .ofSettlement)
        let duration = try reader.number(Int64.self)
        let length = try reader.number(Int64.self)
        let digest = has.contains(.answerDigest) ? try reader.digest() : nil
        let status = has.contains(.status) ? try reader.number(UInt16.self) : nil
        guard has.contains(.request) || !has.contains(.requestDigest) else {
            throw .fieldRefused("flags", at: reader.offset)
        }
        var request: BodySummary?
        if has.contains(.request) {
            let length = try reader.number(Int64.self)
            request = BodySummary(
                length: length, digest: has.contains(.requestDigest) ? try reader.digest() : nil)
        }
        return AuditSettlement(
            id: id, time: time, success: has.contains(.success), refusals: try reader.refusals(),
            durationInMilliseconds: duration, answerDigest: digest, answerLength: length, status: status,
            request: request)
    }

    static func presence(from reader: inout ByteReader, allowed: Presence) throws(WireError)
        -> Presence
    {
        let presence = Presence(rawValue: try reader.number(UInt16.self))
        guard presence.isSubset(of: allowed) else { throw .fieldRefused("flags", at: reader.offset - 2) }
        return presence
    }

    private static func principal(from reader: inout ByteReader) throws(WireError) -> Principal {
        let start = reader.offset
        guard let principal = Principal(try reader.text("principal", .plain, limit: Limits.documentText))
        else {
            throw .fieldRefused("principal", at: start)
        }
        return principal
    }
}
