import Dispatch
import Foundation
import Glibc
import MeshBase
import Synchronization

/// The audit's append-only journal: records in segments, in one folder of the home (protocol section 9).
///
///     journal/0000000001-5be1a90c.journal      16 MiB, full
///     journal/0000000002-77d0f2e4.journal      the one that is being written
///
/// **What survives.** When `append` has returned, the records are the kernel's: they survive `kill -9` of
/// this process. When a callback of `whenSynced` has been told success for a position, all records before it
/// survive the loss of power, for as far as the disk keeps what it says it keeps. After a loss of power,
/// records that were written but not synced may be there in full, in part or not at all, and in any order of
/// blocks: at the next opening what is torn at the end is cut, what is damaged before a whole record is
/// stepped over and reported, and no record is ever made up (CRC-32C, salted by segment).
///
/// **What callers owe.** One process opens a folder (the home's lock sees to it). `close` is called once, not
/// from a callback. Whoever must be able to write later reserves room first: `append` itself asks for none.
///
/// Usable from any thread: one lock, and under it one `pwrite`. Syncs happen on a thread of the journal's
/// own, at most one every 10 ms, for all who asked meanwhile (group commit).
public final class Journal: Sendable {
    /// Where the segments are.
    public let folder: String
    /// What was configured.
    public let limits: JournalLimits
    /// What was found at opening.
    public let opening: JournalOpening

    let state: Mutex<JournalState>
    let wake = DispatchSemaphore(value: 0)
    let ended = DispatchSemaphore(value: 0)
    let disk: JournalDisk

    /// Opens the journal in `folder`, which is made (0700) when it is not there; its parent must be.
    /// - Throws: `JournalError` when the folder or its last segment cannot be used.
    public static func open(folder: String, limits: JournalLimits = JournalLimits()) throws(JournalError)
        -> Journal
    {
        try open(folder: folder, limits: limits, disk: JournalDisk())
    }

    static func open(folder: String, limits: JournalLimits, disk: JournalDisk) throws(JournalError) -> Journal
    {
        var opener = JournalOpener(folder: folder, limits: limits, disk: disk)
        let writer = try opener.open()
        let journal = Journal(opener: opener, writer: writer)
        let thread = Thread { journal.keepSyncing() }
        thread.name = "journal"
        thread.start()
        return journal
    }

    private init(opener: JournalOpener, writer: JournalWriter) {
        folder = opener.folder
        limits = opener.limits
        opening = opener.opening
        disk = opener.disk
        state = Mutex(JournalState(writer: writer, synced: writer.end))
    }

    /// Where the next record will stand.
    public var end: JournalPosition { state.withLock { $0.writer.end } }
    /// Where the first record that is kept stands.
    public var start: JournalPosition { state.withLock { $0.writer.start } }
    /// Bytes of all segments.
    public var totalBytes: Int64 { state.withLock { $0.writer.total } }

    /// Appends the records in one write, all or none.
    /// - Returns: the position behind them, for `whenSynced`.
    /// - Throws: `JournalError`; none of the records is in the journal then.
    @discardableResult
    public func append(_ records: [[UInt8]]) throws(JournalError) -> JournalPosition {
        var batch = JournalBatch(records)
        return try append(&batch, 0..<records.count)
    }

    /// As `append(_:)`, of these records of `batch`, which are written from where they stand.
    @discardableResult
    public func append(
        _ batch: inout JournalBatch, _ records: Range<Int>
    ) throws(JournalError) -> JournalPosition {
        let (position, mustWake) = try state.withLock { state throws(JournalError) in
            try state.checkUsable()
            state.room.wrote(try state.writer.append(&batch, records))
            return (state.writer.end, !state.writer.finished.isEmpty && state.askForSync())
        }
        if mustWake { wake.signal() }
        return position
    }

    /// Promises that `bytes` more can be written, until `release`. What is written meanwhile counts twice, to
    /// the safe side.
    /// - Returns: false when the configured maximum, the file system or earlier promises leave no room;
    /// nothing changes then.
    public func reserve(_ bytes: Int) -> Bool {
        state.withLock { state in
            guard let room = state.availableRoom(limits: limits), room >= Int64(bytes) else { return false }
            state.room.promise(bytes)
            return true
        }
    }

    /// Takes a promise back. - Precondition: `bytes` were reserved and not released.
    public func release(_ bytes: Int) { state.withLock { $0.room.release(bytes) } }

    /// Bytes that can still be promised; zero when the journal can take none, for whatever reason.
    public var room: Int64 { state.withLock { max(0, $0.availableRoom(limits: limits) ?? 0) } }

    /// The segments, oldest first, for whoever decides what is kept.
    public var segments: [JournalSegment] {
        let segments = state.withLock { $0.writer.segments }
        return segments.enumerated().map { index, segment in
            var facts = stat()
            let isClosed =
                index < segments.count - 1 && stat(folder + "/" + segment.name.description, &facts) == 0
            let milliseconds = Int64(facts.st_mtim.tv_sec) * 1_000 + Int64(facts.st_mtim.tv_nsec) / 1_000_000
            return JournalSegment(
                number: segment.name.number, lengthInBytes: Int64(segment.length),
                closedMilliseconds: isClosed ? milliseconds : nil)
        }
    }

    /// Removes the segments before `number`, never the one that is being written.
    /// - Throws: `JournalError` when a file cannot be removed; it is no part of the journal any more, until
    /// the next opening.
    public func retire(segmentsBefore number: UInt32) throws(JournalError) {
        let names = state.withLock { $0.writer.drop(before: number) }
        for name in names where unlink(folder + "/" + name.description) != 0 && errno != ENOENT {
            throw .failed(operation: .remove, path: folder + "/" + name.description, code: errno)
        }
    }

    /// The number of the first segment to keep: all above it are younger than `age` and together leave room
    /// for two more. Without an `age` only their size counts.
    public func firstSegmentToKeep(at wall: WallTime, age: Duration?) -> UInt32 {
        let segments = segments
        var total = segments.reduce(0) { $0 + $1.lengthInBytes }
        let most = limits.totalBytes - 2 * Int64(limits.segmentBytes)
        let oldest = age.map { (wall - $0).milliseconds } ?? .min
        for segment in segments {
            guard let closed = segment.closedMilliseconds, total > most || closed < oldest else {
                return segment.number
            }
            total -= segment.lengthInBytes
        }
        return segments.last?.number ?? 0
    }
}
