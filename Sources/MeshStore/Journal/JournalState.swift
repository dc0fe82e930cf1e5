/// What the journal's lock guards.
struct JournalState: Sendable {
    var writer: JournalWriter
    var room = JournalRoom()
    /// All before it survives the loss of power.
    var synced: JournalPosition
    /// Who waits for which position.
    var waiters: [(position: JournalPosition, callback: @Sendable (Result<Void, JournalError>) -> Void)] = []
    /// Why nothing is taken now: a sync that failed, until the journal has recovered, or `close`.
    var ending: JournalError?
    /// The sync that failed, until the journal has recovered.
    var syncFailure: JournalError?
    /// What syncs that failed have left, oldest first; at most `gapsMax`.
    private(set) var gaps: [JournalGap] = []
    /// Whether the journal's thread was woken for a sync that has not begun.
    var isSyncAsked = false
    /// Whether `close` was called.
    var isClosing = false

    private static let gapsMax = 16

    init(writer: JournalWriter, synced: JournalPosition) {
        self.writer = writer
        self.synced = synced
    }

    /// Notes that somebody wants a sync; answers whether the thread must be woken for it.
    mutating func askForSync() -> Bool {
        defer { isSyncAsked = true }
        return !isSyncAsked
    }

    /// A sync failed: what is not known to be safe never will be.
    mutating func giveUp(_ failure: JournalError) {
        // Nothing was appended since the first failure.
        guard syncFailure == nil else { return }
        syncFailure = failure
        ending = ending ?? failure
        guard synced < writer.end else { return }
        gaps.append(JournalGap(start: synced, end: writer.end, failure: failure))
        guard gaps.count > Self.gapsMax else { return }
        // The two oldest become one, with what lies between them: at worst somebody is told too little.
        let oldest = gaps.removeFirst()
        gaps[0] = JournalGap(start: oldest.start, end: gaps[0].end, failure: oldest.failure)
    }

    /// Whether `position` is safe; nil: not yet.
    func safety(of position: JournalPosition) -> Result<Void, JournalError>? {
        if let gap = gaps.first(where: { $0.covers(position) }) { return .failure(gap.failure) }
        if position <= synced { return .success(()) }
        return ending.map { .failure($0) }
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
