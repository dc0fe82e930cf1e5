import Glibc

/// How much may still be written: the configured maximum, what the file system has, and what was promised
/// already.
struct JournalRoom {
    /// Bytes promised to calls that were admitted and did not release them.
    private(set) var reserved: Int64 = 0
    private var free: Int64 = 0
    private var measuredAt: Int64?
    private var writtenSince: Int64 = 0

    /// Bytes that may be promised; below zero when somebody else filled the disk.
    mutating func available(used: Int64, limits: JournalLimits, folder: Int32, path: String)
        throws(JournalError) -> Int64
    {
        try measure(folder: folder, path: path)
        return min(limits.totalBytes - used, free - writtenSince - limits.freeBytesKept) - reserved
    }

    mutating func promise(_ bytes: Int) { reserved += Int64(bytes) }

    /// - Precondition: as much was promised before.
    mutating func release(_ bytes: Int) {
        precondition(
            reserved >= Int64(bytes), "\(bytes) bytes of the journal released, \(reserved) were reserved")
        reserved -= Int64(bytes)
    }

    mutating func wrote(_ bytes: Int) { writtenSince += Int64(bytes) }

    /// Asks the system at most once a second: `statvfs` costs more than all else in here.
    private mutating func measure(folder: Int32, path: String) throws(JournalError) {
        let now = Self.milliseconds()
        if let last = measuredAt, now - last < 1_000 { return }
        var facts = statvfs()
        if case .failure(let failure) = uninterrupted({ fstatvfs(folder, &facts) }) {
            throw .failed(operation: .measure, path: path, code: failure.code)
        }
        let (bytes, overflow) = Int64(clamping: facts.f_bavail).multipliedReportingOverflow(
            by: Int64(clamping: facts.f_frsize))
        free = overflow ? .max / 2 : bytes
        measuredAt = now
        writtenSince = 0
    }

    static func milliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }
}
