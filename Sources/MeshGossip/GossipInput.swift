import MeshBase

/// What happened, as far as links and registry are concerned.
public enum GossipInput: Equatable, Sendable {
    /// A connection finished its handshake.
    case linkAdmitted(ConnectionID, LinkTerms)
    /// Any frame came over the connection; told at most a few times a second.
    case heard(ConnectionID)
    /// A ping was answered.
    case ponged(ConnectionID, roundTrip: Duration)
    /// A peer's ping came with what it believes of the audiences that the two share.
    case pinged(ConnectionID, RegistrySummary)
    /// The connection is gone.
    case connectionClosed(ConnectionID)
    /// Neither end of this peer's link needs it now.
    case linkAtRest(NodeID)
    /// All links with this peer must go, and its records with them.
    case peerDropped(NodeID)
    /// A peer is trusted: its key verifies its heads.
    case peerTrusted(NodeID, PublicKey)
    /// Others of this node's domain prove that this node is a member under this key, though it has not been
    /// met: its heads count whoever brings them. Nil: nothing proves it any more. Never for a trusted peer.
    case memberVouched(NodeID, PublicKey, Membership?)
    /// What counts now of a trusted peer's credential, or of this node's own; nil: nothing.
    case membershipChanged(NodeID, Membership?)
    /// What this node offers to this peer, whole; ignored of a peer that is not trusted. What has a `flaw` is
    /// not told to it.
    case offersChanged(NodeID, [ResourceDescription])
    /// What this node offers to the domain that it is in, whole; kept while it is in none.
    case domainOffersChanged([ResourceDescription])
    /// Calls to this node are sealed to this key from now on; its private part is durable.
    case encryptionKeyChanged(EncryptionKey)
    /// A registry message came over a trusted link.
    case messageArrived(NodeID, GossipMessage)
    /// A peer passed on a head of another owner; what proves the owner was told before. Several come in one
    /// document, of which one is the last.
    case relayed(HeadPush, by: NodeID, isLast: Bool = true)
    /// This peer's link brought something that cannot be read, or breaks a rule that no honest node breaks.
    case messageInvalid(NodeID, Refusal)
    /// The identity key has signed.
    case signed(Ticket, DocumentSignature)
    /// The deadline has come.
    case timeReached
}

/// What is known of a connection when it becomes a link.
public struct LinkTerms: Equatable, Sendable {
    /// Whose link it is.
    public let node: NodeID
    /// Who dialled.
    public let dialler: NodeID
    /// Which run of the peer it is.
    public let boot: BootID
    /// Its clock less ours.
    public let skew: Duration
    /// When the node certificate that it showed ends.
    public let certificateExpires: WallTime
    /// Where it is.
    public let remote: Endpoint
    /// Its host, where that is an address and its own: read once, for it is asked for at each change of the
    /// view.
    public let address: IPAddress?
    /// How far it is.
    public let distance: LinkDistance

    public init(
        node: NodeID, dialler: NodeID, boot: BootID, skew: Duration, certificateExpires: WallTime,
        remote: Endpoint, distance: LinkDistance
    ) {
        self.node = node
        self.dialler = dialler
        self.boot = boot
        self.skew = skew
        self.certificateExpires = certificateExpires
        self.remote = remote
        address = distance.relay == nil ? IPAddress(remote.host) : nil
        self.distance = distance
    }
}

/// How far the other end of a link is: decides how often it is asked for a sign of life.
public enum LinkDistance: Sendable, Hashable {
    /// The same subnet, or this machine.
    case local
    /// Anywhere else.
    case remote
    /// Wherever this peer reaches it: the link is carried by that one (decision 0043).
    case relayed(by: NodeID)

    /// Who carries the link; nil: nobody, its two ends are connected.
    public var relay: NodeID? { if case .relayed(let relay) = self { relay } else { nil } }

    /// How long a link may be silent before it is pinged.
    var pingInterval: Duration { self == .local ? .seconds(1) : .seconds(5) }
}
