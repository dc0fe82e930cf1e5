import MeshAudit
import MeshBase

/// What finds a record of the audit again, and where it stands in the record's bytes: for an index that reads
/// every record of every call. Texts are not made and not looked at; only `AuditRecordCodec` says whether the
/// whole record is one.
public struct AuditRecordOutline: Equatable, Sendable {
    /// What the record says of an event.
    public enum Part: Equatable, Sendable {
        /// That it began.
        case admitted(Subject)
        /// How it ended, and nothing else.
        case settled
        /// Everything.
        case whole(Subject)
    }

    /// Who and what an event is about. Each range is one of the record's bytes.
    public struct Subject: Equatable, Sendable {
        /// Milliseconds since the Unix epoch.
        public let time: WallTime
        /// The name of its `AuditEventType`.
        public let type: Range<Int>
        /// The 32 bytes of its source's id.
        public let source: Range<Int>
        /// The 32 bytes of its target's id.
        public let target: Range<Int>
        /// Of the call's attempts the how manieth, from 1; 0 for what is none.
        public let attempt: UInt8
        /// The call that it belongs to.
        public let correlation: CorrelationID?
        /// The 16 bytes of that.
        public let correlationBytes: Range<Int>?
        /// Who asked, as text.
        public let principal: Range<Int>?
        /// What was asked for, as text.
        public let resource: Range<Int>?
    }

    /// Where every record has the 16 bytes of the event's id.
    public static let idBytes = 2..<18

    /// The event.
    public let id: CorrelationID
    /// Whether it succeeded, as far as this record knows.
    public let success: Bool
    /// What the record says of it.
    public let part: Part

    /// - Throws: at the first byte, up to the last of these fields, that is not as `AuditRecordCodec` writes
    /// it.
    public init(_ bytes: UnsafeRawBufferPointer) throws(WireError) {
        var reader = try ByteReader(bytes, limit: Limits.auditRecord)
        try reader.version(AuditRecordCodec.version)
        let kind = try reader.byte()
        guard kind <= AuditRecordCodec.Kind.event else {
            throw .fieldRefused("kind of record", at: reader.offset - 1)
        }
        id = try reader.correlation()
        let time = WallTime(milliseconds: try reader.number(Int64.self))
        let isSettlement = kind == AuditRecordCodec.Kind.settled
        let has = try AuditRecordCodec.presence(
            from: &reader, allowed: isSettlement ? .ofSettlement : .ofEvent)
        success = has.contains(.success)
        guard !isSettlement else {
            part = .settled
            return
        }
        let subject = try Self.subject(at: time, has, from: &reader)
        part = kind == AuditRecordCodec.Kind.admitted ? .admitted(subject) : .whole(subject)
    }

    private static func subject(
        at time: WallTime, _ has: AuditRecordCodec.Presence, from reader: inout ByteReader
    ) throws(WireError) -> Subject {
        let type = try reader.textRange("event type", limit: Fitting.nameLimit)
        let source = try reader.range(of: 32)
        let target = try reader.range(of: 32)
        // Duration and the two lengths.
        _ = try reader.range(of: 3 * 8)
        let attempt = try reader.byte()
        _ = try reader.textRange("action", limit: Limits.documentText)
        let start = reader.offset
        let correlation = has.contains(.correlation) ? try reader.correlation() : nil
        return Subject(
            time: time, type: type, source: source, target: target, attempt: attempt,
            correlation: correlation, correlationBytes: correlation == nil ? nil : start..<reader.offset,
            principal: has.contains(.principal)
                ? try reader.textRange("principal", limit: Limits.documentText) : nil,
            resource: has.contains(.resource)
                ? try reader.textRange("resource name", limit: Fitting.nameLimit) : nil)
    }
}
