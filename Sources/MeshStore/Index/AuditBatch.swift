import Foundation
import GRDB
import MeshAudit
import MeshBase
import MeshWire

/// Some records of the journal, in order, as the events that they are or end.
struct AuditBatch: Sendable {
    private(set) var fold = AuditFold()
    /// Events that are whole, in the order in which they became so.
    private(set) var whole: [AuditEvent] = []
    /// Of each of these the record that is kept in its row, where the journal holds just that.
    private var records: [[UInt8]?] = []
    private var positions: [CorrelationID: JournalPosition] = [:]
    /// Own calls whose first attempt is among the records: the index knows none of them.
    private var begun: Set<CorrelationID> = []
    /// Own calls that closed and of which the index may know an attempt.
    private var closed: [CorrelationID] = []
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
        case .admitted(let event):
            positions[event.id] = position
            if event.type == .attempt, event.attempt == 1, let call = event.correlation { begun.insert(call) }
        case .event(let event):
            positions[event.id] = position
            guard event.type == .call, let call = event.correlation, !begun.contains(call) else { break }
            closed.append(call)
        case .settled: break
        }
        guard let event = fold.add(record) else { return }
        whole.append(event)
        if case .event = record { records.append(bytes) } else { records.append(nil) }
    }

    /// Puts one row for each event, and ends those whose end only is among the records.
    func write(to database: Database) throws {
        var rows = try RowStatement(Self.insertion, in: database)
        for (event, record) in zip(whole, records) {
            try put(event, .ended, record ?? AuditRecordCodec.encode(.event(event)), with: &rows)
        }
        for event in fold.open {
            try put(event, .underWay, AuditRecordCodec.encode(.event(event)), with: &rows)
        }
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
        var forgetting = try RowStatement("DELETE FROM unclosed_calls WHERE correlation = ?", in: database)
        for call in closed {
            forgetting.bind(call)
            try forgetting.run()
        }
        var keeping = try RowStatement("INSERT OR REPLACE INTO unclosed_calls VALUES (?, ?)", in: database)
        for attempt in fold.unclosed {
            guard let call = attempt.correlation else { continue }
            keeping.bind(call)
            keeping.bind(AuditRecordCodec.encode(.event(attempt)))
            try keeping.run()
        }
    }

    // A row that is there already was written before the mark was set back.
    private static let insertion = """
        INSERT INTO events (id, time, type, correlation, source, target, principal, resource, capability,
            action, stage, success, code, position, record)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING
        """

    private func put(
        _ event: AuditEvent, _ stage: AuditStage, _ record: [UInt8], with rows: inout RowStatement
    ) throws {
        rows.bind(event.id)
        rows.bind(event.time.milliseconds)
        rows.bind(event.type.rawValue)
        rows.bind(event.correlation)
        rows.bind(event.source.description)
        rows.bind(event.target.description)
        rows.bind(event.principal?.description)
        rows.bind(event.resource?.description)
        rows.bind(event.capability?.description)
        rows.bind(event.action)
        rows.bind(stage.rawValue)
        rows.bind(event.success ? 1 : 0)
        rows.bind(event.refusals.first?.code.rawValue)
        rows.bind(positions[event.id]?.number ?? 0)
        rows.bind(record)
        try rows.run()
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
