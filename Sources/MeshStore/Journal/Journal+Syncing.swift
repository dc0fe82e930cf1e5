import Dispatch
import Glibc
import Synchronization

extension Journal {
    /// Calls back once everything before `position` survives the loss of power, or can no longer be said to.
    ///
    /// On the journal's thread, or at once on this one when that is so already. The callback does one thing:
    /// submit.
    public func whenSynced(
        _ position: JournalPosition, _ callback: @escaping @Sendable (Result<Void, JournalError>) -> Void
    ) {
        let (answer, mustWake): (Result<Void, JournalError>?, Bool) = state.withLock { state in
            if let answer = state.safety(of: position) { return (answer, false) }
            state.waiters.append((position, callback))
            return (nil, state.askForSync())
        }
        if let answer { callback(answer) }
        if mustWake { wake.signal() }
    }

    /// Returns once everything before `position` survives the loss of power.
    public func synced(upTo position: JournalPosition) async throws(JournalError) {
        let result = await withCheckedContinuation { continuation in
            whenSynced(position) { continuation.resume(returning: $0) }
        }
        try result.get()
    }

    /// Blocks until everything before `position` survives the loss of power: for a thread that may wait.
    func sync(upTo position: JournalPosition) throws(JournalError) {
        let done = DispatchSemaphore(value: 0)
        let answer = Mutex<Result<Void, JournalError>>(.success(()))
        whenSynced(position) { result in
            answer.withLock { $0 = result }
            done.signal()
        }
        done.wait()
        try answer.withLock { $0 }.get()
    }

    /// Syncs what was written, ends the journal's thread and closes its files. Whoever still waits is
    /// answered.
    public func close() {
        let isFirst = state.withLock { state in
            defer { state.ending = state.ending ?? .closed }
            guard !state.isClosing else { return false }
            state.isClosing = true
            return true
        }
        guard isFirst else { return }
        wake.signal()
        ended.wait()
    }

    /// The journal's thread: waits until somebody asks, syncs for all who asked, answers them.
    func keepSyncing() {
        var isClosing = false
        var hasFailed = false
        while !isClosing {
            if hasFailed {
                _ = wake.wait(timeout: .now() + .milliseconds(Self.recoveryMilliseconds))
                recover()
            } else {
                wake.wait()
            }
            let began = JournalRoom.milliseconds()
            isClosing = state.withLock { $0.isClosing }
            let answers = syncOnce()
            for (callback, result) in answers { callback(result) }
            hasFailed = state.withLock { $0.syncFailure != nil }
            let rest = Int64(limits.syncIntervalMilliseconds) - (JournalRoom.milliseconds() - began)
            if !isClosing, rest > 0 { usleep(UInt32(rest * 1_000)) }
        }
        state.withLock { state in
            Glibc.close(state.writer.descriptor)
            Glibc.close(state.writer.folderDescriptor)
        }
        ended.signal()
    }

    /// Syncs full segments, the folder when files were made in it, and the last segment, in this order: a
    /// position counts only when all before it is safe.
    private func syncOnce() -> [(@Sendable (Result<Void, JournalError>) -> Void, Result<Void, JournalError>)]
    {
        let (work, alreadyFailed) = state.withLock { state in
            let work = (
                finished: state.writer.finished, current: state.writer.descriptor, end: state.writer.end,
                folder: state.writer.hasNewNames ? state.writer.folderDescriptor : nil
            )
            state.writer.finished = []
            state.writer.hasNewNames = false
            state.isSyncAsked = false
            return (work, state.syncFailure)
        }
        var failure = alreadyFailed
        for descriptor in work.finished + [work.folder].compactMap({ $0 }) + [work.current]
        where failure == nil {
            if case .failure(let reason) = uninterrupted({ disk.sync(descriptor) }) {
                failure = .syncFailed(path: folder, code: reason.code)
            }
        }
        for descriptor in work.finished { Glibc.close(descriptor) }
        return state.withLock { state in
            if let failure {
                state.giveUp(failure)
                defer { state.waiters = [] }
                return state.waiters.map { ($0.callback, .failure(failure)) }
            }
            state.synced = max(state.synced, work.end)
            let due = state.waiters.filter { $0.position <= work.end }
            state.waiters.removeAll { $0.position <= work.end }
            return due.map { ($0.callback, .success(())) }
        }
    }
}
