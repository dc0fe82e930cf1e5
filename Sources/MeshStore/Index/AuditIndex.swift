import Foundation
import GRDB
import MeshAudit
import MeshBase

/// Finds audit events without reading the whole journal: one row for each event, in the store's file.
///
/// The journal is the truth and the index follows it, in batches, up to a marked position; whoever asks is
/// answered from the index and from the journal behind the mark, so that a call just made is found at once.
/// The index can be emptied at any time and fills itself again.
public final class AuditIndex: Sendable {
    let store: Store
    let journal: Journal

    /// - Precondition: nothing was appended to `journal` since it was opened. After a loss of power the index
    /// may have seen records that the journal lost; the mark is set back here, before new records take their
    /// places. Their rows stay: they happened.
    public init(store: Store, journal: Journal) throws(StoreError) {
        self.store = store
        self.journal = journal
        let end = journal.end
        try storing(at: store.path) {
            try store.pool.write { database in
                guard try database.indexedPosition() > end else { return }
                try database.setIndexedPosition(end)
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
            try store.pool.read { database in
                let underWay = "SELECT stage, record FROM events WHERE stage = 'under-way' ORDER BY id"
                let unclosed =
                    "SELECT 'under-way' AS stage, record FROM unclosed_calls ORDER BY correlation"
                return UnfinishedCalls(
                    underWay: try Row.fetchAll(database, sql: underWay).compactMap {
                        AuditEntry(row: $0)?.event
                    },
                    unclosed: try Row.fetchAll(database, sql: unclosed).compactMap {
                        AuditEntry(row: $0)?.event
                    })
            }
        }
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
                    DELETE FROM events WHERE rowid IN (SELECT rowid FROM events WHERE position < ? LIMIT 500)
                    """,
                arguments: [position])
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
                sql: "DELETE FROM events WHERE rowid IN (SELECT rowid FROM events LIMIT 500)")
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
