import MeshBase
import MeshGateway
import MeshNode
import MeshRouting
import NIOCore

/// One use of a resource of this node.
protocol ServiceUse: AnyObject {
    /// Gives up; what was written may still take effect.
    func stop()
}

/// One request to a resource of this node, for a peer or for an application here. Confined to the plane's
/// event loop.
final class ResourceUse: ServiceUse, ResourceObserver, BodyTaker, BodySource {
    private let id: ServiceID
    private let resource: ResourceName
    private unowned let plane: CallPlane
    private let feed: RequestFeed
    private let sink: any AnswerSink
    private lazy var pipe = AnswerPipe(from: self, to: sink) { [plane, id] in plane.moved(id) }
    private var exchange: ResourceExchange?
    /// The body was wanted before there was an exchange to send it through.
    private var isWanted = false
    private var isAttached = false

    init(
        _ id: ServiceID, of resource: ResourceName, _ feed: RequestFeed, answeringTo sink: any AnswerSink,
        on plane: CallPlane
    ) {
        self.id = id
        self.resource = resource
        self.feed = feed
        self.sink = sink
        self.plane = plane
    }

    /// Asks the resource.
    func start(_ request: ResourceRequest, through client: ResourceClient, on loop: any EventLoop) {
        exchange = client.perform(request, on: loop, observer: self)
        // It may have been told that the body is wanted before it had its exchange.
        if isWanted { bodyWanted() }
    }

    func stop() {
        feed.detach()
        pipe.abandon()
        exchange?.cancel()
    }

    // MARK: The request's body

    func bodyWanted() {
        guard exchange != nil else {
            isWanted = true
            return
        }
        if isAttached { return feed.room() }
        isAttached = true
        guard !feed.attach(self) else { return }
        stop()
        plane.submit(.resourceFailed(id, .connectionLost, .none))
    }

    func take(_ piece: ByteBuffer) -> Bool { exchange?.send(piece) ?? false }

    func end(trailers: [HeaderField]) { exchange?.finish(trailers: trailers) }

    // MARK: The answer

    func hold() { exchange?.hold() }

    func resume() { exchange?.resume() }

    func answerBegan(status: Int, headers: [HeaderField]) {
        plane.begin(pipe, for: id)
        plane.submit(.resourceAnswered(id, status: UInt16(clamping: status), headers: headers))
    }

    func answerBody(_ chunk: ByteBuffer) { pipe.take(chunk) }

    func answerEnded(trailers: [HeaderField]) {
        if let partial = feed.partial { plane.bodyEnded(id, partial) }
        feed.detach()
        pipe.trailers = trailers
        plane.submit(.resourceEnded(id, pipe.summary, kept: pipe.keptBody))
    }

    func answerFailed(_ failure: MeshGateway.ResourceFailure) {
        feed.detach()
        // For this node's operator: where a resource is is nobody else's to know.
        plane.note("a resource gave no whole answer", failure, ["resource": "\(resource)"])
        plane.submit(.resourceFailed(id, failure.kind, failure.effect))
    }
}

/// The built-in resource: the answer is what was sent, as it comes.
final class Echo: ServiceUse, BodyTaker, BodySource {
    private let id: ServiceID
    private unowned let plane: CallPlane
    private let feed: RequestFeed
    private let sink: any AnswerSink
    private lazy var pipe = AnswerPipe(from: self, to: sink) { [plane, id] in plane.moved(id) }
    private var isPaused = false

    init(_ id: ServiceID, _ feed: RequestFeed, answeringTo sink: any AnswerSink, on plane: CallPlane) {
        self.id = id
        self.feed = feed
        self.sink = sink
        self.plane = plane
    }

    /// Answers.
    func start(_ invocation: Invocation) {
        let type = invocation.headers.first { $0.name == "content-type" }
        var headers = [type ?? HeaderField("content-type", "application/json")]
        if let length = feed.form.length { headers.append(HeaderField("content-length", String(length))) }
        plane.begin(pipe, for: id)
        plane.submit(.resourceAnswered(id, status: 200, headers: headers))
        guard !feed.attach(self) else { return }
        stop()
        plane.submit(.resourceFailed(id, .connectionLost, .none))
    }

    func stop() {
        feed.detach()
        pipe.abandon()
    }

    func take(_ piece: ByteBuffer) -> Bool {
        // A slice would keep the read that brought it for as long as the caller does not read the answer.
        pipe.take(piece.compacted)
        return !isPaused
    }

    func end(trailers: [HeaderField]) {
        // Each holds the other, and a feed of this attempt's own is known to nobody else.
        feed.detach()
        pipe.trailers = trailers
        plane.submit(.resourceEnded(id, pipe.summary, kept: pipe.keptBody))
    }

    func hold() { isPaused = true }

    func resume() {
        isPaused = false
        feed.room()
    }
}

extension MeshGateway.ResourceFailure {
    /// What the desk is told.
    fileprivate var kind: MeshNode.ResourceFailure {
        switch self {
        case .unreachable, .exhausted: .unreachable
        case .timedOut, .lost: .connectionLost
        case .requestInvalid, .misbehaved: .misbehaved
        }
    }
}
