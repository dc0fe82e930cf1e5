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

    @Test(.timeLimit(.minutes(1)))
    func `takes nothing more after a sync failed, because no later one can say what was lost`() async throws {
        let isBroken = Mutex(false)
        let disk = JournalDisk(sync: { descriptor in
            guard isBroken.withLock({ $0 }) else { return fdatasync(descriptor) }
            errno = EIO
            return -1
        })
        let journal = try Journal.open(folder: folder, limits: JournalLimits(), disk: disk)
        defer { journal.close() }
        let position = try journal.append([text("lost, perhaps")])
        isBroken.withLock { $0 = true }
        let failure = JournalError.syncFailed(path: folder, code: EIO)
        await #expect(throws: failure) { try await journal.synced(upTo: position) }
        isBroken.withLock { $0 = false }
        #expect(throws: failure) { try journal.append([text("never")]) }
        await #expect(throws: failure) { try await journal.synced(upTo: position) }
        #expect(!journal.reserve(1))
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
