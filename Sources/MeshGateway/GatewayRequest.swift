import MeshBase
import MeshRouting
import NIOCore

/// Names one request of one gateway; never reused in one process by the same gateway.
public struct GatewayRequestID: SerialKey {
    /// Counts the gateway's connections.
    let connection: UInt32
    /// Counts the connection's requests.
    let sequence: UInt32

    /// Both numbers.
    public var serial: UInt64 { UInt64(sequence) << 32 | UInt64(connection) }
}

/// How the application reached the gateway: decides which principal it may be.
public enum GatewayTransport: Hashable, Sendable {
    /// The loopback port: anybody on this host.
    case port
    /// The Unix socket, with the user ID that the kernel vouches for; nil when the kernel would not say.
    case unixSocket(uid: UInt32?)
}

/// Which of the gateway's two forms the request has (protocol section 8).
public enum GatewayForm: Equatable, Sendable {
    /// `GET /metrics`: no call; peer and resource are empty.
    case metrics
    /// `POST /invoke/PEER/RESOURCE[/CAPABILITY]`; nil when no capability was named.
    case invoke(capability: String?)
    /// Any method on `/mesh/PEER/RESOURCE[/path...][?query]`. The path is normalised and begins with `/`; the
    /// query has no `?`. One that asks for a WebSocket has `WebSocketUpgrade.method`: its body is what the
    /// application says once it was answered by 101.
    case mesh(method: String, path: String, query: String?)

    /// Whether it asks for a WebSocket.
    var isWebSocket: Bool { if case .mesh(WebSocketUpgrade.method, _, _) = self { true } else { false } }
}

/// Whether the body is complete when a request is handed over.
public enum BodyDelivery: Equatable, Sendable {
    /// `GatewayRequest.body` is all of it.
    case whole
    /// More follows through `GatewayObserver.bodyArrived`, closed by `bodyEnded`. Nothing of it is read until
    /// `GatewayReply.resumeBody`.
    case continued
}

/// One request of an application, checked for form and origin, not for permission: nothing is decided about
/// the call yet.
public struct GatewayRequest: Sendable {
    /// By which the answer, later chunks and a cancellation refer to it.
    public let id: GatewayRequestID
    /// How it came.
    public let transport: GatewayTransport
    /// What is asked of the resource.
    public let form: GatewayForm
    /// A peer's name or node ID as the application wrote it, `any`, or `everyProvider`. But for the last it
    /// has the form of a name; nobody knows yet whether it is one.
    public let peer: String
    /// A resource's name, of the right form.
    public let resource: String
    /// Names in lower case; without `Comity-…`, hop-by-hop fields, `Host`, `Content-Length`, `Expect`,
    /// `traceparent`, and without `Authorization` where it held the gateway's own token.
    public var headers: [HeaderField]
    /// What `Comity-Principal` claims; nil when it was not sent. A claim, not a fact.
    public let claimedPrincipal: Principal?
    /// What `Comity-Purpose` says that the call is for; nil when it was not sent.
    public let purpose: Purpose?
    /// What `Comity-Deadline` asks for, above zero and at most `Limits.callDeadlineMax`; nil when it was not
    /// sent.
    public var deadline: Duration?
    /// 1 ... `Limits.idempotencyKey` bytes of plain text; nil when it was not sent.
    public let idempotencyKey: String?
    /// 1 ... `Limits.stickyKey` bytes of plain text: calls with the same go to the same provider while it is
    /// well; nil when it was not sent.
    public let stickyKey: String?
    /// A well-formed W3C trace context of version 00; nil when none was sent or it was malformed.
    public var traceparent: String?
    /// What of the body had arrived.
    public internal(set) var body: ByteBuffer
    /// Whether `body` is all of it.
    public internal(set) var delivery: BodyDelivery
    /// Bytes of the body as its head declared them; nil for one in chunks. Never more and never fewer come.
    public let bodyLength: Int64?
    /// What followed a whole body that came in chunks; empty otherwise.
    public internal(set) var trailers: [HeaderField] = []
    /// When the request's head was complete, on NIO's monotonic clock: the call's time runs from here.
    public let arrival: NIODeadline
    /// Whether the application sends its body only once it is invited.
    let awaitsInvitation: Bool

    /// The same request with this for its whole body, and these fields alone to pass on.
    public func with(body: ByteBuffer, headers: [HeaderField]) -> GatewayRequest {
        var request = self
        (request.body, request.delivery, request.trailers) = (body, .whole, [])
        request.headers = headers
        return request
    }

    /// In place of a peer: all providers of the resource (protocol section 8).
    public static let everyProvider = "*"

    /// Whether the request has a form whose body may stream: what goes to many is kept until all have it.
    var mayStream: Bool { if case .mesh = form { peer != Self.everyProvider } else { false } }
}
