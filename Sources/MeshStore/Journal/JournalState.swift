/// What the journal's lock guards.
struct JournalState: Sendable {
    var writer: JournalWriter
    var room = JournalRoom()
    /// All before it survives the loss of power.
    var synced: JournalPosition
    /// Who waits for which position.
    var waiters: [(position: JournalPosition, callback: @Sendable (Result<Void, JournalError>) -> Void)] = []
    /// Why nothing is taken any more: a sync that failed, or `close`.
    var ending: JournalError?
    /// The sync that failed: the kernel reports it once, so it is remembered here.
    var syncFailure: JournalError?
    /// Whether the journal's thread was woken for a sync that has not begun.
    var isSyncAsked = false
    /// Whether `close` was called.
    var isClosing = false

    init(writer: JournalWriter, synced: JournalPosition) {
        self.writer = writer
        self.synced = synced
    }

    /// Notes that somebody wants a sync; answers whether the thread must be woken for it.
    mutating func askForSync() -> Bool {
        defer { isSyncAsked = true }
        return !isSyncAsked
    }

    /// - Throws: why the journal takes nothing any more.
    func checkUsable() throws(JournalError) {
        if let ending { throw ending }
    }

    /// Bytes that can be promised; nil when the journal takes none or the file system does not say.
    mutating func availableRoom(limits: JournalLimits) -> Int64? {
        guard ending == nil else { return nil }
        do throws(JournalError) {
            return try room.available(
                used: writer.total, limits: limits, folder: writer.folderDescriptor, path: writer.folder)
        } catch {
            return nil
        }
    }
}
