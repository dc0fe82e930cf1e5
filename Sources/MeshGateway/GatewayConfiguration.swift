import MeshBase

/// Where the gateway listens and what it demands. The defaults serve one user's own machine.
public struct GatewayConfiguration: Sendable {
    /// A loopback endpoint; port 0 takes any free one; nil: no port.
    public var endpoint: Endpoint?
    /// A path of at most 107 bytes, made with mode 0600; a stale socket there is replaced; nil: no Unix
    /// socket. The caller holds the home's lock: whatever socket is found there is nobody's.
    public var socketPath: String?
    /// Who may use the port. The Unix socket is guarded by its mode.
    public var access: GatewayAccess
    /// How long the head of a request may take from its first byte. Too short cuts off slow clients, too long
    /// lets them hold places.
    public var headTime: Duration
    /// How long a connection may say nothing between requests or within a body, or take nothing of an answer.
    public var idleTime: Duration
    /// How long a refused or last answer waits for the application to close before the connection is cut.
    public var lingerTime: Duration
    /// Connections at once. For a further one the one that has been silent for longest, if any never spoke,
    /// is closed; else it is itself, unanswered.
    public var connectionLimit: Int
    /// Bytes of a `/mesh` body that are collected before its request is handed over, where the body declares
    /// its length; what goes beyond is delivered in chunks.
    public var collectedBody: Int
    /// Bytes of an `/invoke` body; what goes beyond is refused. Also what is read and dropped of a body that
    /// nobody wants before the connection is closed instead.
    public var bodyLimit: Int
    /// Why a code is said, in one sentence without a full stop: for gRPC, whose statuses have a text.
    public var cause: @Sendable (RefusalCode) -> String

    public init(endpoint: Endpoint?, socketPath: String?, access: GatewayAccess = .open) {
        self.endpoint = endpoint
        self.socketPath = socketPath
        self.access = access
        headTime = .seconds(10)
        idleTime = .seconds(60)
        lingerTime = .seconds(2)
        connectionLimit = 4_096
        collectedBody = Limits.repeatableBody
        bodyLimit = Limits.callBody
        cause = { _ in "" }
    }
}

/// Who may use the gateway's port.
public enum GatewayAccess: Sendable {
    /// Whoever reaches it: the host is one user's.
    case open
    /// Who shows `Authorization: Bearer TOKEN` with this SHA-256. `hash` is SHA-256; digests compare in
    /// constant time.
    case token(digest: Digest, hash: @Sendable ([UInt8]) -> Digest)
}

/// Why the gateway could not begin to listen.
public enum GatewayFailure: Error, Equatable, CustomStringConvertible {
    /// The endpoint is not a loopback address.
    case notLoopback(Endpoint)
    /// The port could not be taken; nothing listens.
    case portUnavailable(Endpoint, reason: String)
    /// The path is longer than 107 bytes, or something that is no socket stands there; nothing listens.
    case pathUnusable(String, reason: String)
    /// The socket could not be made; nothing listens.
    case socketUnavailable(String, reason: String)

    /// What happened, for people.
    public var description: String {
        switch self {
        case .notLoopback(let endpoint):
            "the gateway listens on loopback only, and \(endpoint) is not; use 127.0.0.1:\(endpoint.port)"
        case .portUnavailable(let endpoint, let reason):
            "the gateway cannot listen on \(endpoint): \(reason); try `comity up --gateway 127.0.0.1:0`"
        case .pathUnusable(let path, let reason): "the gateway cannot use \(path) as its socket: \(reason)"
        case .socketUnavailable(let path, let reason): "the gateway cannot make its socket \(path): \(reason)"
        }
    }
}
