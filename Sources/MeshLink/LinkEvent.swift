import MeshBase
import NIOCore

/// What a connection is for: its ALPN (protocol section 2).
public enum LinkProtocol: String, Sendable, Hashable, CaseIterable {
    /// A link between nodes that trust each other, or are about to find out.
    case peer = "comity/1"
    /// Pairing and enrolment; accepted only while `setPairing(.open)`.
    case pairing = "comity-pair/1"
}

/// Whether first contact is accepted now.
public enum PairingDoor: Sendable, Hashable {
    case open
    case closed
}

/// The facts about a connection after its TLS handshake: what every trust decision begins with.
public struct SecuredConnection: Sendable, Equatable {
    /// Which connection.
    public let id: ConnectionID
    /// Who dialled.
    public let role: LinkRole
    /// The other side's address as this side sees it; IPv4 also when it came through a socket for both.
    public let remote: Endpoint
    /// This side's address.
    public let local: Endpoint
    /// What both agreed on by ALPN.
    public let `protocol`: LinkProtocol
    /// The leaf certificate, in DER, whose key the peer proved to hold *in this TLS handshake*. Nil when it showed none, or when
    /// the session was resumed: then nothing was proved.
    public let peerCertificate: [UInt8]?
    /// This node's own leaf certificate on this connection, in DER.
    public let ownCertificate: [UInt8]
}

/// What happens on a connection. `.closed` is the last event of each connection that was dialled or reported as secured.
public enum LinkEvent: Sendable, Equatable {
    /// TLS is up. Now only messages of the handshake pass, until `LinkTransport.admit`.
    case secured(SecuredConnection)
    /// A message of the handshake, at most `Limits.handshakeMessage` bytes. Nothing else is read until it is answered, another
    /// one expected, or the connection admitted or closed.
    case handshakeMessage([UInt8])
    /// A message on an admitted connection, at most `Limits.framePayload` bytes: of the control plane, or a repeated handshake's.
    case document([UInt8])
    /// Something came; at most four times a second for each connection.
    case heard
    /// A ping was answered, after this long.
    case pong(payload: [UInt8], roundTrip: Duration)
    /// The peer takes no more streams; those that are open go on.
    case goingAway
    /// It is over.
    case closed(LinkEnd)
}

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
        case .protocolUnknown: "it speaks none of \(LinkProtocol.allCases.map(\.rawValue).joined(separator: ", "))"
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

/// Whom a transport tells. Called on the connections' event loops: return soon, hand over to elsewhere what takes time.
public protocol LinkObserver: AnyObject, Sendable {
    /// Somebody connected: answers the connection's name, unused so far.
    func nameAcceptedConnection() -> ConnectionID
    /// Something happened on a connection.
    func connection(_ id: ConnectionID, did event: LinkEvent)
    /// The peer opened a stream on an admitted connection. Answers who owns this end, or nil to refuse it.
    func connection(_ id: ConnectionID, opened stream: LinkStream, head: ByteBuffer) -> (any LinkStreamObserver)?
    /// Somebody connected and was gone before anything was secured. At most ten a second are told; `LinkCounts` has them all.
    func turnedAway(_ remote: Endpoint, because end: LinkEnd)
}

/// What a transport has counted since it was made.
public struct LinkCounts: Sendable, Equatable {
    /// Connections that came in.
    public var accepted = 0
    /// Of these, those that ended before TLS was up.
    public var turnedAway = 0
    /// Connections, either way, whose TLS came up.
    public var secured = 0
    /// Connections whose handshake was finished.
    public var admitted = 0
    /// Connections ended for what the peer sent.
    public var violations = 0
    /// The most frames that any frame ever waited for while it could have left (protocol section 5a).
    public var worstFrameWait = 0
}

/// What a transport could not do.
public enum LinkError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The endpoint cannot be listened on.
    case cannotListen(Endpoint, cause: String)
    /// The certificate or its key cannot be used.
    case credentials(cause: String)

    public var description: String {
        switch self {
        case .cannotListen(let endpoint, let cause): "cannot listen on \(endpoint): \(cause)"
        case .credentials(let cause): "the node certificate or its key cannot be used: \(cause)"
        }
    }
}
