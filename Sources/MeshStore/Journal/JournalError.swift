import Glibc

/// Why the journal could not do what it was asked.
public enum JournalError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file system took only a part of what was written, or nothing; what it took was cut off again.
    case full(path: String)
    /// A system call failed.
    case failed(operation: JournalOperation, path: String, code: Int32)
    /// A failed write could not be undone as yet: nothing is appended behind a torn record.
    case torn(path: String, code: Int32)
    /// A sync failed. What was written before it may be lost with the power, and no later sync can say (the
    /// kernel reports such a failure once), so that nothing is appended until a new segment could be begun.
    case syncFailed(path: String, code: Int32)
    /// A record, or all records of one call together, are longer than the limit.
    case tooLong(lengthInBytes: Int, limit: Int)
    /// The segment was begun by a later version of this program.
    case newerFormat(path: String)
    /// The journal was closed.
    case closed

    public var description: String {
        switch self {
        case .full(let path):
            "no room left for the audit journal at \(path): make room there (`df -h \(path)`),"
                + " then calls go on by themselves"
        case .failed(let operation, let path, let code):
            "cannot \(operation.rawValue) \(path): \(text(of: code)); see `comity doctor`"
        case .torn(let path, let code):
            "a failed write to \(path) could not be undone (\(text(of: code))): nothing more is"
                + " written there; see `dmesg`, then start the agent anew"
        case .syncFailed(let path, let code):
            "the disk did not take what was written to \(path) (\(text(of: code))):"
                + " see `dmesg`; calls go on by themselves once it does"
        case .tooLong(let length, let limit): "an audit record of \(length) bytes; the limit is \(limit)"
        case .newerFormat(let path):
            "\(path) was written by a later version of comity: use that version,"
                + " or move the journal folder away"
        case .closed: "the audit journal is closed"
        }
    }

    private func text(of code: Int32) -> String { String(cString: strerror(code)) }
}

/// What the journal asks of the system, in words that fit behind *cannot*.
public enum JournalOperation: String, Sendable {
    /// Making the folder or a segment.
    case create
    /// Opening the folder or a segment.
    case open
    /// Listing the folder.
    case list
    /// Reading a segment.
    case read
    /// Writing records.
    case write
    /// Cutting a torn tail.
    case truncate = "cut"
    /// Making what was written survive a loss of power.
    case sync
    /// Asking for the free space.
    case measure
    /// Removing a segment whose time is over.
    case remove
}
