import Foundation
import GRDB
import MeshAudit
import MeshBase
import MeshWire

extension AuditIndex {
    /// What `query` asks for, newest first.
    ///
    /// Reads the index and the records that it finds, then the journal behind the mark. When the index is
    /// more than a segment behind it catches up first, so that the memory which this takes is bounded by a
    /// segment.
    public func entries(_ query: AuditQuery) throws(StoreError) -> [AuditEntry] {
        while try position.segment + 1 < journal.end.segment {
            guard try !catchUp(limit: 4_096).isComplete else { break }
        }
        return try storing(at: store.path) {
            // One transaction, so that no batch moves the mark between the look at it and the rows.
            let (tail, found) = try store.pool.read { database in
                let mark = try database.indexedPosition()
                var tail = AuditTail()
                try journal.read(from: mark) { item in
                    tail.add(item)
                    return .goOn
                }
                tail.finish()
                var found = try indexed(query, before: mark, without: tail.ends.count, in: database)
                let begun = try database.cachedStatement(
                    sql: "SELECT position, settled FROM events WHERE id = ? AND settled IS NULL")
                for id in tail.ends.keys {
                    found += try FoundEvent.fetchAll(begun, arguments: [id.blob])
                }
                return (tail, found)
            }
            let records = try journal.records(at: found.flatMap(\.positions))
            // What ends behind the mark may have been found as well by what was asked for.
            let before = Dictionary(found.map { ($0.position, $0) }, uniquingKeysWith: { first, _ in first })
                .values.compactMap { $0.entry(of: records) }.map(tail.continued)
            return Array(
                (tail.entries + before).filter(query.matches).sorted(by: AuditEntry.isNewer)
                    .prefix(query.limit))
        }
    }

    /// What a peer asked about one call: only events in which it is source or target, whole ones.
    public func half(of correlation: CorrelationID, for peer: NodeID) throws(StoreError) -> [AuditEvent] {
        try entries(AuditQuery(correlation: correlation, node: peer))
            .filter { $0.stage == .ended && $0.event.isVisible(to: peer) }.map(\.event)
    }

    /// - Parameter without: so many of what is found may turn out to be none that is asked for.
    private func indexed(
        _ query: AuditQuery, before mark: JournalPosition, without: Int, in database: Database
    ) throws -> [FoundEvent] {
        var terms = ["position < ?"]
        var arguments: [(any DatabaseValueConvertible)?] = [mark.number]
        func ask(_ term: String, _ values: (any DatabaseValueConvertible)?...) {
            guard values.allSatisfy({ $0 != nil }) else { return }
            terms.append(term)
            arguments += values
        }
        let node = query.node?.digest.bytes.blob
        ask("correlation = ?", query.correlation?.blob)
        ask("(source = ? OR target = ?)", node, node)
        ask("principal = ?", query.principal?.description)
        ask("resource = ?", query.resource?.description)
        ask("type = ?", query.type?.rawValue)
        ask("time >= ?", query.from?.milliseconds)
        ask("time < ?", query.until?.milliseconds)
        if query.outcomes == .failures { terms.append("success = 0 AND settled IS NOT NULL") }
        let sql = """
            SELECT position, settled FROM events WHERE \(terms.joined(separator: " AND "))
            ORDER BY time DESC, id DESC LIMIT ?
            """
        arguments.append(query.limit + without)
        return try FoundEvent.fetchAll(database, sql: sql, arguments: StatementArguments(arguments))
    }
}

/// An event of the index: where its records stand.
private struct FoundEvent: FetchableRecord, Sendable {
    /// Its only record, or that of its admission.
    let position: JournalPosition
    /// Where its end stands: its only record, or that of its settlement; nil: it is under way.
    let settled: JournalPosition?

    init(row: Row) {
        position = JournalPosition(number: row["position"])
        settled = (row["settled"] as Int64?).map(JournalPosition.init(number:))
    }

    var positions: [JournalPosition] { [position] + (settled.map { $0 == position ? [] : [$0] } ?? []) }

    /// The event; nil where the journal has it no more, or not as it was written.
    func entry(of records: [JournalPosition: [UInt8]]) -> AuditEntry? {
        guard let event = records[position].flatMap(AuditEvent.init(journalBytes:)) else { return nil }
        guard let settled else { return AuditEntry(event: event, stage: .underWay) }
        if settled == position { return AuditEntry(event: event, stage: .ended) }
        guard case .settled(let settlement)? = records[settled].flatMap(AuditRecord.init(journalBytes:)),
            settlement.id == event.id
        else { return nil }
        return AuditEntry(event: event.settled(by: settlement), stage: .ended)
    }
}

/// What is behind the index's mark, and what it makes of what is before.
private struct AuditTail {
    private var fold = AuditFold()
    private var ended: [AuditEvent] = []
    /// Ends of events that began before the mark.
    private(set) var ends: [CorrelationID: AuditSettlement] = [:]

    /// Takes the next record behind the mark.
    mutating func add(_ item: JournalItem) {
        guard case .record(_, _, let bytes) = item, let record = AuditRecord(journalBytes: bytes) else {
            return
        }
        if let event = fold.add(record) { ended.append(event) }
    }

    /// Behind the last record.
    mutating func finish() { for end in fold.orphans { ends[end.id] = end } }

    /// The events behind the mark.
    var entries: [AuditEntry] {
        ended.map { AuditEntry(event: $0, stage: .ended) }
            + fold.open.map { AuditEntry(event: $0, stage: .underWay) }
    }

    /// An event before the mark as it stands now.
    func continued(_ entry: AuditEntry) -> AuditEntry {
        guard entry.stage == .underWay, let end = ends[entry.event.id] else { return entry }
        return AuditEntry(event: entry.event.settled(by: end), stage: .ended)
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

extension CorrelationID {
    /// Sixteen bytes that sort as the id does.
    var blob: Data { (high.bigEndianBytes + low.bigEndianBytes).blob }
}
