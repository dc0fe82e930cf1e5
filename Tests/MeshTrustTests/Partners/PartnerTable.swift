import MeshBase
import MeshSimulator
import Testing

@testable import MeshTrust

/// Two organisations: parties 0 and 1 are of the first, 2 of the second, 3 of a third. Anchors lie with 0, 2
/// and 3.
struct PartnerTable {
    let acme = DomainWorkshop(9_000)
    let bolt = DomainWorkshop(9_100)
    let crew = DomainWorkshop(9_200)
    var table: TrustTable

    /// `roles` are beta's; `issuing`: alpha enrols.
    init(roles: [DomainRole] = [.member], issuing: Bool = false) {
        let (acme, bolt, crew) = (acme, bolt, crew)
        table = TrustTable(
            Party(member: 1, "alpha") {
                acme.book(issuing ? acme.issuerChain(of: $0) : acme.chain(of: $0), anchor: true)
            },
            Party(member: 2, "also") { acme.book(acme.chain(of: $0)) },
            Party(member: 3, "beta") { bolt.book(bolt.chain(of: $0, roles: roles), anchor: true) },
            Party(member: 4, "gamma") { crew.book(crew.chain(of: $0), anchor: true) })
        for (index, shop) in [(0, acme), (2, bolt), (3, crew)] { table.parties[index].anchor = shop.anchor }
        for index in 0...3 {
            table.start(index)
            if index != 1 { table.handle(index, .anchorCertified(Octets([1, 2, 3]))) }
        }
        meet(0, 1)
        table.carry()
    }

    func domain(_ index: Int) -> DomainID { table.parties[index].trust.domains.home!.domain }

    /// The bundle that a party holds of its own domain.
    func offer(of index: Int) -> BundleOffer {
        BundleOffer(
            table.parties[index].trust.domains.partners.bundles[domain(index)]!, using: SimulatedSuite())
    }

    /// The operator of one accepts the domain of another.
    @discardableResult
    mutating func accept(_ index: Int, _ other: Int, roles: [DomainRole]? = nil) -> TrustAnswer? {
        let answer = table.order(
            index, .accept(offer(of: other), roles: roles.flatMap { RoleList($0) }))
        table.carry()
        return answer
    }

    /// One dials another, whom it need not know.
    mutating func meet(_ one: Int, _ other: Int) {
        table.open(one, other, intent: .member)
        table.settle()
        if trusts(one, other), trusts(other, one) {
            table.handle(one, .linkCameUp(table.parties[other].node))
            table.handle(other, .linkCameUp(table.parties[one].node))
        }
    }

    func trusts(_ one: Int, _ other: Int) -> Bool {
        table.parties[one].trust.pins.isTrusted(table.parties[other].node)
    }
}
