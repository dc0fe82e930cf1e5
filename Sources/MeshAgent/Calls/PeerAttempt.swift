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
    /// The answer's head, until all of the answer is there, or more of it than `heldMax`, or `heldTime` is
    /// over: while the desk has not heard of it, a call that may be repeated can still go to another node
    /// when the peer dies in the middle. A short answer is in the middle for as long as its provider syncs.
    private var held: (status: UInt16, headers: [HeaderField])?
    private var heldBytes = 0
    private var holding: Scheduled<Void>?
    private var isOver = false

    private static let heldMax = 64 * 1024
    /// Longer than a provider's group commit takes; hardly noticed at the head of a stream.
    private static let heldTime: TimeAmount = .milliseconds(100)

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
        letGo()
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
            heldBytes += piece.readableBytes
            guard heldBytes <= Limits.callBody else { return endOverlong() }
            pipe.take(piece)
            if heldBytes > Self.heldMax { tellHead() }
        case .end:
            tellHead()
            plane.submit(.attemptEnded(id, pipe.summary))
        case .reset(let code):
            letGo()
            isOver = true
            let effect: PossibleEffect = code == .draining || code == .limitReached ? .none : .possible
            plane.submit(.attemptFailed(id, code == .limitReached ? .noStream : .streamReset, effect))
        case .lost:
            letGo()
            isOver = true
            plane.submit(.attemptFailed(id, .linkLost, .possible))
        case .writable: break
        }
    }

    /// No resource's answer is this long until bodies stream: a provider that sends more fills no memory
    /// here.
    private func endOverlong() {
        abandon()
        plane.submit(.attemptFailed(id, .answerMalformed, .possible))
    }

    private func letGo() {
        held = nil
        holding?.cancel()
        holding = nil
    }

    private func tellHead() {
        guard let (status, headers) = held else { return }
        letGo()
        plane.begin(pipe, for: id)
        plane.submit(.attemptAnswered(id, status: status, headers: headers))
    }

    private func read(_ head: ByteBuffer) {
        do throws(WireError) {
            switch try InvocationCodec.answer(from: Array(head.readableBytesView)) {
            case .answered(let status, let headers):
                held = (status, headers)
                holding = stream?.eventLoop.assumeIsolated().scheduleTask(in: Self.heldTime) {
                    self.tellHead()
                }
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
