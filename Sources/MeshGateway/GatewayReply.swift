import MeshBase
import MeshRouting
import NIOCore

/// The way back to one application for one request. Used once: a head, chunks and an end; or everything at
/// once; or a refusal.
///
/// Callable from any thread; on the connection's event loop (`eventLoop`) it costs no more than the bytes it
/// writes, elsewhere one hop a call. After the answer is complete, or the request was cancelled, every call
/// does nothing.
public struct GatewayReply: Sendable {
    /// The request that is answered.
    public let id: GatewayRequestID
    private let connection: NIOLoopBound<any GatewayOutlet>

    /// - Precondition: on the connection's event loop.
    init(id: GatewayRequestID, of outlet: any GatewayOutlet, on loop: any EventLoop) {
        self.id = id
        connection = NIOLoopBound(outlet, eventLoop: loop)
    }

    /// Where the connection lives: answers are cheapest from here.
    public var eventLoop: any EventLoop { connection.eventLoop }

    /// Reads no more of a continued body until `resumeBody`: whoever it goes to is slower than the
    /// application. At most what one read brought still arrives.
    public func holdBody() {
        guard isOnLoop else { return elsewhere { $0.holdBody() } }
        connection.value.holdBody(id)
    }

    /// Reads on, and invites an application that waits for that.
    public func resumeBody() {
        guard isOnLoop else { return elsewhere { $0.resumeBody() } }
        connection.value.resumeBody(id)
    }

    /// Begins an answer of the resource. `status` is 200 ... 599; a single valid `content-length` in
    /// `headers` frames the body, else it is chunked. Hop-by-hop fields, `Comity-…` and fields that could
    /// break the head are left out.
    public func head(status: Int, headers: [HeaderField], correlation: CorrelationID?) {
        guard isOnLoop else {
            return elsewhere { $0.head(status: status, headers: headers, correlation: correlation) }
        }
        connection.value.answerHead(id, status: status, headers: headers, correlation: correlation)
    }

    /// Goes on with the body. The sender heeds `GatewayObserver.answerFlowChanged`.
    public func body(_ chunk: ByteBuffer) {
        guard isOnLoop else { return elsewhere { $0.body(chunk) } }
        connection.value.answerBody(id, chunk)
    }

    /// Ends the answer. Trailers are sent when the body was chunked. A body shorter than its head declared
    /// cuts the connection.
    public func end(trailers: [HeaderField] = []) {
        guard isOnLoop else { return elsewhere { $0.end(trailers: trailers) } }
        connection.value.answerEnd(id, trailers: trailers)
    }

    /// Gives a whole answer at once.
    public func answer(status: Int, headers: [HeaderField], body: ByteBuffer, correlation: CorrelationID?) {
        guard isOnLoop else {
            return elsewhere {
                $0.answer(status: status, headers: headers, body: body, correlation: correlation)
            }
        }
        connection.value.answerWhole(
            id, status: status, headers: headers, body: body, correlation: correlation, extra: [])
    }

    /// Refuses with every reason; the first one's code decides the status. After a head it cuts the
    /// connection, so that nobody takes the half answer for a whole one.
    public func refuse(_ refusals: [Refusal], correlation: CorrelationID?) {
        guard isOnLoop else { return elsewhere { $0.refuse(refusals, correlation: correlation) } }
        connection.value.answerRefused(id, refusals, status: nil, correlation: correlation)
    }

    /// Answers a request to all providers with what became of each, once that is known of all of them: as
    /// `FanOutBody` writes it, with `Comity-Fan-Out: ANSWERED/ASKED`. 200 when one of them began to answer;
    /// else the status of the first one's refusal.
    public func gathered(_ parts: [FanOutPart]) {
        guard isOnLoop else { return elsewhere { $0.gathered(parts) } }
        connection.value.answerGathered(id, parts)
    }

    // Each call asks before it makes a closure: nearly all come from the loop, where none is needed.
    private var isOnLoop: Bool { connection.eventLoop.inEventLoop }

    private func elsewhere(_ act: @escaping @Sendable (Self) -> Void) {
        connection.eventLoop.execute { act(self) }
    }
}
