import GRDB
import Glibc
import MeshAudit
import MeshBase
import MeshWire

/// A stretch of the journal within one segment, as the index keeps it: when its events begin, how many of
/// them failed, and a filter of what they are about. Whoever looks for an event reads the blocks that may
/// hold it.
///
/// Only what crosses a block's end has a row of its own: an event that is under way there, its end in a later
/// block, and an own call that nothing closes as yet. Of each record only its outline is read.
struct AuditBlock: Sendable {
    /// An end whose event began before the block.
    fileprivate struct End {
        let id: CorrelationID
        let position: JournalPosition
        let success: Bool
    }

    /// The last attempt in the block of an own call.
    private struct Attempt {
        var position: JournalPosition
        /// Whether the first one is in it, too: the index knows none of the call.
        let isFromTheFirst: Bool
    }

    /// Where its first record stands.
    private var start: JournalPosition
    /// Behind its last record.
    private(set) var end: JournalPosition
    /// Records and damaged stretches in it.
    private(set) var count = 0
    /// Those of them that have no outline.
    private(set) var unreadable = 0
    /// When the first and the last of its events begin; nil: none does.
    private var times: ClosedRange<Int64>?
    private var failures = 0
    private var values = ValueCollector()
    /// Events that began and are under way.
    private var open: [CorrelationID: JournalPosition] = [:]
    private var ends: [End] = []
    private var attempts: [CorrelationID: Attempt] = [:]
    /// Own calls that closed and of which the index may know an attempt.
    private var closed: [CorrelationID] = []

    /// - Parameter mark: where the block before ends.
    init(behind mark: JournalPosition) { (start, end) = (mark, mark) }

    /// Whether it takes so many bytes of the journal.
    func isAtLeast(_ bytes: Int) -> Bool { count > 0 && Int(end.offset) - Int(start.offset) >= bytes }

    /// Takes what the journal's reader met next, unless it stands in another segment.
    /// - Returns: whether it was taken.
    mutating func take(_ item: JournalItem) -> Bool {
        guard count == 0 || item.position.segment == end.segment else { return false }
        if count == 0 { start = item.position }
        (count, end) = (count + 1, item.end)
        guard case .record(let position, _, let record) = item, let outline = AuditRecordOutline(of: record)
        else {
            unreadable += 1
            return true
        }
        switch outline.part {
        case .admitted(let subject):
            begin(subject, of: record)
            open[outline.id] = position
            attempt(subject, of: record, at: position)
        case .whole(let subject):
            begin(subject, of: record)
            if !outline.success { failures += 1 }
            close(subject, of: record)
        case .settled:
            if open.removeValue(forKey: outline.id) == nil {
                ends.append(End(id: outline.id, position: position, success: outline.success))
            } else if !outline.success {
                failures += 1
            }
        }
        return true
    }

    private mutating func begin(_ subject: AuditRecordOutline.Subject, of record: [UInt8]) {
        let time = subject.time.milliseconds
        times = times.map { min($0.lowerBound, time)...max($0.upperBound, time) } ?? time...time
        values.add(subject, of: record)
    }

    private mutating func attempt(
        _ subject: AuditRecordOutline.Subject, of record: [UInt8], at position: JournalPosition
    ) {
        guard let call = subject.correlation, record.holds(.attempt, at: subject.type) else { return }
        let isFromTheFirst = attempts[call]?.isFromTheFirst ?? (subject.attempt == 1)
        attempts[call] = Attempt(position: position, isFromTheFirst: isFromTheFirst)
    }

    private mutating func close(_ subject: AuditRecordOutline.Subject, of record: [UInt8]) {
        guard let call = subject.correlation, record.holds(.call, at: subject.type) else { return }
        if attempts.removeValue(forKey: call)?.isFromTheFirst != true { closed.append(call) }
    }

    /// Puts the block, what crosses its end, and what ends in it of what crossed another's.
    func write(to database: Database) throws {
        if let times {
            let filter = values.filter
            try database.cachedStatement(sql: "INSERT INTO audit_blocks VALUES (?, ?, ?, ?, ?, ?, ?)")
                .execute(
                    arguments: [
                        start.number, end.number, times.lowerBound, times.upperBound, failures,
                        values.salt.blob, filter.bytes.blob,
                    ])
        }
        for end in ends { try end.write(to: database) }
        let beginning = try database.cachedStatement(
            sql: "INSERT OR REPLACE INTO events_under_way VALUES (?, ?)")
        for (id, position) in open { try beginning.execute(arguments: [id.blob, position.number]) }
        try writeUnclosed(to: database)
    }

