import Foundation
import GRDB
import MeshAudit
import MeshBase
import MeshWire

/// Some records of the journal, in order, as the events that they are or end.
struct AuditBatch: Sendable {
    private(set) var fold = AuditFold()
    /// Whole events with the place of their first record.
    private(set) var whole: [AuditEvent] = []
    private var positions: [CorrelationID: JournalPosition] = [:]
    /// Records that no codec reads, and damaged stretches.
    private(set) var unreadable = 0

    /// Takes what the journal's reader met next.
    mutating func add(_ item: JournalItem) {
        guard case .record(let position, _, let bytes) = item, let record = AuditRecord(journalBytes: bytes)
        else {
            unreadable += 1
            return
        }
        switch record {
        case .admitted(let event), .event(let event): positions[event.id] = position
        case .settled: break
        }
        if let event = fold.add(record) { whole.append(event) }
    }

    /// Puts one row for each event, and ends those whose end only is among the records.
    func write(to database: Database) throws {
        for event in whole { try insert(AuditEntry(event: event, stage: .ended), into: database) }
        for event in fold.open { try insert(AuditEntry(event: event, stage: .underWay), into: database) }
        try writeUnclosed(to: database)
        for settlement in fold.orphans {
            guard let entry = try database.auditEntry(settlement.id), entry.stage == .underWay else {
                continue
            }
            let event = entry.event.settled(by: settlement)
            try database.cachedStatement(
                sql: "UPDATE events SET stage = ?, success = ?, code = ?, record = ? WHERE id = ?"
            ).execute(arguments: [
                AuditStage.ended.rawValue, event.success, event.refusals.first?.code.rawValue,
                AuditRecordCodec.encode(.event(event)).blob, event.id.blob,
            ])
        }
    }

    /// Forgets the calls that are closed, and keeps the last attempt of those that are not.
    private func writeUnclosed(to database: Database) throws {
        for event in whole where event.type == .call {
            guard let call = event.correlation else { continue }
            try database.cachedStatement(sql: "DELETE FROM unclosed_calls WHERE correlation = ?")
                .execute(arguments: [call.blob])
        }
        for attempt in fold.unclosed {
            guard let call = attempt.correlation else { continue }
            try database.cachedStatement(sql: "INSERT OR REPLACE INTO unclosed_calls VALUES (?, ?)")
                .execute(arguments: [call.blob, AuditRecordCodec.encode(.event(attempt)).blob])
        }
    }

    private func insert(_ entry: AuditEntry, into database: Database) throws {
        let event = entry.event
        // A row that is there already was written before the mark was set back.
        let sql = """
            INSERT INTO events (id, time, type, correlation, source, target, principal, resource, capability,
                action, stage, success, code, position, record)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING
            """
        try database.cachedStatement(sql: sql).execute(arguments: [
            event.id.blob, event.time.milliseconds, event.type.rawValue, event.correlation?.blob,
            event.source.description, event.target.description, event.principal?.description,
            event.resource?.description, event.capability?.description, event.action, entry.stage.rawValue,
            event.success, event.refusals.first?.code.rawValue, positions[event.id]?.number ?? 0,
            AuditRecordCodec.encode(.event(event)).blob,
        ])
    }
}

extension AuditRecord {
    /// Reads one record of the journal; nil for one that this version cannot read.
    init?(journalBytes bytes: [UInt8]) {
        do {
            self = try bytes.withUnsafeBytes { bytes throws(WireError) in try AuditRecordCodec.decode(bytes) }
        } catch {
            return nil
        }
    }
}

extension AuditEntry {
    /// Reads `stage` and `record`; nil for a row that this version cannot read.
    init?(row: Row) {
        guard let text = row.converted("stage") as String?, let stage = AuditStage(rawValue: text),
            let bytes = row.converted("record") as Data?,
            case .event(let event)? = AuditRecord(journalBytes: [UInt8](bytes))
        else { return nil }
        self.init(event: event, stage: stage)
    }
}

extension CorrelationID {
    /// Sixteen bytes that sort as the id does.
    var blob: Data { (high.bigEndianBytes + low.bigEndianBytes).blob }
}

extension Database {
    /// Up to where the journal is indexed.
    func indexedPosition() throws -> JournalPosition {
        JournalPosition(number: try Int64.fetchOne(self, sql: "SELECT position FROM indexed_position") ?? 0)
    }

    func setIndexedPosition(_ position: JournalPosition) throws {
        try execute(sql: "UPDATE indexed_position SET position = ?", arguments: [position.number])
    }

    /// The entry of this event id.
    func auditEntry(_ id: CorrelationID) throws -> AuditEntry? {
        let statement = try cachedStatement(sql: "SELECT stage, record FROM events WHERE id = ?")
        return try Row.fetchOne(statement, arguments: [id.blob]).flatMap { AuditEntry(row: $0) }
    }
}
