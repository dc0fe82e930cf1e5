import MeshAgreements
import MeshBase
import Testing

@testable import MeshNode

@Suite("Roles that agreements ask for, between organisations")
struct RoleConditionTests {
    private static let acme = DomainID(Digest([UInt8](repeating: 9, count: 32))!)
    private static let bolt = DomainID(Digest([UInt8](repeating: 8, count: 32))!)
    private let billing = DomainRole("billing")!

    private func membership(in domain: DomainID) -> Membership {
        Membership(
            domain: domain, roles: [.member, billing], until: WallTime(milliseconds: wallStart + 1 << 40))
    }

    /// This node is of acme with the role, and so is B, of the domain that is given; both agreements between
    /// them ask for the role.
    private func rig(peer domain: DomainID?) -> DeskRig {
        var rig = DeskRig()
        let conditions = AgreementConditions(roles: [billing])
        rig.agreements = [:]
        rig.agree(provider: node(1), consumer: node(0), "orders", conditions: conditions)
        rig.agree(provider: node(0), consumer: node(1), "stock", conditions: conditions)
        rig.domain = CallDomain(membership: membership(in: Self.acme), house: nil, members: .init())
        rig.peers[1] = CallPeer(
            name: peerName("B"), trust: .trusted, link: .up, membership: domain.map(membership))
        rig.publish()
        return rig
    }

    @Test("count in the provider's own domain, at both ends")
    func own() {
        var rig = rig(peer: Self.acme)
        rig.call("B")
        #expect(rig.sent.count == 1)
        let inbound = rig.arrive()
        #expect(rig.refusal(of: inbound) == nil)
    }

    @Test("are no role here when a partner's issuer gave them, at neither end")
    func partner() {
        for domain in [Self.bolt, nil] {
            var rig = rig(peer: domain)
            let call = rig.call("B")
            #expect(rig.refusal(of: call) == [.roleNotAgreed])
            #expect(rig.sent.isEmpty)
            let inbound = rig.arrive()
            #expect(rig.refusal(of: inbound) == [.roleNotAgreed])
        }
    }

    @Test("count for nothing at a provider that is in no domain")
    func homeless() {
        var rig = rig(peer: Self.bolt)
        rig.domain = nil
        rig.publish()
        let inbound = rig.arrive()
        #expect(rig.refusal(of: inbound) == [.roleNotAgreed])
    }
}
