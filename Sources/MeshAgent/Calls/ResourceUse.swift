import MeshBase
import MeshGateway
import MeshNode
import MeshRouting
import NIOCore

/// One request to a resource of this node, for a peer or for an application here. Confined to the plane's
/// event loop.
final class ResourceUse: ResourceObserver {
    private let id: ServiceID
    private unowned let plane: CallPlane
    let pipe: AnswerPipe
    var exchange: ResourceExchange?

    init(_ id: ServiceID, answeringTo sink: any AnswerSink, on plane: CallPlane) {
        self.id = id
        self.plane = plane
        pipe = AnswerPipe(to: sink)
    }

    func answerBegan(status: Int, headers: [HeaderField]) {
        plane.begin(pipe, for: id)
        plane.submit(.resourceAnswered(id, status: UInt16(clamping: status), headers: headers))
    }

    func answerBody(_ chunk: ByteBuffer) { pipe.take(chunk) }

    func answerEnded(trailers: [HeaderField]) {
        plane.submit(.resourceEnded(id, pipe.summary, kept: pipe.keptBody))
    }

    func answerFailed(_ failure: MeshGateway.ResourceFailure) {
        plane.submit(.resourceFailed(id, failure.kind, failure.effect))
    }

    /// The built-in resource: the answer is what was sent.
    func echo(_ body: ByteBuffer, of invocation: Invocation) {
        let type = invocation.headers.first { $0.name == "content-type" }
        let length = HeaderField("content-length", String(body.readableBytes))
        answerBegan(status: 200, headers: [type ?? HeaderField("content-type", "application/json"), length])
        answerBody(body)
        answerEnded(trailers: [])
    }

    /// Gives up; what was written may still take effect.
    func stop() {
        pipe.abandon()
        exchange?.cancel()
    }
}

extension MeshGateway.ResourceFailure {
    /// What the desk is told.
    fileprivate var kind: MeshNode.ResourceFailure {
        switch self {
        case .unreachable, .exhausted: .unreachable
        case .timedOut, .lost: .connectionLost
        case .requestInvalid, .misbehaved, .answerTooLarge: .misbehaved
        }
    }
}
