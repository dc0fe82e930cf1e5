import Foundation
import GRDB
import MeshAudit
import MeshBase

/// Finds audit events without reading the whole journal: a row in the store's file for each block of it, a
/// few megabytes, which tells what the block may hold (decision 0045).
///
/// The journal is the truth and the index follows it up to a marked position, in blocks, never beyond what is
/// synced; whoever asks is answered from the blocks that may hold it and from the records behind the mark, so
/// that a call just made is found at once. The index can be emptied at any time and fills itself again.
public final class AuditIndex: Sendable {
    /// How much of the journal one block takes, and so what stands behind the mark at most while the index
    /// keeps up.
    public static let blockBytes = 4 << 20

    let store: Store
    let journal: Journal
    private let blockBytes: Int

    /// - Parameter blockBytes: how much of the journal one block takes at least, or all up to the end of a
    /// segment; at least one.
    /// - Precondition: nothing was appended to `journal` since it was opened. Where a disk lost what it had
    /// said was synced, the index may have seen records that the journal has no more; it is made anew then,
    /// before others take their places.
    public init(store: Store, journal: Journal, blockBytes: Int = AuditIndex.blockBytes) throws(StoreError) {
        precondition(blockBytes > 0, "a block of \(blockBytes) bytes")
        (self.store, self.journal, self.blockBytes) = (store, journal, blockBytes)
        if try position > journal.end { try empty() }
    }

    /// Up to where the journal is indexed.
    public var position: JournalPosition {
        get throws(StoreError) {
            try storing(at: store.path) { try store.pool.read { try $0.indexedPosition() } }
        }
    }

    /// Indexes the next records of the journal as one block, at most `limit`, in one transaction, once they
    /// are synced: waits for that.
    public func catchUp(limit: Int = .max) throws(StoreError) -> AuditIndexProgress {
        let start = try position
        var block = AuditBlock(behind: start)
        var isComplete = true
        try storing(at: store.path) {
            let end = journal.end
            try journal.sync(upTo: end)
            try journal.read(from: start) { item in
                guard item.position < end else { return .stop }
                let isFull = block.count >= limit || block.isAtLeast(blockBytes)
                isComplete = !isFull && block.take(item)
                return isComplete ? .goOn : .stop
            }
        }
        let found = block
        guard found.count > 0 else { return AuditIndexProgress(indexed: 0, unreadable: 0, isComplete: true) }
        let isFirst = try storing(at: store.path) {
            try store.pool.write { database in
                // Somebody else indexed the same records meanwhile.
                guard try database.indexedPosition() == start else { return false }
                try database.forgetBlocks(from: start)
                try found.write(to: database)
                try database.setIndexedPosition(found.end)
                return true
            }
        }
        return AuditIndexProgress(
            indexed: isFirst ? found.count : 0, unreadable: isFirst ? found.unreadable : 0,
            isComplete: isComplete)
    }

    /// Follows the journal until the task is cancelled, a block at a time: looks every `interval` whether one
    /// is there.
    ///
    /// A failure is tried again, and told once for as long as it stays the same: the journal loses nothing by
    /// it.
    public func keepUp(every interval: Duration, onFailure: @Sendable (StoreError) -> Void) async {
        var told: StoreError?
        while !Task.isCancelled {
            var isBehind = false
            do throws(StoreError) {
                isBehind = try await offPool { index throws(StoreError) in try index.indexFullBlock() }
                told = nil
            } catch {
                // The journal may be closed meanwhile by who told it to stop.
                if error != told, !Task.isCancelled { onFailure(error) }
                told = error
            }
            guard !isBehind else { continue }
            do {
                try await Task.sleep(for: interval)
            } catch {
                return
            }
        }
    }

    /// Indexes a block where a whole one is there.
    /// - Returns: whether it was.
    private func indexFullBlock() throws(StoreError) -> Bool {
        let (mark, end) = (try position, journal.end)
        guard mark.segment < end.segment || Int(end.offset) - Int(mark.offset) >= blockBytes else {
            return false
        }
        return try catchUp().indexed > 0
    }

    /// What the journal begins and does not end, oldest first: at start, what a crash left. Indexes
    /// everything first.
    public func unfinishedCalls() throws(StoreError) -> UnfinishedCalls {
        while try !catchUp().isComplete {}
        return try storing(at: store.path) {
            let found = try store.pool.read { database in
                let underWay = "SELECT position FROM events_under_way ORDER BY id"
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

    /// Removes journal segments whose time is over or that are beyond the journal's size, and then what the
    /// index has of them.
    /// - Parameter age: how long events are kept; nil: however old they are.
    public func retire(at wall: WallTime, age: Duration?) throws(StoreError) {
        let first = journal.firstSegmentToKeep(at: wall, age: age)
        try storing(at: store.path) {
            try journal.retire(segmentsBefore: first)
            let position = JournalPosition(segment: first, offset: 0)
            try store.pool.write { try $0.forgetBlocks(before: position) }
        }
        try removeLateEnds(before: JournalPosition(segment: first, offset: 0))
    }

    /// Empties the index; `catchUp` fills it again from the journal.
    public func empty() throws(StoreError) {
        try storing(at: store.path) {
            try store.pool.write { database in
                try database.setIndexedPosition(.start)
                try database.forgetBlocks(from: .start)
                try database.execute(sql: "DELETE FROM unclosed_calls")
            }
        }
        // What stays of these when the process ends here is what the next filling puts there.
        try removeLateEnds(before: JournalPosition(number: .max))
    }

    private func removeLateEnds(before position: JournalPosition) throws(StoreError) {
        _ = try store.removeInBatches { database in
            try database.execute(
                sql: """
                    DELETE FROM late_ends WHERE position IN
                        (SELECT position FROM late_ends WHERE position < ? LIMIT 500)
                    """,
                arguments: [position.number])
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

    /// Leaves what the index has of blocks before `position`.
    fileprivate func forgetBlocks(from position: JournalPosition) throws {
        try execute(
            sql: """
                DELETE FROM audit_blocks WHERE position >= :from;
                DELETE FROM events_under_way WHERE position >= :from;
                """,
            arguments: ["from": position.number])
    }

    /// Leaves what the index has of blocks from `position` on.
    fileprivate func forgetBlocks(before position: JournalPosition) throws {
        try execute(
            sql: """
                DELETE FROM audit_blocks WHERE position < :first;
                DELETE FROM events_under_way WHERE position < :first;
                DELETE FROM unclosed_calls WHERE position < :first;
                """,
            arguments: ["first": position.number])
    }
}
