import MeshBase
import MeshSimulator
import Testing

@testable import MeshTrust

@Suite("Renewal of credentials")
struct RenewalTests {
    private let shop = DomainWorkshop()

    private func table(
        _ chain: ((SimulatedKey) -> CredentialChain)? = nil, issuerHasAnchor: Bool = false
    ) -> TrustTable {
        var table = TrustTable(
            Party(member: 1, "issuer") { shop.book(shop.issuerChain(of: $0), anchor: issuerHasAnchor) },
            Party(member: 2, "member") { shop.book(chain?($0) ?? shop.chain(of: $0, life: .seconds(3_600))) })
        table.parties[0].anchor = shop.anchor
        table.start(0)
        table.start(1)
        table.open(0, 1, intent: .member)
        table.settle()
        return table
    }

    /// Carries what the parties tell one another over their link.
    private func carry(_ table: inout TrustTable) {
        for index in 0...1 {
            let told = table.parties[index].told
            table.parties[index].told = []
            for (node, message) in told where node == table.parties[1 - index].node {
                table.handle(1 - index, .domainMessageArrived(table.parties[index].node, message))
            }
        }
    }

    @Test("a member asks an issuer at two thirds, not before, and gets a later one with the same roles")
    func atTwoThirds() throws {
        var table = table()
        table.pass(.seconds(2_399))
        #expect(table.parties[1].told.isEmpty)
        table.pass(.seconds(1))
        guard case .renewalWanted? = table.parties[1].told.last?.1 else {
            Issue.record("did not ask")
            return
        }
        carry(&table)
        carry(&table)
        let own = try #require(table.parties[1].trust.domains.own)
        #expect(own.membership.until == table.now.wall + Limits.credentialLife)
        #expect(own.membership.roles == [.member])
        #expect(table.parties[0].trust.domains.members[table.parties[1].node]?.membership == own.membership)
        #expect(table.parties[0].memberships[table.parties[1].node] == own.membership)
        // Long after the first would have ended.
        for _ in 0..<30 { table.pass(.seconds(60)) }
        #expect(table.parties[0].trust.pins.isTrusted(table.parties[1].node))
    }

    @Test("what was renewed is shown to every trusted member")
    func shown() {
        var table = table()
        table.pass(.seconds(2_400))
        carry(&table)
        let issuer = table.parties[0].node
        for (_, message) in table.parties[0].told {
            table.handle(1, .domainMessageArrived(issuer, message))
        }
        let shown = table.parties[1].told.contains { if case .shown = $0.1 { true } else { false } }
        #expect(shown)
    }

    @Test("what is over, or dated ahead, is replaced where the anchor's key lies, and nowhere else")
    func anchorReturns() {
        for (shift, isAnchorHere) in [(-8, true), (1, true), (-8, false), (1, false)] {
            var other = shop
            other.now = shop.now + .seconds(shift * 86_400)
            let made = other
            var table = TrustTable(
                Party(member: 1, "founder") { made.book(made.issuerChain(of: $0), anchor: isAnchorHere) })
            table.parties[0].anchor = shop.anchor
            table.start(0)
            #expect(table.parties[0].trust.domains.own == nil)
            table.pass(.milliseconds(1))
            let own = table.parties[0].trust.domains.own
            #expect((own != nil) == isAnchorHere)
            guard isAnchorHere else { continue }
            #expect(own?.membership.until == table.now.wall + Limits.credentialLife)
            #expect(own?.membership.holds(.issue) == true)
            // Nothing more is signed for five days.
            let signed = table.parties[0].signOrders
            for _ in 0..<60 { table.pass(.seconds(60)) }
            #expect(table.parties[0].signOrders == signed)
        }
    }

    @Test("a clock put back makes the founder replace what it signed ahead, without a restart")
    func putBack() {
        var table = TrustTable(
            Party(member: 1, "founder") { shop.book(shop.issuerChain(of: $0), anchor: true) })
        table.parties[0].anchor = shop.anchor
        table.start(0)
        table.now = Moment(instant: table.now.instant, wall: table.now.wall + .seconds(-3_600))
        table.pass(.seconds(60))
        #expect(table.parties[0].trust.domains.own?.chain.credential.body.issued == table.now.wall)
    }

    @Test("a member whose clock ran past its credential and came right is a member again, without a restart")
    func comesRight() {
        var table = table()
        let right = table.now
        table.now = Moment(instant: right.instant, wall: right.wall + Limits.credentialLife + .seconds(1))
        table.pass(.seconds(60))
        #expect(table.parties[1].trust.domains.own == nil)
        table.now = Moment(instant: table.now.instant, wall: right.wall + .seconds(60))
        table.pass(.seconds(60))
        #expect(table.parties[1].trust.domains.own?.membership.roles == [.member])
        #expect(table.parties[1].seeking == .members)
    }

    @Test("an unanswered request is repeated, at the next issuer")
    func repeats() {
        let other = SimulatedKey(3)
        var table = TrustTable(
            Party(member: 1, "one") { shop.book(shop.issuerChain(of: $0)) },
            Party(member: 2, "member") { shop.book(shop.chain(of: $0, life: .seconds(3_600))) },
            Party(member: 3, "other") { shop.book(shop.issuerChain(of: $0)) })
        for index in 0...2 { table.start(index) }
        table.open(1, 0, intent: .member)
        table.open(1, 2, intent: .member)
        table.settle()
        for _ in 0..<82 { table.pass(.seconds(30)) }
        let asked = table.parties[1].told.map(\.0)
        #expect(asked.count == 3)
        #expect(Set(asked) == [table.parties[0].node, other.node])
    }

