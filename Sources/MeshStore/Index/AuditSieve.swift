import MeshAudit
import MeshBase
import MeshWire

/// Reads records of the journal in their order and keeps what a query wants of the events that begin among
/// them, by their outlines: nothing is decoded before it is known how many of them are answered.
struct AuditSieve {
    /// An event that is wanted, as the bytes of its records.
    struct Find {
        /// When it began, and its id, by which the newest are found.
        let order: (time: Int64, id: CorrelationID)
        /// Its only record, or that of its beginning.
        let beginning: [UInt8]
        /// That of its end; nil: its only record, or it is under way.
        var ending: [UInt8]?
        /// Whether it has ended.
        var hasEnded: Bool
        var success: Bool
    }

    private let terms: AuditTerms
    private let keepsEnds: Bool
    private(set) var finds: [Find] = []
    /// Those of them that are under way.
    private var open: [CorrelationID: Int] = [:]
    /// Ends of events that do not begin among the records, or are not wanted; kept where they may be those of
    /// events in blocks.
    private(set) var ends: [CorrelationID: [UInt8]] = [:]

    /// - Parameter keepsEnds: whether ends without a beginning are kept.
    init(_ terms: AuditTerms, keepsEnds: Bool) { (self.terms, self.keepsEnds) = (terms, keepsEnds) }

    /// The ids of the events that are under way.
    var idsUnderWay: some Collection<CorrelationID> { open.keys }

    /// Takes what the journal's reader met next.
    mutating func take(_ item: JournalItem) {
        guard case .record(_, _, let record) = item, let outline = AuditRecordOutline(of: record) else {
            return
        }
        switch outline.part {
        case .admitted(let subject):
            guard terms.admit(subject, of: record) else { return }
            open[outline.id] = finds.count
            finds.append(
                Find(
                    order: (subject.time.milliseconds, outline.id), beginning: record, hasEnded: false,
                    success: false))
        case .whole(let subject):
            // What else is not wanted goes at the end: most of what is looked through succeeded.
            guard terms.admit(subject, of: record), terms.admit(hasEnded: true, success: outline.success)
            else { return }
            finds.append(
                Find(
                    order: (subject.time.milliseconds, outline.id), beginning: record, hasEnded: true,
                    success: outline.success))
        case .settled: end(outline, with: record)
        }
    }

    private mutating func end(_ outline: AuditRecordOutline, with record: [UInt8]) {
        guard let index = open.removeValue(forKey: outline.id) else {
            if keepsEnds { ends[outline.id] = record }
            return
        }
        finds[index].ending = record
        finds[index].hasEnded = true
        finds[index].success = outline.success
    }

    /// Takes an end that stands elsewhere; one of an event that is not under way here changes nothing.
    mutating func take(end record: [UInt8]) {
        guard let outline = AuditRecordOutline(of: record), outline.part == .settled,
            open[outline.id] != nil
        else { return }
        end(outline, with: record)
    }

    /// What is wanted, behind the last record.
    var wanted: [Find] { finds.filter { terms.admit(hasEnded: $0.hasEnded, success: $0.success) } }
}

extension AuditSieve.Find {
    /// The newer first; of one millisecond, the greater id first.
    static func isNewer(_ left: Self, than right: Self) -> Bool { left.order > right.order }

    /// The event as a reader sees it; nil where this version cannot read the records.
    var entry: AuditEntry? {
        guard let event = AuditEvent(journalBytes: beginning) else { return nil }
        guard hasEnded else { return AuditEntry(event: event, stage: .underWay) }
        guard let ending else { return AuditEntry(event: event, stage: .ended) }
        guard case .settled(let settlement)? = AuditRecord(journalBytes: ending), settlement.id == event.id
        else { return nil }
        return AuditEntry(event: event.settled(by: settlement), stage: .ended)
    }
}

extension AuditRecord {
    /// Reads one record of the journal; nil for one that this version cannot read.
    init?(journalBytes bytes: [UInt8]) {
        do { self = try AuditRecordCodec.decode(bytes) } catch { return nil }
    }
}

extension AuditEvent {
    /// What is admitted or whole in one record of the journal; nil for another record.
    init?(journalBytes bytes: [UInt8]) {
        switch AuditRecord(journalBytes: bytes) {
        case .admitted(let event)?, .event(let event)?: self = event
        case .settled?, nil: return nil
        }
    }
}
