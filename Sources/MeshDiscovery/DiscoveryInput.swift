import MeshBase

/// Whether a trusted peer is dialled.
public enum PeerSearch: Sendable, Equatable {
    /// Until it is there, for ever.
    case sought
    /// It is recognised, where it is stays known, and nobody dials it.
    case leftAlone
}

/// What happened, as far as discovery is concerned.
public enum DiscoveryInput: Sendable, Equatable {
    /// A witness saw something, or saw it again.
    case sighted(Sighting)
    /// A witness takes back what it said.
    case withdrawn(SightingKey)
    /// A peer is trusted now: it is dialled until it is there, or left alone until it is told that it is
    /// sought. At start, one for each trusted peer in the store.
    case peerTrusted(NodeID, PeerSearch = .sought)
    /// A peer was suspended or revoked: it is still recognised, and not dialled whoever names it.
    case peerBarred(NodeID)
    /// A peer was forgotten: it is a stranger again.
    case peerDropped(NodeID)
    /// A link to this node is up: it passed the handshake. The endpoint is the one we dialled; nil when the
    /// node dialled us.
    case linkUp(NodeID, Endpoint?)
    /// The link to this node is gone.
    case linkDown(NodeID)
    /// Somebody answered a dial and is proving who it is. Nothing follows from leaving it out but dials that
    /// are given up.
    case dialAnswered(DialTarget)
    /// A dial ended without a link, whatever the reason, or lost to the node's own dial. Each `.dial` is
    /// answered once: by this, or by `.linkUp` with the same endpoint.
    case dialFailed(DialTarget)
    /// Whoever listens at this endpoint is this very node.
    case provedMyself(Endpoint)
    /// Whether strangers are to be dialled.
    case strangersSought(StrangerSearch)
    /// The stranger that was dialled there proved to be this node: the dial goes on as one of it, and is
    /// answered as such.
    case strangerFound(DialTarget)
    /// A dial of a stranger brought no link, for this reason.
    case strangerFailed(Endpoint, StrangerFailure)
    /// `nextDeadline` has come.
    case timeReached
}
