import MeshBase

/// What the trust machine orders, in this order.
public enum TrustEffect: Equatable, Sendable {
    /// Send a handshake message.
    case send(ConnectionID, HandshakeMessage)
    /// Sign with the identity key; the answer comes as `TrustInput.signed`.
    case sign(SigningRequest)
    /// People compare words now: the other end's next message may take as long as they do.
    case awaitPeople(ConnectionID)
    /// Close a connection once what was sent has left.
    case close(ConnectionID, RefusalCode?)
    /// The handshake is done: this connection is a link with this peer.
    case admit(ConnectionID, AdmittedPeer)
    /// Tell this peer over its link, if there is one; what follows may end the link.
    case notify(NodeID, TrustNotice)
    /// Dial for pairing. The connection comes back with this intent, or closed.
    case dialToPair(Endpoint, DialIntent, join: Ticket)
    /// Write this down before anything behind it is done.
    case persist(TrustChange)
    /// A peer's state changed, or it is forgotten (nil): links, records and agreements that rest on it
    /// follow.
    case standingChanged(NodeID, TrustState?)
    /// What counts now of a trusted peer's credential, or of this node's own, is this; nil: nothing. It comes
    /// behind `standingChanged` when trust begins, and before it when trust ends.
    case membershipChanged(NodeID, Membership?)
    /// Others prove that this node is a member of this node's domain under that key, though it is no trusted
    /// peer; nil: nothing proves it any more.
    case vouched(NodeID, PublicKey, Membership?)
    /// Say this to a peer over its link, if there is one.
    case tell(NodeID, DomainMessage)
    /// Send these issuers' addresses, then close the connection.
    case refer(ConnectionID, to: [NodeID])
    /// Who was dialled without being known, or under a token, is this node: where it is, it can be found
    /// again.
    case proved(ConnectionID, NodeID)
    /// An issuer may be there.
    case referred([Endpoint])
    /// Whom to look for among strangers from now on.
    case seek(Seeking)
    /// Answer a command.
    case answer(Ticket, TrustAnswer)
    /// Tell the operator that somebody asks to join.
    case confirmationWanted(InviteName, by: Pin, name: NodeName)
    /// Whether the listener offers `comity-pair/1`.
    case pairing(PairingWindow)
    /// Remember.
    case record(TrustEvent)
}

/// A connection that became a link.
public struct AdmittedPeer: Equatable, Sendable {
    /// Whose link it is.
    public let node: NodeID
    /// Which end dialled.
    public let role: HandshakeRole
    /// Which run of the peer it is.
    public let boot: BootID
    /// Its clock less ours.
    public let skew: Duration
    /// When the node certificate that it showed ends.
    public let certificateExpires: WallTime
    /// Where it is connected.
    public let remote: Endpoint
    /// What both signed.
    public let transcript: Digest
    /// What counts now of its credential; nil: nothing.
    public let membership: Membership?
}

/// Whom a node looks for among those whom it does not know.
public enum Seeking: String, Sendable, Equatable {
    /// Nobody: strangers are never dialled.
    case nobody
    /// Members of its domain.
    case members
    /// Whoever enrols it.
    case issuer
}

/// Whether the listener offers `comity-pair/1`.
public enum PairingWindow: String, Sendable, Equatable {
    /// For who holds an invite.
    case open
    /// For whom people confirm by words, too: whoever announces this node says so.
    case announced
    case closed
}

/// A change of what the trust machine keeps.
public enum TrustChange: Equatable, Sendable {
    /// This record, whatever was there.
    case peer(PeerRecord)
    /// No record; the pin of a revoked key stays.
    case peerForgotten(NodeID)
    /// This invite, whatever was there.
    case invite(InviteRecord)
    /// No such invite.
    case inviteGone(InviteName)
    /// This node's own boot number; no later run takes it or a lower one.
    case ownBoot(BootID)
    /// This node's domain and credential.
    case home(HomeDomain)
    /// A peer's credential, whatever was there.
    case credential(StoredCredential)
    /// It counts no more.
    case credentialGone(NodeID)
    /// Whom nobody can vouch for here.
    case conviction(Conviction)
    /// The operator lifted it, or others need its place.
    case convictionGone(NodeID)
    /// Whom a token served here, whatever was there.
    case tokenUse(TokenUse)
    /// The token is over.
    case tokenForgotten(Pin)
    /// What this node's domain decided about others, whatever was there.
    case partnerships(Signed<Partnerships>)
    /// This bundle, in place of another of its domain.
    case bundle(Signed<DomainBundle>)
    /// No bundle of this domain.
    case bundleGone(DomainID)
}

/// The answer to a command.
public enum TrustAnswer: Equatable, Sendable {
    /// The invite is open until then.
    case invited(InviteName, secret: Octets, expires: WallTime)
    /// Trust is made with this peer.
    case joined(NodeID)
    /// This domain is made, with this node as its first member.
    case founded(DomainID)
    /// The token, but for its seed.
    case token(JoinToken)
    /// What a peer shows of its domain.
    case bundle(BundleOffer)
    /// Done.
    case done
    /// Not done.
    case refused(Refusal)
}

/// What the audit is told.
public enum TrustEvent: Equatable, Sendable {
    /// A handshake failed here; the reference is what the other end was told.
    case handshakeRefused(reference: Octets, remote: Endpoint, claimed: NodeID?, Refusal)
    /// The other end refused a handshake.
    case handshakeDenied(remote: Endpoint, expected: NodeID?, Denial)
    /// A peer's state changed.
    case stateChanged(NodeID, name: NodeName, from: TrustState?, to: TrustState?, TrustEvidence)
    /// An invite was opened, used, confirmed or ended.
    case invite(InviteName, what: String)
    /// What happened to the window for pairing by words, and to tries in it.
    case pairing(what: String, node: NodeID?, remote: Endpoint?)
    /// A peer tells what it decided about this node.
    case noticed(NodeID, TrustNotice)
    /// A peer said that it leaves.
    case left(NodeID, until: Return)
    /// This node, whose home was restored, goes on above the boot number that this peer accepted last.
    case bootRaised(by: NodeID, from: BootID, to: BootID)
    /// What happened in this node's domain, to which of its nodes.
    case domain(NodeID, String, [Fact])
    /// A paper of a domain, which this node gave or was given, does not count.
    case paperRefused(NodeID, Refusal)
    /// A peer's credential, shown over its link, does not count.
    case credentialRefused(NodeID, Refusal)
    /// This node does not enrol under the token that it was given.
    case enrolmentRefused(Refusal)
    /// A boot number returned.
    case bootReturned(NodeID, accepted: BootID, returned: BootID)
}
