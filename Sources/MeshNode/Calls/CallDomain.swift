import MeshAgreements
import MeshBase

/// This node's domain, as calls see it.
public struct CallDomain: Sendable, Equatable {
    /// What counts of this node's own credential.
    public let membership: Membership
    /// The newest house agreement that is known here; nil: none yet.
    public let house: HouseTerms?
    /// The trusted peers whose credentials are of the same domain.
    public let members: OrderedTable<NodeID, CallMember>

    public init(
        membership: Membership, house: HouseTerms?, members: OrderedTable<NodeID, CallMember>
    ) {
        self.membership = membership
        self.house = house
        self.members = members
    }

    /// Whether this node and `peer` are both members at `wall`.
    func isMember(_ peer: NodeID, at wall: WallTime) -> Bool {
        membership.isShared(with: members[peer]?.membership, at: wall)
    }

    /// The members that offer `resource` to the domain at `wall`: a peer that merely offers the name is none.
    func providers(of resource: ResourceName, at wall: WallTime) -> [NodeID] {
        members.filter { node, member in member.offers[resource] != nil && isMember(node, at: wall) }.map(\.0)
    }
}

/// Another member of this node's domain.
public struct CallMember: Sendable, Equatable {
    /// What counts of its credential.
    public let membership: Membership
    /// What it says it offers to the domain.
    let offers: OrderedTable<ResourceName, DomainOffer>

    public init(membership: Membership, offers: [ResourceName]) {
        self.membership = membership
        var table = OrderedTable<ResourceName, DomainOffer>()
        for name in offers { table[name] = .offered }
        self.offers = table
    }
}

extension CallView {
    /// What an event says besides the content id where the house agreement permitted a call.
    func houseFacts(_ agreement: Digest?) -> [Fact] {
        guard let house = domain?.house, house.contentID == agreement else { return [] }
        return [
            Fact("agreement", house.agreement.name), Fact("version", house.agreement.version),
            Fact("domain", house.agreement.domain),
        ]
    }

    /// What the house agreement says about a call of this node at `peer`; nil where they share no domain.
    func house(calling peer: NodeID, _ resource: ResourceName) -> HouseStanding? {
        guard let domain, let member = domain.members[peer] else { return nil }
        return HouseStanding(
            terms: domain.house, caller: domain.membership, callee: member.membership,
            isOffered: member.offers[resource] != nil)
    }

    /// What the house agreement says about a call of `peer` at this node; nil where they share no domain now:
    /// who is a member no more is told nothing of this node's credential.
    func house(calledBy peer: NodeID, _ resource: ResourceName, at wall: WallTime) -> HouseStanding? {
        guard let domain, let member = domain.members[peer], domain.isMember(peer, at: wall) else {
            return nil
        }
        return HouseStanding(
            terms: domain.house, caller: member.membership, callee: domain.membership,
            isOffered: resources[resource]?.toDomain == .offered)
    }
}
