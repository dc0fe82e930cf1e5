import MeshBase
import MeshLink
import MeshNode
import MeshRouting
import MeshWire
import NIOCore

/// One invocation of a peer, from its stream's opening to the answer's end. Confined to the plane's event
/// loop.
final class PeerCall: LinkStreamObserver, AnswerSink, @unchecked Sendable {
    // Sendable as `PeerAttempt` is: confined to the one event loop.
    let key: InboundKey
    let peer: NodeID
    /// What of the peer's share of memory this call holds.
    var keptBytes = 0
    private let invocation: Invocation
    private let stream: LinkStream
    private unowned let plane: CallPlane
    private(set) var body = ByteBuffer()
    private var isComplete = false
    private var isOver = false
    /// The answer on its way, once the resource was asked.
    var pipe: AnswerPipe?

    init(
        _ key: InboundKey, from peer: NodeID, _ invocation: Invocation, on stream: LinkStream,
        of plane: CallPlane
    ) {
        self.key = key
        self.peer = peer
        self.invocation = invocation
        self.stream = stream
        self.plane = plane
    }

    func stream(did event: LinkStreamEvent) {
        guard !isOver else { return }
        switch event {
        case .data(var piece): take(&piece)
        case .end:
            guard !isComplete else { return }
            isComplete = true
            let inbound = InboundInvocation(
                key: key, peer: peer, invocation: invocation, bodyLength: Int64(body.readableBytes))
            plane.submit(.arrived(inbound))
        case .reset, .lost:
            isOver = true
            pipe?.abandon()
            plane.forget(key)
            if isComplete { plane.submit(.abandoned(key)) }
        case .head, .writable: break
        }
    }

    private func take(_ piece: inout ByteBuffer) {
        stream.consumed(piece.readableBytes)
        guard body.readableBytes + piece.readableBytes <= Limits.callBody else {
            let length = body.readableBytes + piece.readableBytes
            refuse([Refusal(.bodyTooLarge, [Fact("bytes so far", length), Fact("limit", Limits.callBody)])])
            plane.forget(key)
            return
        }
        let length = piece.readableBytes
        guard plane.keep(length, for: peer) else {
            refuse([Refusal(.overloaded, [Fact("bytes of one peer's calls at most", Limits.memoryPerPeer)])])
            return
        }
        keptBytes += length
        body.writeBuffer(&piece)
    }

    /// Lets the answer's head pass.
    func respond(_ answer: InvocationAnswer) {
        guard !isOver else { return }
        switch answer {
        case .answered:
            write(answer)
            pipe?.open()
        case .refused(let refusals, let effect): refuse(refusals, effect)
        }
    }

    /// Answers as the same call was answered before.
    func replay(_ end: IdempotencyBook.End) {
        guard !isOver else { return }
        write(.answered(status: end.status, headers: end.headers))
        if let bytes = end.body?.bytes { stream.write(ByteBuffer(bytes: bytes)) }
        close()
    }

    /// Breaks off what had begun.
    func breakOff() {
        guard !isOver else { return }
        isOver = true
        pipe?.abandon()
        plane.release(self)
        stream.reset(.outcomeUnknown)
    }

    func pass(_ piece: ByteBuffer) { stream.write(piece) }

    func close() {
        isOver = true
        stream.end()
        plane.forget(key)
        plane.release(self)
    }

    private func refuse(_ refusals: [Refusal], _ effect: PossibleEffect = .none) {
        write(.refused(refusals, effect: effect))
        close()
    }

    private func write(_ answer: InvocationAnswer) {
        do throws(WireError) {
            stream.answer(head: ByteBuffer(bytes: try InvocationCodec.encode(answer)))
        } catch {
            // The resource's head does not fit a link's: the caller must not wait for it.
            plane.note("an answer's head cannot be sent", error)
            stream.reset(.resourceMisbehaved)
        }
    }
}
