import MeshBase

/// Why a connection ended.
public enum LinkEnd: Sendable, Equatable, CustomStringConvertible {
    /// No connection came about.
    case unreachable(cause: String)
    /// TLS failed.
    case tlsFailed(cause: String)
    /// The two sides have no ALPN in common.
    case protocolUnknown
    /// This node ended it by one of its own rules: limits, time, pairing closed, certificate missing.
    case refused(Refusal)
    /// The peer's frames broke the protocol.
    case violated(FrameViolation)
    /// The peer closed it.
    case closedByPeer
    /// The connection broke.
    case lost(cause: String)
    /// The peer reads nothing while documents for it pile up.
    case stalled
    /// `LinkTransport.close` was called, for this reason.
    case ordered(String)
    /// `LinkTransport.drain` was called, and nothing was left to do or the time was over.
    case drained

    public var description: String {
        switch self {
        case .unreachable(let cause): "could not be reached: \(cause)"
        case .tlsFailed(let cause): "TLS failed: \(cause)"
        case .protocolUnknown:
            "it speaks none of \(LinkProtocol.allCases.map(\.rawValue).joined(separator: ", "))"
        case .refused(let refusal): "refused: \(refusal.code.rawValue)"
        case .violated(let violation): "the peer sent \(violation)"
        case .closedByPeer: "closed by the peer"
        case .lost(let cause): "lost: \(cause)"
        case .stalled: "the peer does not read"
        case .ordered(let reason): "closed here: \(reason)"
        case .drained: "drained"
        }
    }
}

/// What a transport could not do.
public enum LinkError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The endpoint cannot be listened on.
    case cannotListen(Endpoint, cause: String)
    /// The certificate or its key cannot be used.
    case credentials(cause: String)
    /// The system gives this process no socket.
    case noSocket(cause: String)

    public var description: String {
        switch self {
        case .cannotListen(let endpoint, let cause): "cannot listen on \(endpoint): \(cause)"
        case .credentials(let cause): "the node certificate or its key cannot be used: \(cause)"
        case .noSocket(let cause): "no socket can be had: \(cause)"
        }
    }
}
