import GRDB
import MeshAudit
import MeshBase

extension AuditIndex {
    /// What `query` asks for, newest first.
    ///
    /// Reads the index, then the journal behind the mark. When the index is more than a segment behind it
    /// catches up first, so that the memory which this takes is bounded by a segment.
    public func entries(_ query: AuditQuery) throws(StoreError) -> [AuditEntry] {
        while try position.segment + 1 < journal.end.segment {
            guard try !catchUp(limit: 4_096).isComplete else { break }
        }
        return try storing(at: store.path) {
            // One transaction, so that no batch moves the mark between the look at it and the rows.
            try store.pool.read { database in
                var tail = AuditBatch()
                try journal.read(from: database.indexedPosition()) { item in
                    tail.add(item)
                    return .goOn
                }
                var entries = tail.whole.map { AuditEntry(event: $0, stage: .ended) }
                entries += tail.fold.open.map { AuditEntry(event: $0, stage: .underWay) }
                var ended: Set<CorrelationID> = []
                for settlement in tail.fold.orphans {
                    guard let entry = try database.auditEntry(settlement.id), entry.stage == .underWay else {
                        continue
                    }
                    entries.append(AuditEntry(event: entry.event.settled(by: settlement), stage: .ended))
                    ended.insert(settlement.id)
                }
                entries += try indexed(query, beyond: ended, in: database)
                return Array(entries.filter(query.matches).sorted(by: AuditEntry.isNewer).prefix(query.limit))
            }
        }
    }

    /// What a peer asked about one call: only events in which it is source or target, whole ones.
    public func half(of correlation: CorrelationID, for peer: NodeID) throws(StoreError) -> [AuditEvent] {
        try entries(AuditQuery(correlation: correlation, node: peer))
            .filter { $0.stage == .ended && $0.event.isVisible(to: peer) }.map(\.event)
    }

    private func indexed(
        _ query: AuditQuery, beyond ended: Set<CorrelationID>, in database: Database
    ) throws -> [AuditEntry] {
        var terms: [String] = []
        var arguments: [(any DatabaseValueConvertible)?] = []
        func ask(_ term: String, _ values: (any DatabaseValueConvertible)?...) {
            guard values.allSatisfy({ $0 != nil }) else { return }
            terms.append(term)
            arguments += values
        }
        ask("correlation = ?", query.correlation?.blob)
        ask("(source = ? OR target = ?)", query.node?.description, query.node?.description)
        ask("principal = ?", query.principal?.description)
        ask("resource = ?", query.resource?.description)
        ask("type = ?", query.type?.rawValue)
        ask("time >= ?", query.from?.milliseconds)
        ask("time < ?", query.until?.milliseconds)
        if query.outcomes == .failures { ask("success = 0 AND stage = ?", AuditStage.ended.rawValue) }
        let condition = terms.isEmpty ? "" : " WHERE " + terms.joined(separator: " AND ")
        let sql = "SELECT stage, record FROM events\(condition) ORDER BY time DESC, id DESC LIMIT ?"
        arguments.append(query.limit + ended.count)
        return try Row.fetchAll(database, sql: sql, arguments: StatementArguments(arguments))
            .compactMap { AuditEntry(row: $0) }.filter { !ended.contains($0.event.id) }
    }
}
