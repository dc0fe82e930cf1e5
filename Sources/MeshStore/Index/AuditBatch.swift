import GRDB
import MeshAudit
import MeshBase
import MeshWire

/// Some records of the journal, in order, as rows of the index: one for each event, with the places of the
/// records that it is made of.
///
/// Of each record only its outline is read; nothing is kept of it but the bytes that the journal's reader
/// gave.
struct AuditBatch: Sendable {
    /// An event that begins among the records.
    fileprivate struct Line {
        let position: JournalPosition
        let record: [UInt8]
        let subject: AuditRecordOutline.Subject
        /// Where its end stands; nil: it is under way.
        var settled: JournalPosition?
        var success: Bool
    }

    /// An end whose event began before the records.
    private struct End {
        let id: CorrelationID
        let position: JournalPosition
        let success: Bool
    }

    /// The last attempt among the records of an own call.
    private struct Attempt {
        var position: JournalPosition
        /// Whether the first one is among them, too: the index knows none of the call.
        let isFromTheFirst: Bool
    }

    private var lines: [Line] = []
    private var ends: [End] = []
    /// The lines that are under way.
    private var open: [CorrelationID: Int] = [:]
    private var attempts: [CorrelationID: Attempt] = [:]
    /// Own calls that closed and of which the index may know an attempt.
    private var closed: [CorrelationID] = []
    /// Records that have no outline, and damaged stretches.
    private(set) var unreadable = 0

    /// Takes what the journal's reader met next.
    mutating func add(_ item: JournalItem) {
        guard case .record(let position, _, let record) = item, let outline = AuditRecordOutline(of: record)
        else {
            unreadable += 1
            return
        }
        switch outline.part {
        case .admitted(let subject):
            open[outline.id] = lines.count
            lines.append(
                Line(position: position, record: record, subject: subject, settled: nil, success: false))
            begin(subject, of: record, at: position)
        case .whole(let subject):
            lines.append(
                Line(
                    position: position, record: record, subject: subject, settled: position,
                    success: outline.success))
            close(subject, of: record)
        case .settled:
            guard let line = open.removeValue(forKey: outline.id) else {
                return ends.append(End(id: outline.id, position: position, success: outline.success))
            }
            lines[line].settled = position
            lines[line].success = outline.success
        }
    }

    private mutating func begin(
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

    /// Puts one row for each event, and ends those whose end only is among the records.
    func write(to database: Database) throws {
        var rows = try RowStatement(Self.insertion, in: database)
        for line in lines { try line.write(with: &rows) }
        var ending = try RowStatement(
            "UPDATE events SET settled = ?, success = ? WHERE id = ? AND settled IS NULL", in: database)
        for end in ends {
            ending.bind(end.position.number)
            ending.bind(end.success ? 1 : 0)
            ending.bind(end.id)
            try ending.run()
        }
        try writeUnclosed(to: database)
    }

    /// Forgets the calls that are closed, and keeps the last attempt of those that are not.
    private func writeUnclosed(to database: Database) throws {
        var forgetting = try RowStatement("DELETE FROM unclosed_calls WHERE correlation = ?", in: database)
        for call in closed {
            forgetting.bind(call)
            try forgetting.run()
        }
        var keeping = try RowStatement("INSERT OR REPLACE INTO unclosed_calls VALUES (?, ?)", in: database)
        for (call, attempt) in attempts {
            keeping.bind(call)
            keeping.bind(attempt.position.number)
            try keeping.run()
        }
    }

    private static let insertion = """
        INSERT INTO events (position, settled, success, id, time, type, correlation, source, target,
            principal, resource)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """
}

extension AuditBatch.Line {
    func write(with rows: inout RowStatement) throws {
        try record.withUnsafeBytes { bytes in
            func run(_ range: Range<Int>?) -> UnsafeRawBufferPointer? {
                range.map { UnsafeRawBufferPointer(rebasing: bytes[$0]) }
            }
            rows.bind(position.number)
            rows.bind(settled?.number)
            rows.bind(success ? 1 : 0)
            rows.bind(blob: run(AuditRecordOutline.idBytes))
            rows.bind(subject.time.milliseconds)
            rows.bind(text: run(subject.type))
            rows.bind(blob: run(subject.correlationBytes))
            rows.bind(blob: run(subject.source))
            rows.bind(blob: run(subject.target))
            rows.bind(text: run(subject.principal))
            rows.bind(text: run(subject.resource))
            try rows.run()
        }
    }
}

extension AuditRecordOutline {
    /// Reads one record of the journal; nil for one that this version cannot read.
    fileprivate init?(of record: [UInt8]) {
        let outline = record.withUnsafeBytes { bytes -> AuditRecordOutline? in
            do throws(WireError) { return try AuditRecordOutline(bytes) } catch { return nil }
        }
        guard let outline else { return nil }
        self = outline
    }
}

extension [UInt8] {
    /// Whether the name of `type` stands at `range`.
    fileprivate func holds(_ type: AuditEventType, at range: Range<Int>) -> Bool {
        self[range].elementsEqual(type.rawValue.utf8)
    }
}
