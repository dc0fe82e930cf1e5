import MeshAgreements
import MeshAudit
import MeshBase
import MeshDiscovery
import MeshGossip
import MeshRouting
import MeshTrust

/// What happened, as far as this node's control plane is concerned.
public enum NodeInput: Equatable, Sendable {
    /// TLS is up on a connection that was accepted, or that a `.dial` asked for.
    case connectionSecured(ConnectionID, SecuredConnection, LinkDistance)
    /// A document came.
    case documentArrived(ConnectionID, LinkDocument)
    /// Something came that is no document.
    case documentUnreadable(ConnectionID, problem: String)
    /// Any frame came; told at most a few times a second.
    case heard(ConnectionID)
    /// A ping came.
    case pinged(ConnectionID, LinkPing)
    /// A ping was answered.
    case ponged(ConnectionID, roundTrip: Duration)
    /// The connection is gone, or the dial never got there.
    case connectionClosed(ConnectionID)
    /// The peer takes no more streams on the connection, which ends when those under way are over.
    case goingAway(ConnectionID)
    /// A call waits for a link with this peer.
    case linkWanted(NodeID)
    /// Calls use the link with this peer; told every so often.
    case linkUsed(NodeID)
    /// Who answered a dial does not speak the protocol for which it was made; `connectionClosed` follows.
    case doorClosed(ConnectionID)
    /// This node listens there now.
    case listens(ListeningNotice)
    /// A witness saw something.
    case sighted(Sighting)
    /// A witness takes back what it said.
    case withdrawn(SightingKey)
    /// This node was started with a join token.
    case enrolmentOrdered(JoinToken)
    /// The anchor's key came to this home, or was moved out of it (nil).
    case anchorChanged(PublicKey?)
    /// A self-signed certificate of the anchor whose key is in this home.
    case anchorCertified(Octets)
    /// These keys for sealed payloads are there now, and durable: the answer to `.makeEncryptionKey` and
    /// `.dropEncryptionKey`.
    case encryptionKeysHeld(HeldEncryptionKeys)
    /// The key has signed.
    case signed(Ticket, DocumentSignature)
    /// The key did not sign, and will not: its file is gone, or the library failed.
    case signingFailed(Ticket)
    /// The operator wants something; the answer carries the same ticket.
    case commanded(Ticket, NodeCommand)
    /// How many bytes the audit's store can still take.
    case roomMeasured(bytes: Int64)
    /// At start: what the process before left unfinished.
    case callsFoundUnfinished(UnfinishedCalls)
    /// The audit's answer to `.lookUp`: this node's events of that call, whoever took part.
    case lookedUp(LookUp, [AuditEvent])
    /// The deadline has come.
    case timeReached
}

/// What an operator may order. Reading needs no order: see `Node`'s properties.
public enum NodeCommand: Equatable, Sendable {
    /// Open an invite; `secret` is 16 bytes from the system's generator.
    case invite(secret: Octets, life: Duration, confirmation: InviteConfirmation)
    /// Say whether this key may use an invite.
    case confirm(InviteName, by: Pin, Consent)
    /// End an invite.
    case withdrawInvite(InviteName)
    /// Join under somebody's invite.
    case join(JoinRequest)
    /// Order something of pairing by words.
    case pair(PairingOrder)
    /// Make a domain: its anchor's key lies in the home, and this node may give these roles.
    case createDomain(NodeName, anchor: PublicKey, giving: RoleList)
    /// Make a join token.
    case makeToken(TokenOrder)
    /// Decide about another domain.
    case partner(PartnerOrder)
    /// Show the bundle of a peer's domain, as that peer gives it.
    case showBundle(of: NodeID)
    /// Decide about a peer.
    case decide(NodeID, PeerDecision, note: String)
    /// Provide a resource, in place of one with the same name, and offer it to this node's domain or not.
    case addResource(LocalResource, toDomain: DomainOffer = .withheld)
    /// Provide it no more.
    case removeResource(ResourceName)
    /// Offer to a peer.
    case offer(OfferRequest)
    /// Offer to a domain, or in the name of this node's own.
    case offerForDomain(DomainOfferRequest)
    /// Accept a peer's offer.
    case accept(Digest)
    /// Reject a peer's offer.
    case reject(Digest)
    /// End an agreement for good.
    case revoke(RevocationOrder)
    /// A person of this node's says yes or no to an agreement.
    case approve(Signed<Approval>)
    /// Vouch for a person.
    case vouch(VouchingOrder)
    /// Vouch for a person no more.
    case endVouching(NodeName)
    /// How calls to a resource go where the router picks the provider; what is not said stays as it was.
    case route(ResourceName, [RouteTerm])
    /// Tell all peers that have a link; for good also ends trust here.
    case leave(Return)
    /// From now on the operator says this of agreements.
    case configure(AgreementConfiguration)
    /// Write down an administrative act that the shells carried out: what, and its facts.
    case note(String, [Fact])
    /// Dial a peer where it says it listens, and ask it to do the same.
    case proveReach(NodeID)
    /// Ask a peer for its half of a call.
    case trace(CorrelationID, at: NodeID)
}

/// A question to the audit on a peer's behalf.
public struct LookUp: Equatable, Sendable {
    /// Who asks; only events in which it is source or target are for it.
    public let asker: NodeID
    /// The asker's number.
    public let number: Int64
    /// Which call.
    public let correlation: CorrelationID
}
