import MeshBase
import MeshLink
import MeshNode
import MeshWire
import NIOCore

// Peers' streams.
extension CallPlane {
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
            return call
        } catch {
            note("an invocation of a peer cannot be read", error)
            return nil
        }
    }
}
