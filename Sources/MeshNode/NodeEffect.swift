import MeshAgreements
import MeshAudit
import MeshBase
import MeshDiscovery
import MeshGossip
import MeshRouting
import MeshTrust

/// What the node orders, in this order. A `.persist` is durable before anything behind it is performed.
public enum NodeEffect: Equatable, Sendable {
    /// Dial; the connection comes back secured or closed under this number.
    case dial(ConnectionID, Endpoint, ConnectionPurpose)
    /// Dial a peer through another one (decision 0043); the connection comes back as after `.dial`.
    case dialThrough(ConnectionID, CircuitPlan.Dial)
    /// Send a document.
    case send(ConnectionID, LinkDocument)
    /// Repeat the handshake over this admitted connection: it comes back secured, with a fresh nonce.
    case repeatHandshake(ConnectionID)
    /// The handshake is done: documents, pings and streams are allowed on this connection.
    case admit(ConnectionID, NodeID, LinkOrigin)
    /// People compare words: the handshake's next message may take as long as they do.
    case awaitPeople(ConnectionID)
    /// Ping.
    case ping(ConnectionID, LinkPing)
    /// End a connection once what was sent has left.
    case close(ConnectionID, RefusalCode?)
    /// End a connection once the streams on it are over, those of the peer that it opened before it heard of
    /// it among them; no more are opened or taken.
    case drain(ConnectionID)
    /// Sign with the key that the request names.
    case sign(SigningRequest)
    /// Make a new key for sealed payloads and keep it beside the one before; what was older goes.
    case makeEncryptionKey
    /// Keep the newest key for sealed payloads alone.
    case dropEncryptionKey
    /// Keep this.
    case persist(NodeChange)
    /// Calls for this peer go over this connection now.
    case linkUp(NodeID, ConnectionID)
    /// There is no link with this peer now.
    case linkDown(NodeID)
    /// Calls for this peer go over its link no more: those that come wait until it is up. That is no failure.
    case linkAtRest(NodeID)
    /// Calls are decided by this view from now on.
    case publish(CallView)
    /// Whether the listener offers `comity-pair/1`.
    case pairing(PairingWindow)
    /// Trust changed: TLS contexts are to be made anew, so that no session outlives it.
    case renewSessions
    /// Answer a command.
    case answer(Ticket, NodeAnswer)
    /// Somebody asks to join under an invite that wants the operator's yes.
    case confirmationWanted(InviteName, by: Pin, name: NodeName)
    /// Ask the audit; the answer comes as `NodeInput.lookedUp`.
    case lookUp(LookUp)
    /// Append to the journal before anything behind it is performed.
    case record([AuditRecord], AuditDurability)
}

/// A change of what a node keeps.
public enum NodeChange: Equatable, Sendable {
    case trust(TrustChange)
    case gossip(GossipChange)
    /// This record, whatever was there.
    case agreement(AgreementRecord)
    /// No agreement of this content id.
    case agreementForgotten(Digest)
    /// This version of an agreement of a domain, whatever was there.
    case domainAgreement(DomainAgreementRecord<CredentialChain>)
    /// No agreement of a domain of this content id.
    case domainAgreementForgotten(Digest)
    /// This person, in place of one of the same name.
    case person(VouchingRecord)
    /// Nobody of this name.
    case personForgotten(NodeName)
    /// This house agreement, in place of an older one of the same domain.
    case houseAgreement(HouseDocument)
    /// This resource, whatever was there.
    case resource(LocalResource, toDomain: DomainOffer)
    /// No resource of this name.
    case resourceRemoved(ResourceName)
    /// This rule; one that says nothing: none.
    case route(ResourceName, RouteRule)
    /// The peer was reached there, or says that it listens there.
    case endpoint(NodeID, Endpoint)
    /// So many newer ones are known that this one is forgotten.
    case endpointForgotten(NodeID, Endpoint)
}

