import MeshBase

/// What the book orders, in the order in which it must happen: what is persisted is durable before the next
/// is performed.
public enum AgreementEffect: Equatable, Sendable {
    /// Sign with the key that the request names and answer with `.signed` or `.signingFailed`. The tickets
    /// are the book's own, from 1.
    case sign(SigningRequest)
    /// Keep this record, in place of an older one with the same content id.
    case persist(AgreementRecord)
    /// Keep this person, in place of one of the same name.
    case persistPerson(VouchingRecord)
    /// Forget the person of this name: nobody vouches for it, and room is needed.
    case forgetPerson(NodeName)
    /// Keep this house agreement, in place of an older one of the same domain.
    case persistHouse(HouseDocument)
    /// Forget the record of this content id: it is over, and room is needed.
    case forget(Digest)
    /// Say this to a peer; without a link it may be lost, and is said again when the link comes up.
    case send(NodeID, AgreementMessage)
    /// What stands between this node and the peer changed: views that show it are made anew.
    case changed(NodeID)
    /// For the audit.
    case record(AgreementNotice)
    /// For the operator who asked.
    case answered(Ticket, AgreementAnswer)
}

/// What became of an operator's order.
public enum AgreementAnswer: Equatable, Sendable {
    /// Done: the record as it is now.
    case done(AgreementRecord)
    /// Done: the person as it is now.
    case vouched(VouchingRecord)
    /// Not done.
    case refused([Refusal])
}

/// One change of an agreement, or a refused attempt at one, for the audit.
public struct AgreementNotice: Equatable, Sendable {
    /// The other party.
    public let peer: NodeID
    /// What was done.
    public let action: AgreementAction
    /// Which document; nil where there was none yet.
    public let contentID: Digest?
    /// Empty when it was done.
    public let refusals: [Refusal]
    /// What else is worth knowing: id, version, resources.
    public let facts: [Fact]

    init(
        peer: NodeID, action: AgreementAction, house: HouseDocument, _ refusals: [Refusal],
        using suite: some SignatureSuite
    ) {
        self.peer = peer
        self.action = action
        self.contentID = house.agreement.contentID(using: suite)
        self.refusals = refusals
        facts = [
            Fact("agreement", house.body.name), Fact("version", house.body.version),
            Fact("domain", house.body.domain), Fact("until", RFC3339.text(house.body.until)),
        ]
    }

    init(peer: NodeID, action: AgreementAction, facts: [Fact]) {
        self.peer = peer
        self.action = action
        contentID = nil
        refusals = []
        self.facts = facts
    }

    init(
        peer: NodeID, action: AgreementAction, contentID: Digest?, refusals: [Refusal] = [],
        agreement: Agreement? = nil, more: [Fact] = []
    ) {
        self.peer = peer
        self.action = action
        self.contentID = contentID
        self.refusals = refusals
        guard let agreement else {
            facts = more
            return
        }
        let resources = agreement.grants.prefix(8).map(\.resource.description).joined(separator: ", ")
        facts =
            [
                Fact("agreement", agreement.id), Fact("version", agreement.version),
                Fact("resources", resources),
                Fact("until", RFC3339.text(agreement.validUntil)),
            ] + more
    }
}

/// What can be done with an agreement; the text is the audit's `action`.
public enum AgreementAction: String, Sendable, CaseIterable {
    /// This node offered.
    case offered = "agreement offered"
    /// A peer's offer came.
    case received = "agreement received"
    /// The rule accepted a peer's offer.
    case acceptedAutomatically = "agreement accepted automatically"
    /// The operator accepted a peer's offer.
    case accepted = "agreement accepted"
    /// The peer accepted this node's offer.
    case acceptedByPeer = "agreement accepted by peer"
    /// This node rejected a peer's offer.
    case rejected = "agreement rejected"
    /// The peer rejected this node's offer.
    case rejectedByPeer = "agreement rejected by peer"
    /// A person of this node's approved.
    case approved = "agreement approved"
    /// A person of the peer's did.
    case approvalReceived = "agreement approved at peer"
    /// The peer has what a person of this node's said.
    case approvalHeard = "agreement approval heard"
    /// The peer does not take what a person of this node's said.
    case approvalRefused = "agreement approval refused by peer"
    /// A person of this node's said no.
    case vetoed = "agreement vetoed"
    /// A person of the peer's did.
    case vetoReceived = "agreement vetoed at peer"
    /// Everything that it asked for is there, and at both: it is in force.
    case activated = "agreement activated"
    /// What the store kept of it is not what was signed; it is not taken up.
    case setAside = "agreement set aside as damaged"
    /// What was set aside is forgotten: both signed a higher version, or the other party revoked it.
    case buried = "damaged agreement forgotten"
    /// This node vouches for a person.
    case vouched = "person vouched for"
    /// What the store kept of that is not what this node signed; nobody is vouched for by it.
    case personSetAside = "person set aside as damaged"
    /// It does so no more.
    case vouchingEnded = "person vouched for no more"
    /// Its time is over in 30, 7 or 1 days.
    case expiring = "agreement expires soon"
    /// Its time is over.
    case expired = "agreement expired"
    /// A higher version took its place.
    case replaced = "agreement replaced"
    /// This node's operator revoked it.
    case revoked = "agreement revoked"
    /// The peer revoked it.
    case revokedByPeer = "agreement revoked by peer"
    /// The peer has this node's revocation.
    case revocationHeard = "agreement revocation heard"
    /// An agreement of this node's domain, or with another, came from a member of either.
    case domainReceived = "agreement of a domain received"
    /// The first house agreement of a domain came.
    case houseReceived = "house agreement received"
    /// A newer house agreement took the place of the one before.
    case houseReplaced = "house agreement replaced"
}
