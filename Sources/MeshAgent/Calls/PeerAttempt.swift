import MeshBase
import MeshLink
import MeshNode
import MeshRouting
import MeshWire
import NIOCore

/// One attempt at a peer: the stream out, and its answer. Confined to the plane's event loop.
final class PeerAttempt: LinkStreamObserver, @unchecked Sendable {
    // Sendable because the link hands observers between threads; all state is touched on one event loop only,
    // the plane's, which is also every connection's: `CallPlane` is made with a group of one loop and checks
    // it.
    private let id: AttemptID
    private unowned let plane: CallPlane
    let pipe: AnswerPipe
    var stream: LinkStream?
    private var pending: ByteBuffer?
    private var isOver = false

    init(_ id: AttemptID, for request: OwnRequest, on plane: CallPlane) {
        self.id = id
        self.plane = plane
        pipe = AnswerPipe(to: request)
    }

    /// Sends the body and the end, as the window allows.
    func send(_ body: ByteBuffer) {
        if body.readableBytes > 0 { stream?.write(body) }
        stream?.end()
    }

    /// Ends it from this side; nothing more is told.
    func abandon() {
        isOver = true
        pipe.abandon()
        stream?.reset(.cancelled)
    }

    func stream(did event: LinkStreamEvent) {
        guard !isOver else { return }
        switch event {
        case .head(let head): read(head)
        case .data(let piece):
            stream?.consumed(piece.readableBytes)
            pipe.take(piece)
        case .end: plane.submit(.attemptEnded(id, pipe.summary))
        case .reset(let code):
            isOver = true
            let effect: PossibleEffect = code == .draining || code == .limitReached ? .none : .possible
            plane.submit(.attemptFailed(id, code == .limitReached ? .noStream : .streamReset, effect))
        case .lost:
            isOver = true
            plane.submit(.attemptFailed(id, .linkLost, .possible))
        case .writable: break
        }
    }

    private func read(_ head: ByteBuffer) {
        do throws(WireError) {
            switch try InvocationCodec.answer(from: Array(head.readableBytesView)) {
            case .answered(let status, let headers):
                plane.begin(pipe, for: id)
                plane.submit(.attemptAnswered(id, status: status, headers: headers))
            case .refused(let refusals, let effect):
                isOver = true
                plane.submit(.attemptRefused(id, refusals, effect))
            }
        } catch {
            isOver = true
            stream?.reset(.requestMalformed)
            plane.submit(.attemptFailed(id, .answerMalformed, .possible))
        }
    }
}