    @Test("an issuer renews nobody whom it revoked or suspended")
    func barred() {
        for decision in [PeerDecision.suspend, .revoke] {
            var table = table()
            table.pass(.seconds(2_400))
            table.handle(0, .decided(table.ticket(), table.parties[1].node, decision, note: "test"))
            carry(&table)
            #expect(table.parties[0].told.isEmpty)
        }
    }

    @Test("who may not issue says so")
    func noIssuer() {
        var table = TrustTable(
            Party(member: 1, "one") { shop.book(shop.chain(of: $0)) },
            Party(member: 2, "two") { shop.book(shop.chain(of: $0)) })
        table.start(0)
        table.start(1)
        table.open(0, 1, intent: .member)
        table.settle()
        let chain = shop.chain(of: table.parties[1].key)
        table.handle(0, .domainMessageArrived(table.parties[1].node, .renewalWanted(chain)))
        guard case .notRenewed(let refusal)? = table.parties[0].told.last?.1 else {
            Issue.record("no answer")
            return
        }
        #expect(refusal.code == .issuerMissing)
    }

    @Test("a credential of somebody else is not renewed, nor taken for the peer's")
    func foreign() {
        var table = table()
        let other = shop.chain(of: SimulatedKey(44), roles: [.member, .agree])
        let member = table.parties[1].node
        let before = table.parties[0].trust.domains.members[member]
        table.handle(0, .domainMessageArrived(member, .renewalWanted(other)))
        table.handle(0, .domainMessageArrived(member, .shown(other)))
        #expect(table.parties[0].trust.domains.members[member] == before)
        guard case .notRenewed(let refusal)? = table.parties[0].told.last?.1 else {
            Issue.record("no answer")
            return
        }
        #expect(refusal.code == .credentialInvalid)
    }

    @Test("an earlier credential never replaces a later one")
    func neverBack() {
        var table = table()
        let member = table.parties[1].node
        var late = shop
        late.now = shop.now + .seconds(10)
        table.pass(.seconds(10))
        let later = late.chain(of: table.parties[1].key)
        table.handle(0, .domainMessageArrived(member, .shown(later)))
        let earlier = shop.chain(of: table.parties[1].key, roles: [.member, .agree, .relay])
        table.handle(0, .domainMessageArrived(member, .shown(earlier)))
        #expect(table.parties[0].trust.domains.members[member]?.chain == later)
    }

    @Test("a peer's credentials are looked at eight at once and one a second after that")
    func checksBounded() {
        var table = table()
        let member = table.parties[1].node
        let other = shop.chain(of: SimulatedKey(44))
        let looked = { (table: TrustTable) in
            table.parties[0].events.filter { if case .credentialRefused = $0 { true } else { false } }.count
        }
        for _ in 0..<20 { table.handle(0, .domainMessageArrived(member, .shown(other))) }
        #expect(looked(table) == 8)
        table.pass(.seconds(1))
        for _ in 0..<20 { table.handle(0, .domainMessageArrived(member, .shown(other))) }
        #expect(looked(table) == 9)
    }

    @Test("an issuer renews its own credential by itself")
    func ownRenewal() throws {
        let issuer = SimulatedKey(5)
        let certificate = shop.certificate(of: issuer)
        let chain = CredentialChain(
            anchor: shop.anchor.publicKey, issuer: nil,
            credential: shop.credential(of: issuer, roles: [.member, .agree], life: .seconds(3_600)),
            authority: certificate)
        var table = TrustTable(Party(member: 5, "issuer") { _ in shop.book(chain) })
        table.start(0)
        for _ in 0..<61 { table.pass(.seconds(60)) }
        let own = try #require(table.parties[0].trust.domains.own)
        #expect(own.membership.roles == [.agree, .issue, .member])
        #expect(own.chain.issuer == certificate)
    }

    @Test("where the anchor lies, issuer certificates are renewed too, one's own and other issuers'")
    func authorityRenewal() throws {
        let shop = shop
        func chain(_ key: SimulatedKey) -> CredentialChain {
            CredentialChain(
                anchor: shop.anchor.publicKey, issuer: nil, credential: shop.credential(of: key),
                authority: shop.certificate(of: key, giving: [.member], life: .seconds(3_600)))
        }
        var table = TrustTable(
            Party(member: 1, "anchor") { shop.book(chain($0), anchor: true) },
            Party(member: 2, "issuer") { shop.book(chain($0)) })
        table.parties[0].anchor = shop.anchor
        table.start(0)
        table.start(1)
        table.open(0, 1, intent: .member)
        table.settle()
        for _ in 0..<61 {
            table.pass(.seconds(60))
            carry(&table)
        }
        for index in 0...1 {
            let own = try #require(table.parties[index].trust.domains.own)
            #expect(own.membership.holds(.issue))
            #expect(own.chain.authority?.body.roles == .member)
        }
    }

    @Test("a node without a credential that counts asks nobody")
    func over() {
        var table = table { shop.chain(of: $0, life: .milliseconds(500)) }
        table.parties[1].told = []
        table.pass(.seconds(60))
        #expect(table.parties[1].told.isEmpty)
    }
}
