import Foundation
import Glibc
import MeshBase
import Synchronization
import Testing

@testable import MeshStore

@Suite struct JournalRoomTests {
    let home: TemporaryFolder
    var folder: String { home.path + "/journal" }

    init() throws { home = try TemporaryFolder() }

    @Test func `promises no more than the configured maximum, and again what was released`() throws {
        let journal = try Journal.open(folder: folder, limits: JournalLimits(totalBytes: 1_008))
        defer { journal.close() }
        #expect(journal.room == 1_000)
        #expect(journal.reserve(600))
        #expect(!journal.reserve(401))
        #expect(journal.reserve(400))
        journal.release(600)
        #expect(journal.room == 600)
        try journal.append([[UInt8](repeating: 1, count: 92)])
        #expect(journal.room == 500)
    }

    @Test func `promises nothing that the file system does not have`() throws {
        let journal = try Journal.open(folder: folder, limits: JournalLimits(freeBytesKept: .max / 4))
        defer { journal.close() }
        #expect(!journal.reserve(1))
        #expect(journal.room == 0)
    }

    @Test func `cuts off what a short write left, says that the disk is full, and goes on when it is not`()
        throws
    {
        let remaining = Mutex<Int?>(nil)
        let disk = JournalDisk(
            write: { descriptor, bytes, offset in
                let count = remaining.withLock { min($0 ?? .max, bytes.count) }
                return pwrite(descriptor, bytes.baseAddress, count, off_t(offset))
            })
        let journal = try Journal.open(folder: folder, limits: JournalLimits(), disk: disk)
        defer { journal.close() }
        try journal.append([text("before")])
        for count in 0..<40 {
            remaining.withLock { $0 = count }
            #expect(throws: JournalError.full(path: folder)) {
                try journal.append([text("does not fit"), text("neither does this")])
            }
        }
        remaining.withLock { $0 = nil }
        try journal.append([text("after")])
        #expect(try contents(of: journal).records == [text("before"), text("after")])
        #expect(try contents(of: journal).damages.isEmpty)
    }

    @Test func `appends nothing behind a torn record that could not be cut off, until it can`() throws {
        let isBroken = Mutex(false)
        let disk = JournalDisk(
            write: { descriptor, bytes, offset in
                let count = isBroken.withLock { $0 } ? 3 : bytes.count
                return pwrite(descriptor, bytes.baseAddress, count, off_t(offset))
            },
            truncate: { descriptor, length in
                if isBroken.withLock({ $0 }) {
                    errno = EIO
                    return -1
                }
                return ftruncate(descriptor, off_t(length))
            })
        let journal = try Journal.open(folder: folder, limits: JournalLimits(), disk: disk)
        defer { journal.close() }
        try journal.append([text("before")])
        isBroken.withLock { $0 = true }
        for _ in 0..<2 {
            #expect(throws: JournalError.torn(path: folder, code: EIO)) { try journal.append([text("torn")]) }
        }
        #expect(try contents(of: journal).records == [text("before")])
        isBroken.withLock { $0 = false }
        try journal.append([text("after")])
        #expect(try contents(of: journal).records == [text("before"), text("after")])
    }

    @Test(.enabled(if: geteuid() == 0, "mounting a small tmpfs needs root"))
    func `fills a real small disk without garbage, and goes on when there is room again`() throws {
        let mounted = home.path + "/small"
        try FileManager.default.createDirectory(atPath: mounted, withIntermediateDirectories: true)
        try #require(mount("tmpfs", mounted, "tmpfs", 0, "size=256k") == 0, "errno \(errno)")
        defer { umount2(mounted, Int32(MNT_DETACH)) }
        let limits = JournalLimits(segmentBytes: 100_000, recordBytes: 1_000, freeBytesKept: 16_384)
        let journal = try Journal.open(folder: mounted + "/journal", limits: limits)
        defer { journal.close() }
        var written = 0
        #expect(throws: JournalError.full(path: mounted + "/journal")) {
            while written < 10_000 {
                try journal.append([[UInt8](repeating: 65, count: 997), [UInt8](repeating: 66, count: 333)])
                written += 1
            }
        }
        #expect(written > 100)
        #expect(try contents(of: journal).records.count == written * 2)
        #expect(try contents(of: journal).damages.isEmpty)
        try journal.retire(segmentsBefore: journal.segments[1].number)
        try journal.append([text("room again")])
        let found = try contents(of: journal)
        #expect(found.records.last == text("room again"))
        #expect(found.damages.isEmpty)
    }
}
