import Foundation
import GRDB
import MeshAudit
import MeshBase

extension AuditIndex {
    /// What `query` asks for, newest first.
    ///
    /// Reads the blocks that may hold it, the newest first and until none can hold anything newer than what
    /// was found, and the journal behind the mark. When the index is more than a segment behind it catches up
    /// first, so that the memory which this takes is bounded by a segment.
    public func entries(_ query: AuditQuery) throws(StoreError) -> [AuditEntry] {
        while try position.segment + 1 < journal.end.segment {
            guard try !catchUp().isComplete else { break }
        }
        return try storing(at: store.path) {
            // One transaction, so that no batch moves the mark between the look at it and the blocks.
            try store.pool.read { database in
                try AuditSearch(query, in: database, over: journal).entries()
            }
        }
    }

    /// What a peer asked about one call: only events in which it is source or target, whole ones.
    public func half(of correlation: CorrelationID, for peer: NodeID) throws(StoreError) -> [AuditEvent] {
        try entries(AuditQuery(correlation: correlation, node: peer))
            .filter { $0.stage == .ended && $0.event.isVisible(to: peer) }.map(\.event)
    }
}

/// One query on its way through the journal, within one transaction.
private struct AuditSearch {
    /// A block that may hold something.
    private struct Block {
        let position: JournalPosition
        let end: JournalPosition
        let newest: Int64
        let failures: Int
    }

    private let database: Database
    private let journal: Journal
    private let terms: AuditTerms
    private let limit: Int
    /// What is behind the index's mark.
    private var tail: AuditSieve
    /// The newest so far, the newest first.
    private var finds: [AuditSieve.Find] = []

    init(_ query: AuditQuery, in database: Database, over journal: Journal) {
        (self.database, self.journal) = (database, journal)
        (terms, limit) = (AuditTerms(query), query.limit)
        tail = AuditSieve(terms, keepsEnds: true)
    }

    consuming func entries() throws -> [AuditEntry] {
        let mark = try database.indexedPosition()
        try journal.read(from: mark) { item in
            tail.take(item)
            return .goOn
        }
        keep(tail.wanted)
        let failedSince = try positionsOfFailuresSince()
        for block in try blocks(before: mark) {
            if finds.count == limit, let last = finds.last, block.newest < last.order.time { break }
            let mayHold =
                !terms.isForFailures || block.failures > 0
                || failedSince.contains { block.position <= $0 && $0 < block.end }
            if try mayHold && filter(of: block) { try search(block) }
        }
        return finds.compactMap(\.entry)
    }

    /// Where the events begin that were under way at the mark and failed behind it: their blocks do not know.
    private func positionsOfFailuresSince() throws -> [JournalPosition] {
        guard terms.isForFailures else { return [] }
        let looking = try database.cachedStatement(sql: "SELECT position FROM events_under_way WHERE id = ?")
        return try tail.ends.keys.compactMap { id in
            try Int64.fetchOne(looking, arguments: [id.blob]).map(JournalPosition.init(number:))
        }
    }

    /// Those whose times fit, the newest first.
    private func blocks(before mark: JournalPosition) throws -> [Block] {
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT position, end, oldest, newest, failures FROM audit_blocks WHERE position < ?
                ORDER BY newest DESC, position DESC
                """,
            arguments: [mark.number])
        var blocks: [Block] = []
        while let row = try rows.next() {
            let oldest: Int64 = row["oldest"]
            let newest: Int64 = row["newest"]
            guard oldest <= newest, terms.admit(oldest...newest) else { continue }
            blocks.append(
                Block(
                    position: JournalPosition(number: row["position"]),
                    end: JournalPosition(number: row["end"]), newest: newest, failures: row["failures"]))
        }
        return blocks
    }

    /// Whether what is asked for may be in it.
    private func filter(of block: Block) throws -> Bool {
        let looking = try database.cachedStatement(
            sql: "SELECT salt, filter FROM audit_blocks WHERE position = ?")
        guard let row = try Row.fetchOne(looking, arguments: [block.position.number]) else { return false }
        guard let salt = BlockFilter.Salt(blob: row["salt"]) else { return true }
        return terms.admit(BlockFilter(bytes: [UInt8](row["filter"] as Data)), salted: salt)
    }

    private mutating func search(_ block: Block) throws {
        var sieve = AuditSieve(terms, keepsEnds: false)
        try journal.read(from: block.position) { item in
            guard item.position < block.end else { return .stop }
            sieve.take(item)
            return .goOn
        }
        if !sieve.idsUnderWay.isEmpty {
            for record in try lateEnds(of: block) { sieve.take(end: record) }
            for end in sieve.idsUnderWay.compactMap({ tail.ends[$0] }) { sieve.take(end: end) }
        }
        keep(sieve.wanted)
    }

    /// The ends in later blocks of events that begin in this one.
    private func lateEnds(of block: Block) throws -> [[UInt8]] {
        let looking = try database.cachedStatement(
            sql: "SELECT settled FROM late_ends WHERE position >= ? AND position < ?")
        let positions = try Int64.fetchAll(looking, arguments: [block.position.number, block.end.number])
        return Array(try journal.records(at: positions.map(JournalPosition.init(number:))).values)
    }

    private mutating func keep(_ more: [AuditSieve.Find]) {
        guard !more.isEmpty else { return }
        finds += more
        finds.sort(by: AuditSieve.Find.isNewer)
        finds.removeLast(max(0, finds.count - limit))
    }
}

extension CorrelationID {
    /// Sixteen bytes that sort as the id does.
    var blob: Data { (high.bigEndianBytes + low.bigEndianBytes).blob }
}

extension BlockFilter.Salt {
    /// How it is kept.
    var blob: Data { (first.bigEndianBytes + second.bigEndianBytes).blob }

    /// One that was kept; nil: it was not.
    init?(blob: Data) {
        let bytes = [UInt8](blob)
        guard bytes.count == 16 else { return nil }
        func word(_ range: Range<Int>) -> UInt64 { bytes[range].reduce(0) { $0 << 8 | UInt64($1) } }
        self.init(first: word(0..<8), second: word(8..<16))
    }
}
