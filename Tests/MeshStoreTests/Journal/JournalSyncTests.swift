import Glibc
import MeshBase
import Synchronization
import Testing

@testable import MeshStore

@Suite struct JournalSyncTests {
    let home: TemporaryFolder
    var folder: String { home.path + "/journal" }

    init() throws { home = try TemporaryFolder() }

    @Test(.timeLimit(.minutes(1))) func `answers who waits once its position is synced`() async throws {
        let journal = try Journal.open(folder: folder)
        defer { journal.close() }
        let position = try journal.append([text("one")])
        try await journal.synced(upTo: position)
        try await journal.synced(upTo: position)
    }

    @Test(.timeLimit(.minutes(1))) func `serves many who wait with few syncs`() async throws {
        let syncs = Mutex(0)
        let disk = JournalDisk(sync: { descriptor in
            syncs.withLock { $0 += 1 }
            return fdatasync(descriptor)
        })
        let journal = try Journal.open(
            folder: folder, limits: JournalLimits(syncIntervalMilliseconds: 50), disk: disk)
        defer { journal.close() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<500 {
                let position = try journal.append([text("\(number)")])
                group.addTask { try await journal.synced(upTo: position) }
            }
            try await group.waitForAll()
        }
        #expect(syncs.withLock { $0 } < 100)
    }

    @Test(.timeLimit(.minutes(1))) func `syncs full segments before it says that the last one is safe`()
        async throws
    {
        let synced = Mutex<Set<Int32>>([])
        let disk = JournalDisk(sync: { descriptor in
            synced.withLock { _ = $0.insert(descriptor) }
            return fdatasync(descriptor)
        })
        let limits = JournalLimits(segmentBytes: 100, syncIntervalMilliseconds: 200)
        let journal = try Journal.open(folder: folder, limits: limits, disk: disk)
        defer { journal.close() }
        for number in 0..<30 { try journal.append([text("record number \(number)")]) }
        let end = journal.end
        try await journal.synced(upTo: end)
        #expect(journal.segments.count > 5)
        #expect(journal.state.withLock { $0.writer.finished.isEmpty && !$0.writer.hasNewNames })
        #expect(synced.withLock { $0.count } > 2)
    }

    /// What a disk does.
    private final class Disk: Sendable {
        let isBroken = Mutex(false)

        var shell: JournalDisk {
            JournalDisk(sync: { descriptor in
                guard self.isBroken.withLock({ $0 }) else { return fdatasync(descriptor) }
                errno = EIO
                return -1
            })
        }
    }

    /// Waits until the journal takes a record again; answers where that stands.
    private func recovered(_ journal: Journal, _ record: String) async throws -> JournalPosition {
        while true {
            if let position = try? journal.append([text(record)]) { return position }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `takes nothing while the disk does not sync, and gives no room`() async throws {
        let disk = Disk()
        let journal = try Journal.open(folder: folder, limits: JournalLimits(), disk: disk.shell)
        defer { journal.close() }
        let position = try journal.append([text("lost, perhaps")])
        disk.isBroken.withLock { $0 = true }
        let failure = JournalError.syncFailed(path: folder, code: EIO)
        await #expect(throws: failure) { try await journal.synced(upTo: position) }
        // Over several tries to recover, which leave no segment each.
        try await Task.sleep(for: .milliseconds(3 * Journal.recoveryMilliseconds))
        #expect(throws: failure) { try journal.append([text("never")]) }
        #expect(!journal.reserve(1) && journal.room == 0)
        #expect(journal.segments.count == 2)
    }

    @Test(.timeLimit(.minutes(1)))
    func `goes on in a new segment when the disk is well again, and never calls safe what may be lost`()
        async throws
    {
        let disk = Disk()
        let journal = try Journal.open(folder: folder, limits: JournalLimits(), disk: disk.shell)
        defer { journal.close() }
        let safe = try journal.append([text("safe")])
        try await journal.synced(upTo: safe)
        let lost = try journal.append([text("lost, perhaps")])
        disk.isBroken.withLock { $0 = true }
        let failure = JournalError.syncFailed(path: folder, code: EIO)
        await #expect(throws: failure) { try await journal.synced(upTo: lost) }
        disk.isBroken.withLock { $0 = false }
        let next = try await recovered(journal, "safe again")
        #expect(next.segment == safe.segment + 1)
        try await journal.synced(upTo: next)
        try await journal.synced(upTo: safe)
        await #expect(throws: failure) { try await journal.synced(upTo: lost) }
        #expect(journal.reserve(1))
        journal.release(1)
        #expect(
            try contents(of: journal).records == [text("safe"), text("lost, perhaps"), text("safe again")])
    }

    @Test func `a gap covers what was written behind the last safe record, and no more`() {
        let failure = JournalError.syncFailed(path: "j", code: EIO)
        let gap = JournalGap(
            start: JournalPosition(segment: 1, offset: 100), end: JournalPosition(segment: 2, offset: 50),
            failure: failure)
        #expect(!gap.covers(JournalPosition(segment: 1, offset: 100)))
        #expect(gap.covers(JournalPosition(segment: 1, offset: 101)))
        #expect(gap.covers(JournalPosition(segment: 2, offset: 50)))
        #expect(!gap.covers(JournalPosition(segment: 2, offset: 51)))
    }

    @Test(.timeLimit(.minutes(1))) func `answers who still waits when it is closed`() async throws {
        let journal = try Journal.open(folder: folder, limits: JournalLimits(syncIntervalMilliseconds: 300))
        let first = try journal.append([text("one")])
        try await journal.synced(upTo: first)
        let second = try journal.append([text("two")])
        let answered = Mutex(false)
        journal.whenSynced(second) { result in answered.withLock { $0 = (try? result.get()) != nil } }
        journal.close()
        #expect(answered.withLock { $0 })
    }
}
