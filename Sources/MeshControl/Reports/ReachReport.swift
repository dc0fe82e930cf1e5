import MeshBase

/// Whether two nodes reach one another: each dialled where the other says it listens.
public struct ReachReport: Codable, Equatable, Sendable {
    /// The version of this form: 1.
    public var version = 1
    /// The peer.
    public var peer: NodeReference
    /// Where the peer tried to reach this node; empty when it did not try.
    public var inbound: [ReachAttempt]
    /// Where this node tried to reach the peer.
    public var outbound: [ReachAttempt]
    /// The peer's clock less ours; nil without a link.
    public var clockSkewSeconds: Double?

    public init(
        peer: NodeReference, inbound: [ReachAttempt], outbound: [ReachAttempt], clockSkewSeconds: Double?
    ) {
        self.peer = peer
        self.inbound = inbound
        self.outbound = outbound
        self.clockSkewSeconds = clockSkewSeconds
    }
}

/// One place that was dialled.
public struct ReachAttempt: Codable, Equatable, Sendable {
    /// Where.
    public var endpoint: Endpoint
    /// Whether the node that was meant answered there, and proved it.
    public var isReached: Bool
    /// A refusal code, when it did not.
    public var because: String?

    public init(endpoint: Endpoint, because: RefusalCode?) {
        self.endpoint = endpoint
        isReached = because == nil
        self.because = because?.rawValue
    }
}

/// Asks a peer to dial back, and dials it: the one proof that both reach one another. A peer does so at most
/// every ten seconds.
public enum ProveReach: ControlOperation {
    /// Whom.
    public struct Request: Codable, Equatable, Sendable {
        /// A name, a node ID, or a beginning of a node ID that only one peer has.
        public var peer: String
        public init(peer: String) { self.peer = peer }
    }
    public typealias Response = ReachReport
    public static let path = "peers/reach"
}
