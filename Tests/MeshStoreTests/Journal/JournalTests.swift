import Foundation
import Glibc
import MeshBase
import Synchronization
import Testing

@testable import MeshStore

/// Everything that can be read, in order.
func contents(of journal: Journal, from position: JournalPosition = .start) throws -> (
    records: [[UInt8]], damages: [JournalDamage]
) {
    var records: [[UInt8]] = []
    var damages: [JournalDamage] = []
    try journal.read(from: position) { item in
        switch item {
        case .record(_, _, let bytes): records.append(bytes)
        case .damage(let damage): damages.append(damage)
        }
        return .goOn
    }
    return (records, damages)
}

func text(_ words: String) -> [UInt8] { Array(words.utf8) }

@Suite struct JournalTests {
    let home: TemporaryFolder
    var folder: String { home.path + "/journal" }

    init() throws { home = try TemporaryFolder() }

    @Test func `computes CRC-32C as RFC 3720 prints it`() {
        var checksum = Checksum32C()
        text("123456789").withUnsafeBytes { checksum.add($0) }
        #expect(checksum.value == 0xe306_9283)
        var zeros = Checksum32C()
        [UInt8](repeating: 0, count: 32).withUnsafeBytes { zeros.add($0) }
        #expect(zeros.value == 0x8a91_36aa)
    }

    @Test func `computes CRC-32C alike by the processor's instruction and by tables`() {
        var generator = SeededGenerator(seed: 1)
        for length in Array(0...40) + [255, 4_096, 10_007] {
            let bytes = (0..<length).map { _ in UInt8(truncatingIfNeeded: generator.number(below: 256)) }
            var (asked, looked) = (Checksum32C(), Checksum32C())
            bytes.withUnsafeBytes {
                asked.add($0)
                looked.addByTables($0)
            }
            #expect(asked.value == looked.value, "\(length) bytes")
        }
    }

    @Test func `gives back what was appended, also after it was opened again`() throws {
        let journal = try Journal.open(folder: folder)
        let first = try journal.append([text("one"), text("two")])
        let second = try journal.append([text("three")])
        #expect(first < second)
        #expect(try contents(of: journal).records == [text("one"), text("two"), text("three")])
        #expect(try contents(of: journal, from: first).records == [text("three")])
        journal.close()

        let again = try Journal.open(folder: folder)
        defer { again.close() }
        #expect(again.end == second)
        #expect(again.opening == JournalOpening())
        try again.append([text("four")])
        #expect(try contents(of: again).records == [text("one"), text("two"), text("three"), text("four")])
    }

