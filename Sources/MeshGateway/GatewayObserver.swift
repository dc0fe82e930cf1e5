import MeshRouting
import NIOCore

/// Whether an answer may flow on, or its sender should wait.
public enum AnswerFlow: Equatable, Sendable {
    /// The application takes more.
    case open
    /// More would pile up in this process.
    case held
}

/// Who is told of applications' requests: the wiring, which connects the gateway with the machine that
/// decides.
///
/// All calls come on the connection's event loop; a request's `id` ties them together. For one request the
/// order is `requestArrived`, then any number of `bodyArrived` closed by `bodyEnded` when the delivery is
/// `.continued`, and `cancelled` at most once, after which nothing more is said of it and every answer to it
/// is ignored.
public protocol GatewayObserver: AnyObject, Sendable {
    /// A request wants an answer, through `reply`, on any thread, now or later. Until then the connection's
    /// next request waits.
    func requestArrived(_ request: GatewayRequest, reply: GatewayReply)
    /// The body goes on.
    func bodyArrived(_ chunk: ByteBuffer, of id: GatewayRequestID)
    /// The body is complete; what followed it.
    func bodyEnded(of id: GatewayRequestID, trailers: [HeaderField])
    /// The application reads more slowly than it is sent to, or has caught up.
    func answerFlowChanged(_ flow: AnswerFlow, of id: GatewayRequestID)
    /// The application went away, or broke HTTP, before the answer was complete.
    func cancelled(_ id: GatewayRequestID)
}
