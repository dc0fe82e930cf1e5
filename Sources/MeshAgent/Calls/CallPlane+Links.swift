import MeshBase
import MeshLink
import MeshNode
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
        guard let peer = tables.value.peers[connection] else { return nil }
        do throws(WireError) {
            let invocation = try InvocationCodec.invocation(from: Array(head.readableBytesView))
            tables.value.streamsSeen += 1
            let key = InboundKey(connection: connection, stream: tables.value.streamsSeen)
            let call = PeerCall(key, from: peer, invocation, on: stream, of: self)
            tables.value.calls[key] = call
            if call.isGathering { sweepLater() }
            return call
        } catch {
            note("an invocation of a peer cannot be read", error)
            return nil
        }
    }

    /// Looks now and then for calls whose bodies were announced whole and do not come: one look for all of
    /// them costs less than an alarm for each.
    private func sweepLater() {
        guard !tables.value.isSweepDue else { return }
        tables.value.isSweepDue = true
        loop.assumeIsolated().scheduleTask(in: .seconds(2)) { self.sweep() }
    }

    private func sweep() {
        tables.value.isSweepDue = false
        let now = NIODeadline.now()
        let gathering = tables.value.calls.values.filter(\.isGathering)
        for call in gathering where call.due <= now { call.giveUp() }
        if gathering.contains(where: \.isGathering) { sweepLater() }
    }
}
