import MeshBase

/// What discovery orders the world to do.
public enum DiscoveryEffect: Sendable, Equatable {
    /// Dial this endpoint on `comity/1`, accept only this node there, and answer once.
    case dial(DialTarget)
    /// End this dial, for another one brought the link. It is answered once all the same.
    case giveUp(DialTarget)
    /// Dial this endpoint, where nobody knows who is; accept whom trust says, and answer with
    /// `.strangerFound` or `.strangerFailed`.
    case dialStranger(Endpoint)
    /// What `Discovery.peers(at:)` shows has changed in more than ages. At most one an input, behind the
    /// dials.
    case sightingsChanged
}

/// Whom to expect where. A dialler knows whom it will accept before it dials.
public struct DialTarget: Hashable, Sendable {
    /// The only node to be accepted.
    public let node: NodeID
    /// Where to dial.
    public let endpoint: Endpoint

    public init(node: NodeID, endpoint: Endpoint) {
        self.node = node
        self.endpoint = endpoint
    }
}
