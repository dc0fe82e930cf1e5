import MeshBase
import NIOCore
import Synchronization

extension LinkTransport {
    /// Stops listening, tells every peer that no more streams are taken, and waits until the open ones are
    /// over, at most for `patience`; then ends whatever is left. Nothing can be dialled any more.
    public func drain(within patience: Duration) async {
        let listeners = state.withLock { state in
            state.isDraining = true
            defer { state.listeners = [] }
            return state.listeners
        }
        for listener in listeners { listener.close(promise: nil) }
        orderAll { $0.drain() }
        let alarm = group.next().scheduleTask(in: TimeAmount(patience)) { self.giveUp() }
        await withCheckedContinuation { continuation in
            state.withLock { $0.drained.append(continuation) }
            resumeIfDrained()
        }
        alarm.cancel()
    }

    private func giveUp() {
        let dialled = state.withLock { state in
            let dialled = state.seats.filter { if case .dialling = $0.value { true } else { false } }.keys
                .sorted()
            for id in dialled { state.seats[id] = nil }
            return dialled
        }
        for id in dialled { observer.connection(id, did: .closed(.drained)) }
        orderAll { $0.end(.drained) }
        resumeIfDrained()
    }

    private func orderAll(_ order: @escaping @Sendable (LinkConnection) -> Void) {
        let connections = state.withLock { state in
            state.seats.keys.sorted().compactMap { id -> NIOLoopBound<LinkConnection>? in
                guard case .connected(let connection)? = state.seats[id] else { return nil }
                return connection
            }
        }
        for connection in connections { perform(connection, order) }
    }

    func resumeIfDrained() {
        let waiting = state.withLock { state in
            guard state.seats.isEmpty else { return [CheckedContinuation<Void, Never>]() }
            defer { state.drained = [] }
            return state.drained
        }
        for continuation in waiting { continuation.resume() }
    }

    // MARK: What connections say

    func count(_ change: (inout LinkCounts) -> Void) { state.withLock { change(&$0.counts) } }

    /// A connection has its handlers; false: it was closed before.
    func register(_ id: ConnectionID, _ connection: NIOLoopBound<LinkConnection>) -> Bool {
        state.withLock { state in
            guard state.seats[id] != nil else { return false }
            state.seats[id] = .connected(connection)
            return true
        }
    }

    func pairingAttempted(from address: String) -> Refusal? {
        let now = Instant(nanoseconds: Int64(clamping: NIODeadline.now().uptimeNanoseconds))
        return state.withLock { state in
            guard state.pairing == .open else { return Refusal(.pairingClosed, [Fact("invites open", 0)]) }
            return state.admission.pairingAttempted(from: address, at: now)
        }
    }

    /// What becomes of this handshake is in people's hands.
    func handsOver(_ id: ConnectionID) { state.withLock { $0.admission.finished(id) } }

    func admitted(_ id: ConnectionID) {
        state.withLock { state in
            state.counts.admitted += 1
            state.admission.finished(id)
        }
    }

    func ended(
        _ id: ConnectionID, _ role: LinkRole, _ remote: Endpoint, _ why: LinkEnd, wasSecured: Bool,
        worstWait: Int
    ) {
        let second = NIODeadline.now().uptimeNanoseconds / 1_000_000_000
        let isReported = wasSecured || role == .dialler
        let (wasSeated, isTold) = state.withLock { state -> (Bool, Bool) in
            let wasSeated = state.seats.removeValue(forKey: id) != nil
            state.admission.finished(id)
            state.counts.worstFrameWait = max(state.counts.worstFrameWait, worstWait)
            guard !isReported else { return (wasSeated, false) }
            state.counts.turnedAway += 1
            if state.turnedAway.second != second { state.turnedAway = (second, 0) }
            state.turnedAway.told += 1
            return (wasSeated, state.turnedAway.told <= 10)
        }
        if isReported && wasSeated { observer.connection(id, did: .closed(why)) }
        if isTold { observer.turnedAway(remote, because: why) }
        resumeIfDrained()
    }
}
