import Glibc
import MeshBase
import Testing

@testable import MeshStore

@Suite struct JournalDamageTests {
    let home: TemporaryFolder
    var folder: String { home.path + "/journal" }
    let limits = JournalLimits(segmentBytes: 4_096, recordBytes: 256)

    init() throws { home = try TemporaryFolder() }

    /// A journal with these records, closed; the path of its only segment within the home.
    private func made(with records: [[UInt8]]) throws -> String {
        let journal = try Journal.open(folder: folder, limits: limits)
        for record in records { try journal.append([record]) }
        journal.close()
        return try "journal/" + #require(try home.names(in: "journal").first)
    }

    @Test func `cuts a torn tail at every byte of the last record and keeps all before it`() throws {
        let kept = [text("first record"), text("second record")]
        let segment = try made(with: kept + [text("the last record, which is torn")])
        let whole = try home.bytes(of: segment)
        let tornAt = whole.count - 8 - text("the last record, which is torn").count
        for length in tornAt..<whole.count {
            try home.write(Array(whole[..<length]), to: segment)
            let journal = try Journal.open(folder: folder, limits: limits)
            #expect(journal.opening.cutBytes == length - tornAt)
            #expect(journal.opening.damages.isEmpty)
            #expect(try contents(of: journal).records == kept)
            try journal.append([text("next")])
            #expect(try contents(of: journal).records == kept + [text("next")])
            journal.close()
        }
    }

    @Test func `cuts a tail whose blocks never reached the disk`() throws {
        let segment = try made(with: [text("first record"), text("second record")])
        let whole = try home.bytes(of: segment)
        try home.write(whole + [UInt8](repeating: 0, count: 1_000), to: segment)
        let journal = try Journal.open(folder: folder, limits: limits)
        defer { journal.close() }
        #expect(journal.opening.cutBytes == 1_000)
        #expect(try contents(of: journal).records == [text("first record"), text("second record")])
    }

    @Test func `reports a record damaged in the middle at every byte, and keeps the rest`() throws {
        let segment = try made(with: [text("first"), text("second"), text("third")])
        let whole = try home.bytes(of: segment)
        let start = SegmentName.magic.count + 8 + 5
        for index in start..<start + 8 + 6 {
            var bytes = whole
            bytes[index] ^= 0x41
            try home.write(bytes, to: segment)
            let journal = try Journal.open(folder: folder, limits: limits)
            let found = try contents(of: journal)
            #expect(found.records == [text("first"), text("third")])
            #expect(found.damages.map(\.lengthInBytes) == [14])
            #expect(found.damages == journal.opening.damages)
            #expect(journal.opening.cutBytes == 0)
            #expect(journal.end.offset == UInt32(whole.count))
            journal.close()
        }
    }

    @Test func `reports damage in an older segment when that is read`() throws {
        let small = JournalLimits(segmentBytes: 60, recordBytes: 40)
        let journal = try Journal.open(folder: folder, limits: small)
        for number in 0..<6 { try journal.append([text("record number \(number)")]) }
        journal.close()
        let name = try "journal/" + #require(try home.names(in: "journal").first)
        var bytes = try home.bytes(of: name)
        bytes[20] ^= 1
        try home.write(bytes, to: name)
        let again = try Journal.open(folder: folder, limits: small)
        defer { again.close() }
        let found = try contents(of: again)
        #expect(found.damages.map(\.from.segment) == [1])
        #expect(found.records.count == 5)
    }

    @Test func `takes no record for one that a peer hid inside another`() throws {
        var forged = JournalBatch([text("forged")])
        forged.fillHeads(of: 0..<1, salt: 0)
        let segment = try made(with: [text("first"), forged.bytes, text("third")])
        var bytes = try home.bytes(of: segment)
        bytes[SegmentName.magic.count + 8 + 5] ^= 0xff
        try home.write(bytes, to: segment)
        let journal = try Journal.open(folder: folder, limits: limits)
        defer { journal.close() }
        #expect(try contents(of: journal).records == [text("first"), text("third")])
    }

    @Test func `ends a segment that a crash left without its first bytes`() throws {
        let segment = try made(with: [])
        for length in 0..<SegmentName.magic.count {
            try home.write(Array(SegmentName.magic[..<length]), to: segment)
            let journal = try Journal.open(folder: folder, limits: limits)
            #expect(try contents(of: journal).records.isEmpty)
            journal.close()
        }
    }

    @Test func `refuses a journal of a later format and names it`() throws {
        let segment = try made(with: [text("first")])
        var bytes = try home.bytes(of: segment)
        bytes[7] = UInt8(ascii: "2")
        try home.write(bytes, to: segment)
        #expect(throws: JournalError.newerFormat(path: home.path + "/" + segment)) {
            try Journal.open(folder: folder, limits: limits)
        }
    }

    @Test func `leaves files that are not its own alone`() throws {
        _ = try made(with: [text("first")])
        for name in ["notes.txt", "0000000009.journal", "000000000a-00000000.journal"] {
            try home.write([1], to: "journal/" + name)
        }
        let journal = try Journal.open(folder: folder, limits: limits)
        defer { journal.close() }
        #expect(try contents(of: journal).records == [text("first")])
        #expect(try home.names(in: "journal").count == 4)
    }

    @Test func `opens and reads any file without a crash and never makes a record up`() throws {
        var generator = SeededGenerator(seed: 9)
        let records = (0..<12).map { text("record number \($0)") }
        let segment = try made(with: records)
        let whole = try home.bytes(of: segment)
        for _ in 0..<150 {
            var bytes = whole
            switch generator.number(below: 4) {
            case 0: bytes = Array(SegmentName.magic) + generator.bytes(Int(generator.number(below: 600)))
            case 1: bytes.removeLast(Int(generator.number(below: UInt64(bytes.count))))
            case 2:
                bytes.insert(
                    contentsOf: generator.bytes(20), at: Int(generator.number(below: UInt64(bytes.count))))
            default:
                for _ in 0..<1 + generator.number(below: 6) {
                    bytes[8 + Int(generator.number(below: UInt64(bytes.count - 8)))] = UInt8(
                        truncatingIfNeeded: generator.next())
                }
            }
            // The last byte of the magic counts formats; a later one is refused, which is another test's.
            if bytes.count >= 8 { bytes[7] = SegmentName.magic[7] }
            try home.write(bytes, to: segment)
            let journal = try Journal.open(folder: folder, limits: limits)
            for record in try contents(of: journal).records { #expect(records.contains(record)) }
            try journal.append([text("record number 3")])
            #expect(try contents(of: journal).records.last == text("record number 3"))
            journal.close()
        }
    }
}
