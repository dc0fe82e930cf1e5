import MeshBase

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
    /// The other side's address as this side sees it; IPv4 also when it came through a socket for both. The
    /// relay's node ID where one carries it.
    public let remote: Endpoint
    /// This side's address.
    public let local: Endpoint
    /// What both agreed on by ALPN.
    public let `protocol`: LinkProtocol
    /// The leaf certificate, in DER, whose key the peer proved to hold *in this TLS handshake*. Nil when it
    /// showed none, or when the session was resumed: then nothing was proved.
    public let peerCertificate: [UInt8]?
    /// This node's own leaf certificate on this connection, in DER.
    public let ownCertificate: [UInt8]
    /// Who carries it; nil: nobody, its two ends are connected.
    public let relay: NodeID?
}

/// What happens on a connection. `.closed` is the last event of each connection that was dialled or reported
/// as secured.
public enum LinkEvent: Sendable, Equatable {
    /// TLS is up. Now only messages of the handshake pass, until `LinkTransport.admit`.
    case secured(SecuredConnection)
    /// A message of the handshake, at most `Limits.handshakeMessage` bytes. Nothing else is read until it is
    /// answered, another one expected, or the connection admitted or closed.
    case handshakeMessage([UInt8])
    /// A message on an admitted connection, at most `Limits.framePayload` bytes: of the control plane, or a
    /// repeated handshake's.
    case document([UInt8])
    /// Something came; at most four times a second for each connection.
    case heard
    /// The peer pinged, and was answered; what it said with the ping, at most 64 bytes.
    case pinged(payload: [UInt8])
    /// A ping was answered, after this long.
    case pong(payload: [UInt8], roundTrip: Duration)
    /// The peer takes no more streams; those that are open go on.
    case goingAway
    /// It is over.
    case closed(LinkEnd)
}
