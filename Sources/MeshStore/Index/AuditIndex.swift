import Foundation
import GRDB
import MeshAudit
import MeshBase

/// Finds audit events without reading the whole journal: one row for each event, in the store's file, with
/// what queries ask for and the places of the event's records.
///
/// The journal is the truth and the index follows it, in batches, up to a marked position; whoever asks is
/// answered from the records that the index finds and from those behind the mark, so that a call just made is
/// found at once. The index can be emptied at any time and fills itself again.
public final class AuditIndex: Sendable {
    let store: Store
    let journal: Journal

    /// - Precondition: nothing was appended to `journal` since it was opened. After a loss of power the index
    /// may have seen records that the journal lost; it forgets them here, before others take their places.
    public init(store: Store, journal: Journal) throws(StoreError) {
        self.store = store
        self.journal = journal
        let end = journal.end
        try storing(at: store.path) {
            try store.pool.write { database in
                guard try database.indexedPosition() > end else { return }
                try database.forgetIndexed(from: end)
            }
        }
    }

    /// Up to where the journal is indexed.
    public var position: JournalPosition {
        get throws(StoreError) {
            try storing(at: store.path) { try store.pool.read { try $0.indexedPosition() } }
        }
    }

    /// Indexes the next records of the journal, at most `limit`, in one transaction.
    public func catchUp(limit: Int = 512) throws(StoreError) -> AuditIndexProgress {
        let start = try position
        var batch = AuditBatch()
        var count = 0
        let end = try storing(at: store.path) {
            try journal.read(from: start) { item in
                batch.add(item)
                count += 1
                return count < limit ? .goOn : .stop
            }
        }
        guard end > start else { return AuditIndexProgress(indexed: 0, unreadable: 0, isComplete: true) }
        let found = batch
        let isFirst = try storing(at: store.path) {
            try store.pool.write { database in
                // Somebody else indexed the same records meanwhile.
                guard try database.indexedPosition() == start else { return false }
                // What a process left that ended while it emptied the index.
                try database.cachedStatement(sql: "DELETE FROM events WHERE position >= ?")
                    .execute(arguments: [start.number])
                try found.write(to: database)
                try database.setIndexedPosition(end)
                return true
            }
        }
        let unreadable = isFirst ? found.unreadable : 0
        return AuditIndexProgress(
            indexed: isFirst ? count : 0, unreadable: unreadable, isComplete: count < limit)
    }

    /// Follows the journal until the task is cancelled: one batch after another while it is behind, else
    /// every `interval`.
    ///
    /// A failure is tried again, and told once for as long as it stays the same: the journal loses nothing by
    /// it.
    public func keepUp(every interval: Duration, onFailure: @Sendable (StoreError) -> Void) async {
        var told: StoreError?
        while !Task.isCancelled {
            var isComplete = true
            do throws(StoreError) {
                isComplete = try await offPool { index throws(StoreError) in try index.catchUp().isComplete }
                told = nil
            } catch {
                if error != told { onFailure(error) }
                told = error
            }
            guard isComplete else { continue }
            do {
                try await Task.sleep(for: interval)
            } catch {
                return
            }
        }
    }

    /// What the journal begins and does not end, oldest first: at start, what a crash left. Indexes
    /// everything first.
    public func unfinishedCalls() throws(StoreError) -> UnfinishedCalls {
        while try !catchUp().isComplete {}
        return try storing(at: store.path) {
            let found = try store.pool.read { database in
                let underWay = "SELECT position FROM events WHERE settled IS NULL ORDER BY id"
                let unclosed = "SELECT position FROM unclosed_calls ORDER BY correlation"
                return try [underWay, unclosed].map { try Int64.fetchAll(database, sql: $0) }
            }
            let events = try found.map { try self.events(at: $0.map(JournalPosition.init(number:))) }
            return UnfinishedCalls(underWay: events[0], unclosed: events[1])
        }
    }

    /// What stands at `positions`, in their order, without what the journal has no more.
    private func events(at positions: [JournalPosition]) throws -> [AuditEvent] {
        let records = try journal.records(at: positions)
        return positions.compactMap { position in records[position].flatMap(AuditEvent.init(journalBytes:)) }
    }

    /// Removes journal segments whose time is over or that are beyond the journal's size, and then their
    /// rows.
    /// - Parameter age: how long events are kept; nil: however old they are.
    public func retire(at wall: WallTime, age: Duration?) throws(StoreError) {
        let first = journal.firstSegmentToKeep(at: wall, age: age)
        try storing(at: store.path) { try journal.retire(segmentsBefore: first) }
        let position = JournalPosition(segment: first, offset: 0).number
        _ = try store.removeInBatches { database in
            try database.execute(
                sql: """
                    DELETE FROM events WHERE position IN
                        (SELECT position FROM events WHERE position < ? LIMIT 500)
                    """,
                arguments: [position])
        }
        try storing(at: store.path) {
            try store.pool.write { database in
                try database.execute(
                    sql: "DELETE FROM unclosed_calls WHERE position < ?", arguments: [position])
            }
        }
    }

    /// Empties the index; `catchUp` fills it again from the journal.
    public func empty() throws(StoreError) {
        try storing(at: store.path) {
            try store.pool.write { database in
                try database.setIndexedPosition(.start)
                try database.execute(sql: "DELETE FROM unclosed_calls")
            }
        }
        _ = try store.removeInBatches { database in
            try database.execute(
                sql: "DELETE FROM events WHERE position IN (SELECT position FROM events LIMIT 500)")
        }
    }

    /// Runs blocking work on a thread that is not one of the concurrency runtime's.
    private func offPool<Result: Sendable>(
        _ body: @escaping @Sendable (AuditIndex) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        let result = await withCheckedContinuation { continuation in
            DispatchQueue.global(qos: .utility).async {
                do throws(StoreError) {
                    continuation.resume(returning: Swift.Result<Result, StoreError>.success(try body(self)))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }
}

/// What one batch did.
public struct AuditIndexProgress: Equatable, Sendable {
    /// How many records were read.
    public let indexed: Int
    /// How many of them, with damaged stretches, could not be read.
    public let unreadable: Int
    /// Whether the journal's end was reached.
    public let isComplete: Bool
}

extension Database {
    /// Up to where the journal is indexed.
    func indexedPosition() throws -> JournalPosition {
        JournalPosition(number: try Int64.fetchOne(self, sql: "SELECT position FROM indexed_position") ?? 0)
    }

    func setIndexedPosition(_ position: JournalPosition) throws {
        try execute(sql: "UPDATE indexed_position SET position = ?", arguments: [position.number])
    }

    /// Leaves what the records before `end` say. Which calls are unclosed is asked of all events: the end of
    /// any of them may be among what is forgotten.
    fileprivate func forgetIndexed(from end: JournalPosition) throws {
        let arguments: StatementArguments = [end.number]
        try execute(sql: "DELETE FROM events WHERE position >= ?", arguments: arguments)
        try execute(
            sql: "UPDATE events SET settled = NULL, success = 0 WHERE settled >= ?", arguments: arguments)
        try execute(
            sql: """
                DELETE FROM unclosed_calls;
                INSERT INTO unclosed_calls
                    SELECT correlation, max(position) FROM events AS attempt
                    WHERE type = 'attempt' AND correlation IS NOT NULL AND NOT EXISTS (
                        SELECT 1 FROM events WHERE correlation = attempt.correlation AND type = 'call')
                    GROUP BY correlation
                """)
        try setIndexedPosition(end)
    }
}
