import MeshBase
import MeshGateway
import MeshNode
import MeshRouting
import NIOCore

/// One request of an application on this machine, from arrival to its answer's end. Confined to the plane's
/// event loop.
final class OwnRequest: AnswerSink, BodySource {
    let id: RequestID
    let way: AnswerWay
    /// Whether the answer has no body whatever its head says: to HEAD.
    private let isHead: Bool
    let feed: RequestFeed
    /// Those that began, at peers or here.
    var attempts: [AttemptID] = []
    /// The attempt whose answer flows, once the desk has said which.
    var answering: AnswerPipe?
    /// What this node's own resource answers, to which attempt.
    var own: (attempt: AttemptID, pipe: AnswerPipe)?
    /// Whether an attempt has the feed.
    private var isFed = false
    private var isFull = false
    /// The answer's head, until something follows it, where it may be the last frame (protocol section 9): of
    /// an answer without a body it is all that the application waits for.
    private var head: (status: Int, headers: [HeaderField], correlation: CorrelationID?)?

    init(
        _ id: RequestID, _ request: GatewayRequest, _ body: RequestBody, answering way: AnswerWay,
        tell: @escaping (RequestFeed.Event) -> Void
    ) {
        self.id = id
        self.way = way
        if case .mesh("HEAD", _, _) = request.form { isHead = true } else { isHead = false }
        switch request.delivery {
        case .whole: feed = RequestFeed(whole: request.body, form: body, trailers: request.trailers)
        case .continued:
            feed = RequestFeed(streamed: body, tell: tell)
            feed.source = self
            if request.body.readableBytes > 0 { _ = feed.take(request.body) }
        }
    }

    /// The agent's own call of a relay: both bodies are what a link over it says.
    init(_ id: RequestID, circuit: CircuitDial, tell: @escaping (RequestFeed.Event) -> Void) {
        self.id = id
        way = .circuit(circuit)
        isHead = false
        feed = RequestFeed(streamed: .streamed(length: nil), tell: tell)
        feed.source = self
    }

    /// What goes on with an attempt that says that its body comes like this. Two attempts may be out at once,
    /// so each but the first has one of its own, where the body is here; the bytes are shared.
    func feed(for body: RequestBody) -> RequestFeed {
        if body == .none && feed.form != .none { return RequestFeed(whole: ByteBuffer(), form: .none) }
        guard isFed, let whole = feed.whole else {
            isFed = true
            return feed
        }
        return RequestFeed(whole: whole.bytes, form: feed.form, trailers: whole.trailers)
    }

    func hold() { way.hold() }

    func resume() { way.resume() }

    /// The desk lets the answer's head pass.
    func begin(status: Int, headers: [HeaderField], correlation: CorrelationID?) {
        head = (status, headers, correlation)
        let length = AnswerLength(status: status, headers: headers, isHead: isHead)
        if length.isBodyExpected { sendHead() }
        answering?.declared = length.declared
        answering?.open()
    }

    func pass(_ piece: ByteBuffer) -> Bool {
        sendHead()
        way.body(piece)
        return !isFull
    }

    func close(trailers: [HeaderField]) {
        sendHead()
        way.end(trailers: trailers)
    }

    /// The application reads more slowly than it is sent to, or has caught up.
    func flowChanged(_ flow: AnswerFlow) {
        switch flow {
        case .held:
            isFull = true
            answering?.block()
        case .open:
            isFull = false
            answering?.room()
        }
    }

    private func sendHead() {
        guard let (status, headers, correlation) = head else { return }
        head = nil
        way.head(status: status, headers: headers, correlation: correlation)
    }
}

/// What an answer's head says of the length of its body (RFC 9112 section 6.3).
struct AnswerLength {
    /// Bytes; nil where the head does not say.
    let declared: Int64?
    /// Whether something is to follow the head before the answer is whole.
    let isBodyExpected: Bool

    init(status: Int, headers: [HeaderField], isHead: Bool) {
        // What two ends say over a WebSocket has no length, whatever the head says (RFC 9110 section 15.2).
        guard status != WebSocketUpgrade.status else {
            (declared, isBodyExpected) = (nil, true)
            return
        }
        guard !isHead, status != 204, status != 304 else {
            (declared, isBodyExpected) = (nil, false)
            return
        }
        declared = headers.first { $0.name == "content-length" }.flatMap { Int64($0.value) }
        isBodyExpected = declared != 0
    }

    /// Whether the head promises that no more than so many bytes follow.
    func isAtMost(_ bytes: Int64) -> Bool { declared.map { $0 <= bytes } ?? !isBodyExpected }
}