    /// Forgets the calls that are closed, and keeps the last attempt of those that are not.
    private func writeUnclosed(to database: Database) throws {
        let forgetting = try database.cachedStatement(sql: "DELETE FROM unclosed_calls WHERE correlation = ?")
        for call in closed { try forgetting.execute(arguments: [call.blob]) }
        let keeping = try database.cachedStatement(sql: "INSERT OR REPLACE INTO unclosed_calls VALUES (?, ?)")
        for (call, attempt) in attempts {
            try keeping.execute(arguments: [call.blob, attempt.position.number])
        }
    }
}

extension AuditBlock.End {
    /// Joins it to its beginning; what is not known as under way is gone with its segment.
    func write(to database: Database) throws {
        let looking = try database.cachedStatement(sql: "SELECT position FROM events_under_way WHERE id = ?")
        guard let begun = try Int64.fetchOne(looking, arguments: [id.blob]) else { return }
        try database.cachedStatement(sql: "DELETE FROM events_under_way WHERE id = ?")
            .execute(arguments: [id.blob])
        try database.cachedStatement(sql: "INSERT OR REPLACE INTO late_ends VALUES (?, ?)")
            .execute(arguments: [begun, position.number])
        guard !success else { return }
        try database.cachedStatement(
            sql: """
                UPDATE audit_blocks SET failures = failures + 1
                    WHERE position = (SELECT max(position) FROM audit_blocks WHERE position <= ?)
                """
        ).execute(arguments: [begun])
    }
}

/// The values of a block's events, as hashes: each at least once.
private struct ValueCollector: Sendable {
    let salt: BlockFilter.Salt
    private var hashes: [UInt64] = []
    /// The event before, most of whose values the next one has as well.
    private var previous: (subject: AuditRecordOutline.Subject, record: [UInt8])?

    init() {
        var random = SystemRandomNumberGenerator()
        salt = BlockFilter.Salt(first: random.next(), second: random.next())
    }

    mutating func add(_ subject: AuditRecordOutline.Subject, of record: [UInt8]) {
        for field in AuditTerms.Field.allCases {
            _ = subject.hasValue(of: field) { range in
                let isRepeated = previous.map { previous in
                    previous.subject.hasValue(of: field) {
                        previous.record.holds(record, range, at: $0)
                    }
                }
                if isRepeated != true {
                    hashes.append(
                        record.withUnsafeBytes {
                            salt.hash(UnsafeRawBufferPointer(rebasing: $0[range]), of: field)
                        })
                }
                return false
            }
        }
        previous = (subject, record)
    }

    var filter: BlockFilter { BlockFilter(holding: Set(hashes)) }
}

extension JournalItem {
    /// Where it begins.
    var position: JournalPosition {
        switch self {
        case .record(let position, _, _): position
        case .damage(let damage): damage.from
        }
    }

    /// Behind it.
    var end: JournalPosition {
        switch self {
        case .record(_, let next, _): next
        case .damage(let damage): damage.to
        }
    }
}

extension AuditRecordOutline {
    /// Reads one record of the journal; nil for one that this version cannot read.
    init?(of record: [UInt8]) {
        let outline = record.withUnsafeBytes { bytes -> AuditRecordOutline? in
            do throws(WireError) { return try AuditRecordOutline(bytes) } catch { return nil }
        }
        guard let outline else { return nil }
        self = outline
    }
}

extension [UInt8] {
    /// Whether at `range` the same stands as in `other` at `theirs`. Byte by byte it was a quarter of what
    /// the index costs.
    func holds(_ other: [UInt8], _ theirs: Range<Int>, at range: Range<Int>) -> Bool {
        range.count == theirs.count
            && withUnsafeBytes { mine in
                other.withUnsafeBytes { other in
                    UnsafeRawBufferPointer(rebasing: mine[range])
                        .isEqual(to: UnsafeRawBufferPointer(rebasing: other[theirs]))
                }
            }
    }

    /// Whether the name of `type` stands at `range`.
    fileprivate func holds(_ type: AuditEventType, at range: Range<Int>) -> Bool {
        self[range].elementsEqual(type.rawValue.utf8)
    }
}

extension UnsafeRawBufferPointer {
    /// Whether the same bytes stand in both, which are as long.
    fileprivate func isEqual(to other: Self) -> Bool {
        guard let mine = baseAddress, let theirs = other.baseAddress else { return true }
        return memcmp(mine, theirs, count) == 0
    }
}
