import MeshBase

/// What can happen to the book.
public enum AgreementInput: Equatable, Sendable {
    /// At start: everything the store kept, and what of it is not as it was signed. Comes once, before
    /// anything else.
    case restored([AgreementRecord], damaged: [DamagedAgreement])
    /// At start: for whom this node vouches, or did. Comes once, before anything else.
    case personsRestored([VouchingRecord])
    /// At start: the house agreements that the store kept. Comes once, before anything else.
    case housesRestored([HouseDocument])
    /// The key of a domain's anchor lies in this home: the book sees to it that the domain has a house
    /// agreement, and one that is not near its end. Told at start, and when the domain is made.
    case anchorHeld(PublicKey)
    /// This node was given a house agreement by its operator or its enrolment. It is checked like any other.
    case houseMade(HouseDocument)
    /// A peer is trusted, and this is its identity key now.
    case peerTrusted(NodeID, PublicKey)
    /// The operator says this from now on; what is offered and agreed stays.
    case configured(AgreementConfiguration)
    /// A peer is not trusted any more; its agreements stay, unused.
    case peerLost(NodeID)
    /// What counts now of a trusted peer's credential, or of this node's own; nil: nothing.
    case membershipChanged(NodeID, Membership?)
    /// A trusted link is up: what was not answered is said again.
    case linkCameUp(NodeID)
    /// The operator offers something; `.answered` comes with the same ticket.
    case offerRequested(Ticket, OfferRequest)
    /// The operator accepts the offer of this content id; `.answered` comes with the same ticket.
    case acceptanceRequested(Ticket, Digest)
    /// The operator rejects the offer of this content id; `.answered` comes with the same ticket.
    case rejectionRequested(Ticket, Digest)
    /// The operator ends an agreement for good; `.answered` comes with the same ticket.
    case revocationRequested(Ticket, RevocationOrder)
    /// A person of this node's has signed its word; `.answered` comes with the same ticket.
    case approvalGiven(Ticket, Signed<Approval>)
    /// The operator has a person vouched for; `.answered` comes with the same ticket.
    case vouchingRequested(Ticket, VouchingOrder)
    /// The operator ends it; `.answered` comes with the same ticket.
    case vouchingEndRequested(Ticket, NodeName)
    /// The answer to `.sign`.
    case signed(Ticket, DocumentSignature)
    /// The key would not sign what `.sign` asked for.
    case signingFailed(Ticket)
    /// A peer said something over its trusted link.
    case messageArrived(from: NodeID, AgreementMessage)
    /// The deadline is reached.
    case timeReached
}

/// What an operator offers to a peer: this node is the provider.
public struct OfferRequest: Equatable, Sendable {
    /// To whom.
    public let peer: NodeID
    /// What; at least one.
    public let grants: [Grant]
    /// Under which conditions.
    public let conditions: AgreementConditions
    /// Who must approve; nil: who the operator's own rule asks for.
    public let approvals: ApprovalRules?
    /// What the parties promise beside; nil: nothing.
    public let commitments: AgreementCommitments?
    /// How much of it may be used.
    public let limits: UsageLimits
    /// What becomes of calls under way at a revocation.
    public let callsAtEnd: CallsAtEnd
    /// Not before; nil means the offerer's time less 300 s, so that it begins at once whatever the clocks.
    public let validFrom: WallTime?
    /// From now; at most `AgreementLimits.lifeMax`.
    public let life: Duration
    /// Offers the next version of an agreement that exists; nil for a new one.
    public let replaces: AgreementID?

    public init(
        peer: NodeID, grants: [Grant], conditions: AgreementConditions = .none,
        approvals: ApprovalRules? = nil,
        commitments: AgreementCommitments? = nil, limits: UsageLimits = .none,
        callsAtEnd: CallsAtEnd = .finish, validFrom: WallTime? = nil, life: Duration,
        replaces: AgreementID? = nil
    ) {
        self.peer = peer
        self.grants = grants.sorted { $0.resource < $1.resource }
        self.conditions = conditions
        self.approvals = approvals
        self.commitments = commitments
        self.limits = limits
        self.callsAtEnd = callsAtEnd
        self.validFrom = validFrom
        self.life = life
        self.replaces = replaces
    }

    /// The same, with what this node's own rule asks of its people.
    func asking(_ roles: [ApprovalRole]) -> OfferRequest {
        guard !roles.isEmpty else { return self }
        return OfferRequest(
            peer: peer, grants: grants, conditions: conditions,
            approvals: (approvals ?? .none).askingProvider(for: roles), commitments: commitments,
            limits: limits, callsAtEnd: callsAtEnd, validFrom: validFrom, life: life, replaces: replaces)
    }
}
