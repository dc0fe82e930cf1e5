import MeshBase
import MeshSimulator
import Testing

@testable import MeshTrust

@Suite("Domains of one's own")
struct FoundingTests {
    private let anchor = SimulatedKey(9_000)
    private let roles = RoleList([.member, .agree, .relay])!

    private func founded() -> (TrustTable, TrustAnswer?) {
        var table = TrustTable(Party(1, name: "alpha"), Party(2, name: "beta"))
        table.start(0)
        table.start(1)
        table.parties[0].anchor = anchor
        let ticket = table.ticket()
        table.handle(
            0, .domainRequested(ticket, NodeName("acme")!, anchor: anchor.publicKey, giving: roles))
        return (table, table.parties[0].answers[ticket])
    }

    @Test("the founder is its first member and issuer, by certificates of the anchor")
    func founds() throws {
        let (table, answer) = founded()
        let domain = DomainID(SimulatedSuite().pin(of: anchor.publicKey).digest)
        #expect(answer == .founded(domain))
        let membership = try #require(table.parties[0].memberships[table.parties[0].node] ?? nil)
        #expect(membership.roles == [.agree, .issue, .member])
        #expect(membership.domain == domain)
        let home = try #require(table.parties[0].trust.domains.home)
        #expect(home.chain.authority?.body.roles == roles)
        #expect(home.chain.issuer == nil)
        #expect(table.parties[0].persisted.last == .home(home))
        #expect(table.parties[0].windows.last == .open)
        #expect(table.parties[0].seeking == .members)
    }

    @Test("a node is in one domain")
    func onlyOne() {
        var (table, _) = founded()
        let ticket = table.ticket()
        table.handle(
            0,
            .domainRequested(ticket, NodeName("other")!, anchor: SimulatedKey(9_001).publicKey, giving: roles)
        )
        guard case .refused(let refusal) = table.parties[0].answers[ticket] else {
            Issue.record("not refused")
            return
        }
        #expect(refusal.code == .domainPresent)
    }

    @Test("the anchor signs tokens where its key lies, within their bounds")
    func tokens() throws {
        var (table, _) = founded()
        let key = SimulatedKey(8_000)
        func answer(_ index: Int, uses: Int, life: Duration) -> TrustAnswer? {
            let ticket = table.ticket()
            let order = TokenOrder(key: key.publicKey, roles: RoleList([.member])!, life: life, uses: uses)
            table.handle(index, .tokenRequested(ticket, order))
            return table.parties[index].answers[ticket]
        }
        guard case .token(let token) = answer(0, uses: Limits.tokenUses, life: Limits.tokenLifeMax) else {
            Issue.record("no token")
            return
        }
        #expect(token.record.isSigned(by: anchor.publicKey, using: SimulatedSuite()))
        #expect(token.record.body.until == table.now.wall + Limits.tokenLifeMax)
        for (uses, life) in [
            (Limits.tokenUses + 1, Duration.seconds(9)), (0, .seconds(9)),
            (1, Limits.tokenLifeMax + .milliseconds(1)), (1, .zero),
        ] {
            guard case .refused(let refusal) = answer(0, uses: uses, life: life) else {
                Issue.record("\(uses) uses, \(life)")
                continue
            }
            #expect(refusal.code == .limitReached)
        }
        guard case .refused(let none) = answer(1, uses: 1, life: .seconds(9)) else {
            Issue.record("a token of no domain")
            return
        }
        #expect(none.code == .domainMissing)
        table.parties[0].trust.domains.anchor = nil
        guard case .refused(let gone) = answer(0, uses: 1, life: .seconds(9)) else {
            Issue.record("a token without the anchor")
            return
        }
        #expect(gone.code == .anchorMissing)
    }
}
