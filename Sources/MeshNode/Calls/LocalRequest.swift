import MeshBase
import MeshRouting

/// One request of an application on this machine. Never reused in one process, whichever door it came
/// through.
public struct RequestID: SerialKey, Comparable {
    /// Counts requests from 1.
    public let number: UInt64
    public init(_ number: UInt64) { self.number = number }
    /// The number.
    public var serial: UInt64 { number }
    public static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}

/// One attempt at a request.
public struct AttemptID: SerialKey, Comparable {
    /// Which request.
    public let request: RequestID
    /// From 1, at most `Limits.retries` + 1.
    public let number: UInt8

    public init(request: RequestID, number: UInt8) {
        self.request = request
        self.number = number
    }

    /// Both numbers.
    public var serial: UInt64 { request.number << 8 | UInt64(number) }

    public static func < (left: Self, right: Self) -> Bool {
        (left.request, left.number) < (right.request, right.number)
    }
}

/// The stream on which a peer's invocation came.
public struct InboundKey: SerialKey, Comparable {
    /// The connection.
    public let connection: ConnectionID
    /// The stream on it; never reused on one connection.
    public let stream: UInt64

    public init(connection: ConnectionID, stream: UInt64) {
        self.connection = connection
        self.stream = stream
    }

    /// Both numbers: hardly any connection has 2^32 streams.
    public var serial: UInt64 { connection.serial << 32 ^ stream }

    public static func < (left: Self, right: Self) -> Bool {
        (left.connection, left.stream) < (right.connection, right.stream)
    }
}

/// One use of a resource of this node.
public enum ServiceID: SerialKey {
    /// For a peer.
    case inbound(InboundKey)
    /// For an application on this machine: the body is that of the attempt's request.
    case own(AttemptID)

    /// The key's, and whose it is.
    public var serial: UInt64 {
        switch self {
        case .inbound(let key): key.serial << 1
        case .own(let attempt): attempt.serial << 1 | 1
        }
    }
}

/// What an application on this machine asks for, checked for form by whoever took it.
public struct LocalRequest: Sendable, Equatable {
    /// By which it is answered.
    public let id: RequestID
    /// Whom it asks.
    public let target: CallTarget
    /// Whose resource of this name.
    public let resource: ResourceName
    /// What of it.
    public let form: CallForm
    /// Names in lower case.
    public let headers: [HeaderField]
    /// Who asks, as the gateway established it.
    public let principal: Principal
    /// What it is for, in the application's word; nil: it does not say.
    public let purpose: Purpose?
    /// How long it may take in all, at most `Limits.callDeadlineMax`. Nil means `Limits.callDeadline`: of
    /// `/invoke` for all of the call, of `/mesh` for its answer to begin.
    public let deadline: Duration?
    /// 1 ... `Limits.idempotencyKey` bytes; nil when the application gave none.
    public let idempotencyKey: String?
    /// What a sticky key was hashed to (`Rendezvous.hash`): of several providers, the one that this draws
    /// takes the call; nil when the application gave none.
    public let sticky: UInt64?
    /// W3C trace context.
    public let traceparent: String?
    /// How its body comes.
    public let body: RequestBody

    public init(
        id: RequestID, target: CallTarget, resource: ResourceName, form: CallForm,
        headers: [HeaderField] = [],
        principal: Principal = .local, purpose: Purpose? = nil, deadline: Duration? = nil,
        idempotencyKey: String? = nil, sticky: UInt64? = nil,
        traceparent: String? = nil, body: RequestBody
    ) {
        self.id = id
        self.target = target
        self.resource = resource
        self.form = form
        self.headers = headers
        self.principal = principal
        self.purpose = purpose
        self.deadline = deadline
        self.idempotencyKey = idempotencyKey
        self.sticky = sticky
        self.traceparent = traceparent
        self.body = body
    }
}

/// Whom a request asks.
public enum CallTarget: Sendable, Equatable {
    /// Whichever provider of the resource the router picks.
    case any
    /// The peer of this name, or this node by its own.
    case named(NodeName)
    /// This node ID.
    case node(NodeID)

    /// Reads PEER as people write it: `any`, a node ID, or a name; nil when it is none of them.
    public init?(_ text: String) {
        if text == "any" {
            self = .any
        } else if let node = NodeID(text) {
            self = .node(node)
        } else if let name = NodeName(text) {
            self = .named(name)
        } else {
            return nil
        }
    }
}

/// The two ways in which an application says what it wants.
public enum CallForm: Sendable, Equatable {
    /// `/invoke`: a capability (nil: the only one there is), its first method and its path. `query` is the
    /// body's top-level scalars, for a method without a body; nil when there are none.
    case invoke(capability: ResourceName?, query: String?)
    /// `/mesh`: any method and path; the capability is the first that covers them.
    case mesh(method: String, path: String, query: String?)

    /// Whether its answer is one JSON document that is waited for whole.
    var isInvoke: Bool { if case .invoke = self { true } else { false } }

    /// Whether it asks for a WebSocket, whose body is not for the resource before that is open.
    var isWebSocket: Bool { if case .mesh(WebSocketUpgrade.method, _, _) = self { true } else { false } }
}

/// A peer's invocation, as its stream brought it.
public struct InboundInvocation: Sendable, Equatable {
    /// By which it is answered.
    public let key: InboundKey
    /// Whose link the stream is on.
    public let peer: NodeID
    /// The connection on which it came; nil: as the view says of the peer's link.
    public let origin: LinkOrigin?
    /// What it says.
    public internal(set) var invocation: Invocation
    /// The body as it came: one that was announced whole is here, and its digest was made here.
    public let body: RequestBody
    /// Whether all of the head is here.
    public let opening: Opening
    /// Whether it was sealed, and counted when it was opened (`CallDesk.takeOpening`).
    public let isOpened: Bool

    /// What came of a sealed head.
    public enum Opening: Sendable, Equatable {
        /// It was opened, or needed no opening.
        case whole
        /// It is sealed to a key that is not here: only what stands in the open is known.
        case keyUnknown
        /// It is not what was sealed for this node: only what stands in the open is known.
        case broken
        /// The desk would not have it opened (`refusalBeforeOpening`): only what stands in the open is known.
        case refused(Refusal)
    }

    public init(
        key: InboundKey, peer: NodeID, over origin: LinkOrigin? = nil, invocation: Invocation,
        body: RequestBody, opening: Opening = .whole, isOpened: Bool = false
    ) {
        self.key = key
        self.peer = peer
        self.origin = origin
        self.invocation = invocation
        self.body = body
        self.opening = opening
        self.isOpened = isOpened
    }
}
