import MeshBase

/// What happened, as far as the overlay is concerned.
public enum OverlayInput: Sendable, Equatable {
    /// A peer is trusted, and its `.seek` or `.leave` is awaited.
    case peerTrusted(NodeID)
    /// A peer is trusted no more.
    case peerDropped(NodeID)
    /// Whether this trusted peer is a member of this node's domain now: domains gossip.
    case membership(NodeID, DomainShare)
    /// Members of the domain of whom nothing comes though they were met, and those whose link others are
    /// heard of by; both by node ID.
    case reach(unheard: [NodeID], bridges: [NodeID])
    /// A link is up, or another connection carries it now.
    case linkUp(NodeID)
    /// The link is gone.
    case linkDown(NodeID)
    /// A call or a document waits for a link with this peer.
    case wanted(NodeID, LinkWish)
    /// A call or a document passed over the link; told every so often while it is in use.
    case used(NodeID)
    /// The peer says whether it needs the link.
    case told(NodeID, LinkNeed)
    /// The peer takes no more streams on the link.
    case goingAway(NodeID)
    /// `nextDeadline` has come.
    case timeReached
}

/// Whether a peer shares this node's domain.
public enum DomainShare: Sendable, Equatable {
    case shared, apart
}

/// What waits for a link.
public enum LinkWish: Sendable, Equatable {
    /// A call, which has a deadline of its own.
    case call
    /// A document that the peer must get, whenever it can be reached.
    case document
}

/// Whether one end of a link needs it.
public enum LinkNeed: String, Sendable, Codable, Hashable, CaseIterable {
    /// For gossip, or for calls.
    case needed
    /// For nothing: its calls do not use it, and the other end may close it.
    case idle
}

/// What the overlay orders.
public enum OverlayEffect: Sendable, Equatable {
    /// Dial this peer until it is there.
    case seek(NodeID)
    /// Dial this peer no more: a link is opened when something needs it.
    case leave(NodeID)
    /// Say this to the peer over the link.
    case tell(NodeID, LinkNeed)
    /// Send no more calls over this peer's link.
    case stop(NodeID)
    /// Send calls over it again.
    case resume(NodeID)
    /// Close the link once what is under way on it has ended.
    case drain(NodeID)
    /// The time is over in which a new link's calls wait for what the peer offers.
    case settled(NodeID)
}
