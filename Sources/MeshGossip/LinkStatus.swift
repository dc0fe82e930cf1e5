import MeshBase

/// How a link is, for those who look.
public struct LinkStatus: Equatable, Sendable {
    /// The connection that carries it.
    public let connection: ConnectionID
    /// Where the peer is.
    public let remote: Endpoint
    /// Its host; nil where that is no address.
    public let address: IPAddress?
    /// Who carries it; nil: nobody, its two ends are connected.
    public let relay: NodeID?
    /// When it came up.
    public let since: Instant
    /// Whether it speaks.
    public let condition: LinkCondition
    /// Nil until the first ping was answered.
    public let roundTrip: Duration?
    /// The peer's clock less ours, at the handshake.
    public let skew: Duration
    /// When the node certificate that the peer showed there ends.
    public let certificateExpires: WallTime
}