/// The answer to a command.
public enum NodeAnswer: Equatable, Sendable {
    /// Done.
    case done
    /// The invite is open until then.
    case invited(InviteName, secret: Octets, expires: WallTime)
    /// Trust is made with this peer.
    case joined(NodeID)
    /// This domain is made.
    case founded(DomainID)
    /// The token, but for its seed.
    case token(JoinToken)
    /// What a peer shows of its domain.
    case bundle(BundleOffer)
    /// The agreement as it is now.
    case agreed(AgreementRecord)
    /// The agreement of a domain as it is now.
    case domainAgreed(DomainAgreementRecord<CredentialChain>)
    /// The person as it is now.
    case vouched(VouchingRecord)
    /// Who reaches whom.
    case reached(ReachFindings)
    /// The peer's half of a call.
    case traced([AuditEvent])
    /// Not done.
    case refused([Refusal])
}

/// What a node knew when it stopped.
public struct RestoredNode: Equatable, Sendable {
    /// The keys for sealed payloads that lie in the home; nil: none was made.
    public var encryption: HeldEncryptionKeys?
    /// Whom this node has begun to make trust with.
    public var peers: [PeerRecord] = []
    /// Keys that are revoked here for ever.
    public var revokedPins: [RevokedPin] = []
    /// Invites that are not over.
    public var invites: [InviteRecord] = []
    /// Every version of every agreement that is kept.
    public var agreements: [AgreementRecord] = []
    /// Agreements that the store kept and that cannot be read.
    public var damagedAgreements: [DamagedAgreement] = []
    /// Every version of every agreement of a domain that is kept.
    public var domainAgreements: [DomainAgreementRecord<CredentialChain>] = []
    /// Those of them that cannot be read.
    public var unreadableDomainAgreements: [Digest] = []
    /// For whom this node vouches, or did.
    public var people: [VouchingRecord] = []
    /// Persons whose statements the store kept and that cannot be read.
    public var damagedPeople: [DamagedPerson] = []
    /// The house agreements of the domains that it is or was in.
    public var houseAgreements: [HouseDocument] = []
    /// The newest heads, of this node and of its peers.
    public var heads: [StoredHead] = []
    /// What this node provides, without what is built in.
    public var resources: [LocalResource] = []
    /// Which of these it offers to its domain.
    public var offeredToDomain: [ResourceName] = []
    /// Which peers count as providers of a resource.
    public var routes: [StoredRoute] = []
    /// Where peers were reached, oldest first.
    public var endpoints: [ProvenEndpoint] = []
    /// Whether all of it was this node's last state.
    public var origin = HomeOrigin.own
    /// This node's domain, with its credential; nil: none.
    public var home: HomeDomain?
    /// What its domain decided about others, and the bundles that came.
    public var partners = StoredPartners()
    /// Peers' credentials.
    public var credentials: [StoredCredential] = []
    /// Members that it never met, and caught.
    public var convictions: [Conviction] = []
    /// Whom tokens served here.
    public var tokenUses: [TokenUse] = []
    /// The anchor's key, where it lies in this home; nil: it does not.
    public var anchor: PublicKey?
    /// A self-signed certificate of it.
    public var anchorCertificate: Octets?

    public init() {}
}

/// A key that is revoked here for ever.
public struct RevokedPin: Equatable, Sendable {
    /// Which key.
    public let pin: Pin
    /// Whose it was.
    public let node: NodeID

    public init(pin: Pin, node: NodeID) {
        self.pin = pin
        self.node = node
    }
}

/// What the operator said about calls to a resource.
public struct StoredRoute: Equatable, Sendable {
    /// The resource's name at all of its providers.
    public let resource: ResourceName
    /// What was said.
    public let rule: RouteRule

    public init(resource: ResourceName, rule: RouteRule) {
        self.resource = resource
        self.rule = rule
    }
}

/// Where a link with a peer was made before.
public struct ProvenEndpoint: Equatable, Sendable {
    /// Whose.
    public let node: NodeID
    /// Where.
    public let endpoint: Endpoint

    public init(node: NodeID, endpoint: Endpoint) {
        self.node = node
        self.endpoint = endpoint
    }
}
