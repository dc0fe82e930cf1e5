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
    public func holdBody() { onLoop { $0.holdBody(id) } }

    /// Reads on, and invites an application that waits for that.
    public func resumeBody() { onLoop { $0.resumeBody(id) } }

    /// Begins an answer of the resource. `status` is 200 ... 599; a single valid `content-length` in
    /// `headers` frames the body, else it is chunked. Hop-by-hop fields, `Comity-…` and fields that could
    /// break the head are left out.
    public func head(status: Int, headers: [HeaderField], correlation: CorrelationID?) {
        onLoop { $0.answerHead(id, status: status, headers: headers, correlation: correlation) }
    }

    /// Goes on with the body. The sender heeds `GatewayObserver.answerFlowChanged`.
    public func body(_ chunk: ByteBuffer) { onLoop { $0.answerBody(id, chunk) } }

    /// Ends the answer. Trailers are sent when the body was chunked. A body shorter than its head declared
    /// cuts the connection.
    public func end(trailers: [HeaderField] = []) { onLoop { $0.answerEnd(id, trailers: trailers) } }

    /// Gives a whole answer at once.
    public func answer(status: Int, headers: [HeaderField], body: ByteBuffer, correlation: CorrelationID?) {
        onLoop {
            $0.answerWhole(
                id, status: status, headers: headers, body: body, correlation: correlation, extra: [])
        }
    }

    /// Refuses with every reason; the first one's code decides the status. After a head it cuts the
    /// connection, so that nobody takes the half answer for a whole one.
    public func refuse(_ refusals: [Refusal], correlation: CorrelationID?) {
        onLoop { $0.answerRefused(id, refusals, status: nil, correlation: correlation) }
    }

    /// Answers a request to all providers with what became of each, once that is known of all of them: as
    /// `FanOutBody` writes it, with `Comity-Fan-Out: ANSWERED/ASKED`. 200 when one of them began to answer;
    /// else the status of the first one's refusal.
    public func gathered(_ parts: [FanOutPart]) { onLoop { $0.answerGathered(id, parts) } }

    private func onLoop(_ act: @escaping @Sendable (any GatewayOutlet) -> Void) {
        if connection.eventLoop.inEventLoop {
            act(connection.value)
        } else {
            connection.eventLoop.execute { act(connection.value) }
        }
    }
}