    @Test func `keeps its folder and files from everybody else`() throws {
        let journal = try Journal.open(folder: folder)
        defer { journal.close() }
        #expect(home.mode(of: "journal") == 0o700)
        for name in try home.names(in: "journal") { #expect(home.mode(of: "journal/" + name) == 0o600) }
    }

    @Test func `survives the end of its process without a close`() throws {
        let journal = try Journal.open(folder: folder)
        defer { journal.close() }
        try journal.append([text("written")])
        let successor = try Journal.open(folder: folder)
        defer { successor.close() }
        #expect(try contents(of: successor).records == [text("written")])
    }

    @Test func `begins a new segment when a batch does not fit, and reads across both`() throws {
        let journal = try Journal.open(folder: folder, limits: JournalLimits(segmentBytes: 200))
        defer { journal.close() }
        let records = (0..<20).map { text("record number \($0)") }
        for record in records { try journal.append([record]) }
        #expect(journal.segments.count > 2)
        #expect(try contents(of: journal).records == records)
        #expect(journal.totalBytes == journal.segments.reduce(0) { $0 + $1.lengthInBytes })
    }

    @Test func `gives single records from where they stand, without what is gone`() throws {
        let journal = try Journal.open(folder: folder, limits: JournalLimits(segmentBytes: 100))
        defer { journal.close() }
        var written: [JournalPosition: [UInt8]] = [:]
        for number in 0..<12 { try journal.append([text("record number \(number)")]) }
        try journal.read(from: .start) { item in
            if case .record(let position, _, let bytes) = item { written[position] = bytes }
            return .goOn
        }
        #expect(written.count == 12 && journal.segments.count > 2)
        let positions = written.keys.shuffled()
        #expect(try journal.records(at: positions + positions) == written)
        #expect(try journal.records(at: []).isEmpty)
        // Between two records, behind the end, in no segment; then in one that is retired.
        let last = try #require(written.keys.max())
        let between = JournalPosition(segment: last.segment, offset: last.offset + 1)
        let none = [between, journal.end, .start, JournalPosition(segment: 999, offset: 8)]
        #expect(try journal.records(at: none + [last]) == [last: written[last]])
        try journal.retire(segmentsBefore: last.segment)
        #expect(try journal.records(at: positions) == written.filter { $0.key.segment == last.segment })
    }

    @Test func `goes on reading where it stopped`() throws {
        let journal = try Journal.open(folder: folder, limits: JournalLimits(segmentBytes: 100))
        defer { journal.close() }
        let records = (0..<12).map { text("record number \($0)") }
        for record in records { try journal.append([record]) }
        var found: [[UInt8]] = []
        var place = JournalPosition.start
        while place < journal.end {
            place = try journal.read(from: place) { item in
                if case .record(_, _, let bytes) = item { found.append(bytes) }
                return .stop
            }
        }
        #expect(found == records)
    }

    @Test func `refuses a record that is too long or empty, and takes the next`() throws {
        let journal = try Journal.open(folder: folder, limits: JournalLimits(recordBytes: 10))
        defer { journal.close() }
        #expect(throws: JournalError.tooLong(lengthInBytes: 11, limit: 10)) {
            try journal.append([text("short"), [UInt8](repeating: 7, count: 11)])
        }
        #expect(throws: JournalError.tooLong(lengthInBytes: 0, limit: 10)) { try journal.append([[]]) }
        try journal.append([text("next")])
        #expect(try contents(of: journal).records == [text("next")])
    }

    @Test func `retires old segments, never the one being written, and never uses a number twice`() throws {
        let limits = JournalLimits(segmentBytes: 100)
        let journal = try Journal.open(folder: folder, limits: limits)
        for number in 0..<12 { try journal.append([text("record number \(number)")]) }
        let last = try #require(journal.segments.last).number
        let before = journal.totalBytes
        try journal.retire(segmentsBefore: last + 5)
        #expect(journal.segments.map(\.number) == [last])
        #expect(journal.totalBytes < before)
        #expect(try home.names(in: "journal").count == 1)
        #expect(journal.start.segment == last)
        journal.close()
        let again = try Journal.open(folder: folder, limits: limits)
        defer { again.close() }
        for number in 0..<12 { try again.append([text("record number \(number)")]) }
        #expect(again.segments.map(\.number).first == last)
        #expect(Set(again.segments.map(\.number)).count == again.segments.count)
    }

    @Test func `keeps the segments that are young enough and leave room for two more`() throws {
        let journal = try Journal.open(
            folder: folder, limits: JournalLimits(segmentBytes: 100, totalBytes: 500))
        defer { journal.close() }
        for number in 0..<20 { try journal.append([text("record number \(number)")]) }
        let now = WallTime(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000))
        let last = try #require(journal.segments.last).number
        let bySize = journal.firstSegmentToKeep(at: now, age: .seconds(3_600))
        #expect(journal.segments.filter { $0.number >= bySize }.reduce(0) { $0 + $1.lengthInBytes } <= 300)
        #expect(bySize < last)
        #expect(journal.firstSegmentToKeep(at: now + .seconds(7_200), age: .seconds(3_600)) == last)
        #expect(journal.firstSegmentToKeep(at: now + .seconds(7_200), age: nil) == bySize)
    }

    @Test func `takes nothing after it was closed`() throws {
        let journal = try Journal.open(folder: folder)
        journal.close()
        journal.close()
        #expect(throws: JournalError.closed) { try journal.append([text("late")]) }
        #expect(!journal.reserve(1))
    }

    @Test func `loses no record of threads that write at once`() async throws {
        let journal = try Journal.open(folder: folder, limits: JournalLimits(segmentBytes: 4_000))
        defer { journal.close() }
        await withTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    for number in 0..<50 {
                        do { try journal.append([text("\(writer):\(number)")]) } catch { Issue.record(error) }
                    }
                }
            }
        }
        let found = try contents(of: journal)
        #expect(Set(found.records).count == 400)
        #expect(found.damages.isEmpty)
    }
}
