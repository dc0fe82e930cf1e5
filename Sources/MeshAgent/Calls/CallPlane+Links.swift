import MeshBase
import MeshCredentials
import MeshLink
import MeshNode
import MeshRouting
import MeshWire
import NIOCore

// Peers' streams.
extension CallPlane {
    /// How the frames of a connection have left.
    func flow(of connection: ConnectionID) async -> LinkFlow? {
        await transport.withLock { $0 }?.flow(of: connection)
    }

    /// A peer opened a stream; nil refuses it.
    func streamOpened(_ stream: LinkStream, head: ByteBuffer, on connection: ConnectionID) -> (
        any LinkStreamObserver
    )? {
        loop.preconditionInEventLoop()
        guard let caller = tables.value.peers[connection] else { return nil }
        let peer = caller.node
        if CircuitCodec.isHead(head.readableBytesView.first) {
            return circuitArrived(stream, head: head, from: peer)
        }
        do throws(WireError) {
            let received = try head.withReadable { bytes throws(WireError) in
                try InvocationCodec.received(from: bytes)
            }
            // What lies here for as long as its call lasts; most heads are not worth the count.
            let bytes = head.readableBytes > Self.headUncounted ? head.readableBytes : 0
            guard bytes == 0 || keep(bytes, for: peer) else { return nil }
            tables.value.streamsSeen += 1
            let key = InboundKey(connection: connection, stream: tables.value.streamsSeen)
            let call = PeerCall(key, from: caller, opened(received, from: peer), on: stream, of: self)
            call.keptBytes = bytes
            tables.value.calls[key] = call
            if call.isGathering { sweepLater() }
            return call
        } catch {
            note("an invocation of a peer cannot be read", error)
            return nil
        }
    }

    /// Bytes of a head that count for nothing; of `Limits.streamsPerLink` of them, 2.5 MiB.
    private static let headUncounted = 1_024

    /// What can be known of a head: all of it, where it is clear or could be opened.
    private func opened(_ received: ReceivedInvocation, from peer: NodeID) -> PeerCall.Head {
        switch received {
        case .clear(let invocation): return PeerCall.Head(invocation: invocation)
        case .sealed(let sealed):
            let now = SystemClock.now().instant
            // Those before it in this turn count.
            catchUp()
            if let refusal = desk.withLock({ $0.takeOpening(from: peer, at: now) }) {
                return PeerCall.Head(invocation: sealed.open, opening: .refused(refusal))
            }
            do throws(SealError) {
                let (seal, invocation) = try ProviderSeal.open(sealed, with: encryption, from: peer, to: me)
                return PeerCall.Head(invocation: invocation, seal: seal)
            } catch {
                // That costs nothing: no key, no agreement of keys.
                if error == .keyUnknown {
                    return PeerCall.Head(invocation: sealed.open, opening: .keyUnknown)
                }
                desk.withLock { $0.sealBroke(from: peer, at: now) }
                return PeerCall.Head(invocation: sealed.open, opening: .broken)
            }
        }
    }

    /// Looks now and then for calls whose bodies were announced whole and do not come: one look for all of
    /// them costs less than an alarm for each.
    private func sweepLater() {
        guard !tables.value.isSweepDue else { return }
        tables.value.isSweepDue = true
        loop.assumeIsolated().scheduleTask(in: .seconds(2)) { self.sweep() }
    }

    /// An attempt holds its answer's head: it is asked when `heldTime` is over, or a little later.
    /// One alarm watches them all, since hardly any is still held when it rings.
    func isHolding(_ attempt: AttemptID) {
        tables.value.held.append((NIODeadline.now() + PeerAttempt.heldTime, attempt))
        guard !tables.value.isHeldWatched else { return }
        tables.value.isHeldWatched = true
        watchHeld(in: PeerAttempt.heldTime)
    }

    private func watchHeld(in time: TimeAmount) {
        loop.assumeIsolated().scheduleTask(in: time) { self.letHeldGo() }
    }

    private func letHeldGo() {
        let now = NIODeadline.now()
        while let (due, id) = tables.value.held.first {
            let attempt = tables.value.attempts[id]
            guard due <= now || attempt?.isHolding != true else {
                // Not for each of them by itself.
                return watchHeld(in: max(due - now, .milliseconds(25)))
            }
            tables.value.held.removeFirst()
            guard let attempt, attempt.isHolding else { continue }
            // At the end of the queue, which stays in the order of its times.
            if attempt.holdsOn() {
                tables.value.held.append((now + PeerAttempt.heldTime, id))
            } else {
                attempt.tellHead()
            }
        }
        tables.value.isHeldWatched = false
    }

    private func sweep() {
        tables.value.isSweepDue = false
        let now = NIODeadline.now()
        let gathering = tables.value.calls.filter { $1.isGathering }.map(\.value)
        for call in gathering where call.due <= now { call.giveUp() }
        if gathering.contains(where: \.isGathering) { sweepLater() }
    }
}
