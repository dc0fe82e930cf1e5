import MeshBase
import NIOCore

/// Whom a transport tells. Called on the connections' event loops: return soon, hand over to elsewhere what
/// takes time.
public protocol LinkObserver: AnyObject, Sendable {
    /// Somebody connected: answers the connection's name, unused so far.
    func nameAcceptedConnection() -> ConnectionID
    /// Something happened on a connection.
    func connection(_ id: ConnectionID, did event: LinkEvent)
    /// The peer opened a stream on an admitted connection. Answers who owns this end, or nil to refuse it.
    func connection(_ id: ConnectionID, opened stream: LinkStream, head: ByteBuffer) -> (
        any LinkStreamObserver
    )?
    /// Somebody connected and was gone before anything was secured. At most ten a second are told;
    /// `LinkCounts` has them all.
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
