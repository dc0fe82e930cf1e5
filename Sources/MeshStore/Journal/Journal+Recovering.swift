import Glibc

/// What happens after a sync that failed.
///
/// The kernel reports such a failure once and then calls the lost pages clean, so that no later sync of that
/// file can say whether its records are safe. They are given up as far as safety goes: whoever waits for
/// them, or asks later, is told of the failure, for ever. Nothing is appended until a new segment could be
/// begun and synced, with its name; then the journal goes on behind the gap.
extension Journal {
    /// How long the disk is left alone between two tries.
    static let recoveryMilliseconds = 500

    /// Tries to go on in a new segment; on the journal's thread.
    func recover() {
        let begun: (descriptor: Int32, folder: Int32, old: [Int32])? = state.withLock { state in
            guard state.syncFailure != nil, !state.isClosing else { return nil }
            do throws(JournalError) {
                try state.writer.beginAnew()
            } catch {
                return nil
            }
            defer { state.writer.finished = [] }
            return (state.writer.descriptor, state.writer.folderDescriptor, state.writer.finished)
        }
        guard let begun else { return }
        for descriptor in begun.old { Glibc.close(descriptor) }
        for descriptor in [begun.descriptor, begun.folder] {
            guard case .success = uninterrupted({ disk.sync(descriptor) }) else { return }
        }
        state.withLock { state in
            state.syncFailure = nil
            state.writer.hasNewNames = false
            state.synced = state.writer.end
            if !state.isClosing { state.ending = nil }
        }
    }
}

/// Records of which nobody can say whether they survive a loss of power.
struct JournalGap: Equatable, Sendable {
    /// Behind the last position that was safe.
    let start: JournalPosition
    /// Behind the last record of it.
    let end: JournalPosition
    let failure: JournalError

    func covers(_ position: JournalPosition) -> Bool { start < position && position <= end }
}
