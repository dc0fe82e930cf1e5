import MeshBase

/// What can happen to the book of agreements of domains.
public enum DomainAgreementInput<Chain: Codable & Equatable & Sendable>: Equatable, Sendable {
    /// At start: everything the store kept that is as it was signed. Comes once, before anything else.
    case restored([DomainAgreementRecord<Chain>])
    /// A peer is trusted.
    case peerTrusted(NodeID)
    /// A peer is not trusted any more.
    case peerLost(NodeID)
    /// What counts now of a trusted peer's credential, or of this node's own; nil: nothing.
    case membershipChanged(NodeID, Membership?)
    /// A trusted link is up.
    case linkCameUp(NodeID)
    /// The operator offers something; `.answered` comes with the same ticket.
    case offerRequested(Ticket, DomainOfferRequest)
    /// The operator accepts the offer of this content id; `.answered` comes with the same ticket.
    case acceptanceRequested(Ticket, Digest)
    /// The operator ends an agreement, or says no to an offer; `.answered` comes with the same ticket.
    case revocationRequested(Ticket, RevocationOrder)
    /// The answer to `.sign`.
    case signed(Ticket, DocumentSignature)
    /// The key would not sign what `.sign` asked for.
    case signingFailed(Ticket)
    /// A peer said something over its trusted link.
    case messageArrived(from: NodeID, DomainAgreementMessage<Chain>)
    /// The deadline is reached.
    case timeReached
}

/// What an operator offers where a party is a domain.
public struct DomainOfferRequest: Equatable, Sendable {
    /// Whose resources: this node's own, or those of every member of its domain.
    public let provider: AgreementParty
    /// To whom.
    public let consumer: AgreementParty
    /// What; at least one.
    public let grants: [Grant]
    /// Under which conditions.
    public let conditions: AgreementConditions
    /// What the parties promise beside; nil: nothing.
    public let commitments: AgreementCommitments?
    /// How much of it may be used, at each node that counts.
    public let limits: UsageLimits
    /// What becomes of calls under way at a revocation.
    public let callsAtEnd: CallsAtEnd
    /// From now; at most `AgreementLimits.lifeMax`.
    public let life: Duration
    /// Offers the next version of an agreement that exists; nil for a new one.
    public let replaces: AgreementID?

    public init(
        provider: AgreementParty, consumer: AgreementParty, grants: [Grant],
        conditions: AgreementConditions = .none, commitments: AgreementCommitments? = nil,
        limits: UsageLimits = .none, callsAtEnd: CallsAtEnd = .finish, life: Duration,
        replaces: AgreementID? = nil
    ) {
        self.provider = provider
        self.consumer = consumer
        self.grants = grants.sorted { $0.resource < $1.resource }
        self.conditions = conditions
        self.commitments = commitments
        self.limits = limits
        self.callsAtEnd = callsAtEnd
        self.life = life
        self.replaces = replaces
    }
}

/// What the book orders, in the order in which it must happen: what is persisted is durable before the next
/// is performed.
public enum DomainAgreementEffect<Chain: Codable & Equatable & Sendable>: Equatable, Sendable {
    /// Sign with the identity key and answer with `.signed` or `.signingFailed`.
    case sign(SigningRequest)
    /// Keep this record, in place of an older one with the same content id.
    case persist(DomainAgreementRecord<Chain>)
    /// Forget the record of this content id: it is over, and room is needed.
    case forget(Digest)
    /// Say this to a peer; without a link it is lost, and made good when the link comes up.
    case send(NodeID, DomainAgreementMessage<Chain>)
    /// What holds for this node changed: views that show it are made anew.
    case changed
    /// For the audit.
    case record(AgreementNotice)
    /// For the operator who asked.
    case answered(Ticket, DomainAgreementAnswer<Chain>)
}

/// What became of an operator's order.
public enum DomainAgreementAnswer<Chain: Codable & Equatable & Sendable>: Equatable, Sendable {
    /// Done: the record as it is now.
    case done(DomainAgreementRecord<Chain>)
    /// Not done.
    case refused([Refusal])
}
