import MeshBase

/// What happened, as far as trust is concerned.
public enum TrustInput: Equatable, Sendable {
    /// TLS is up; `intent` says whom this side dialled, and is nil at the responder.
    case connectionSecured(ConnectionID, SecuredConnection, intent: DialIntent?)
    /// A handshake message came.
    case messageArrived(ConnectionID, HandshakeMessage)
    /// Something came that is no handshake message.
    case messageUnreadable(ConnectionID, problem: String)
    /// The identity key has signed.
    case signed(Ticket, DocumentSignature)
    /// What this ticket asks for will not be signed.
    case signingFailed(Ticket)
    /// The connection is gone, for whatever reason. For a dial that never got as far as TLS too.
    case connectionClosed(ConnectionID)
    /// Who answered a dial does not speak the protocol for which it was made: under an invite, it takes no
    /// newcomer now. `connectionClosed` follows.
    case doorClosed(ConnectionID)
    /// The operator wants an invite; `secret` is 16 bytes from the system's generator.
    case inviteRequested(Ticket, secret: Octets, life: Duration, confirmation: InviteConfirmation)
    /// The operator answers whether this key may use an invite.
    case inviteConfirmed(Ticket, InviteName, by: Pin, Consent)
    /// The operator ends an invite.
    case inviteWithdrawn(Ticket, InviteName)
    /// The operator wants to join under an invite.
    case joinRequested(Ticket, JoinRequest)
    /// The operator orders something of pairing by words.
    case pairingOrdered(Ticket, PairingOrder)
    /// The operator makes a domain: its anchor's key lies in the home, and this node may give these roles.
    case domainRequested(Ticket, NodeName, anchor: PublicKey, giving: RoleList)
    /// The operator wants a join token.
    case tokenRequested(Ticket, TokenOrder)
    /// This node holds a join token: it enrols as soon as it finds an issuer.
    case enrolmentOrdered(JoinToken)
    /// The anchor's key came to this home, or was moved out of it (nil).
    case anchorChanged(PublicKey?)
    /// A self-signed certificate of the anchor whose key came to this home, for its domain's bundle: told
    /// before the domain is made.
    case anchorCertified(Octets)
    /// The operator decides about another domain.
    case partnerOrdered(Ticket, PartnerOrder)
    /// The operator wants to see the bundle of a peer's domain, from that peer.
    case bundleRequested(Ticket, NodeID)
    /// What newcomers say yes to from now on; nil: nothing.
    case houseAgreementChanged(Digest?)
    /// A member says something about credentials over its link.
    case domainMessageArrived(NodeID, DomainMessage)
    /// A peer passed on what proves that another node is a member of this node's domain.
    case memberProved(MemberProof, by: NodeID)
    /// A peer's link is up.
    case linkCameUp(NodeID)
    /// The operator's decision about a peer.
    case decided(Ticket, NodeID, PeerDecision, note: String)
    /// The peer says over its link what it decided about this node.
    case noticeArrived(NodeID, TrustNotice)
    /// The peer says over its link that it leaves.
    case left(NodeID, Return)
    /// An alarm of another machine: the peer produced a contradiction.
    case contradicted(NodeID, evidence: String)
    /// The deadline has come.
    case timeReached
}

/// A yes or a no.
public enum Consent: String, Sendable, Codable, Hashable {
    case yes
    case no
}

/// What an operator decides about a peer.
public enum PeerDecision: String, Sendable, Codable, CaseIterable, Hashable {
    /// Not now.
    case suspend
    /// Again.
    case resume
    /// Never again with this key.
    case revoke
    /// Strike it from the book.
    case forget
}

/// Until when a node is gone that leaves the mesh in order.
public enum Return: String, Codable, Sendable, Hashable {
    /// Until it is started again: trust and agreements stay as they are.
    case started
    /// For good: it asks that trust in it end.
    case never
}

/// What one side tells the other about its own decision.
public struct TrustNotice: Equatable, Sendable, Codable {
    /// What was decided.
    public let decision: PeerDecision

    public init(decision: PeerDecision) { self.decision = decision }
}

/// What an invite line says.
public struct JoinRequest: Equatable, Sendable {
    /// The only node that may answer.
    public let inviter: NodeID
    /// Where to look for it, in order; at least one.
    public let endpoints: [Endpoint]
    /// The invite's secret.
    public let secret: Octets
    /// When the invite ends, by the inviter's clock.
    public let expires: WallTime

    public init(inviter: NodeID, endpoints: [Endpoint], secret: Octets, expires: WallTime) {
        self.inviter = inviter
        self.endpoints = endpoints
        self.secret = secret
        self.expires = expires
    }
}
