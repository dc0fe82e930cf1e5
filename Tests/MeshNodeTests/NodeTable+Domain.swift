import MeshAgreements
import MeshBase
import MeshSimulator
import MeshTrust

@testable import MeshNode

// Domains at the table: what Trust would tell of them is told by the test.
extension NodeTable {
    static let anchor = SimulatedKey(9_000)
    static let domain = DomainID(SimulatedSuite().pin(of: anchor.publicKey).digest)

    func membership(for life: Duration = .seconds(86_400)) -> Membership {
        Membership(domain: Self.domain, roles: [.member], until: now.wall + life)
    }

    func house(_ version: Int64 = 1, for life: Duration = .seconds(86_400)) -> HouseDocument {
        let body = HouseAgreement(
            domain: Self.domain, version: version, issued: now.wall, until: now.wall + life)
        return HouseDocument(anchor: Self.anchor.publicKey, agreement: Self.anchor.sign(body))
    }

    /// What counts of the credential of `member` changes, at itself and at all whom it trusts.
    mutating func change(_ membership: Membership?, of member: Int) {
        for place in places.indices
        where place == member || places[place].node.trust.pins.isTrusted(id(member)) {
            var outbox = Outbox<TrustEffect>()
            outbox.post(.membershipChanged(id(member), membership))
            var effects = Outbox<NodeEffect>()
            places[place].node.perform(&outbox, at: now, into: &effects)
            perform(effects.drain(), at: place)
            // A turn that publishes what changed.
            tell(place, .timeReached)
        }
    }

    mutating func make(_ house: HouseDocument, at place: Int) {
        var effects = Outbox<NodeEffect>()
        places[place].node.tell(.houseMade(house), at: now, into: &effects)
        perform(effects.drain(), at: place)
        tell(place, .timeReached)
    }
}
