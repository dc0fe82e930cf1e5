import MeshBase
import MeshDiscovery
import MeshSimulator
import MeshTrust
import Testing

@testable import MeshAgreements
@testable import MeshGossip
@testable import MeshNode

@Suite("Nodes of one domain")
struct DomainTests {
    private let anchor = SimulatedKey(9_000)
    private let tokenKey = SimulatedKey(8_000)

    /// Shows `seen` to `place` as a stranger on the network.
    private func show(_ seen: Int, to place: Int, in table: inout NodeTable) {
        let tag = SightingTag(
            of: table.id(seen), hour: SightingTag.hour(of: table.now.wall), using: SimulatedSuite())
        let key = SightingKey(witness: .mdns(interface: "lo"), source: "place \(seen)")
        table.tell(
            place,
            .sighted(
                Sighting(
                    key: key, endpoints: [table.places[seen].endpoint], claim: .tag(tag),
                    life: .seconds(90_000))))
    }

    private func found(_ table: inout NodeTable) {
        table.places[0].shelf.anchor = anchor
        table.command(
            0,
            .createDomain(
                NodeName("acme")!, anchor: anchor.publicKey, giving: RoleList([.member, .agree])!))
        table.pass(.seconds(1))
    }

    private func makeToken(_ table: inout NodeTable, uses: Int = 9) -> JoinToken? {
        let order = TokenOrder(
            key: tokenKey.publicKey, roles: RoleList([.member])!, life: .seconds(3_600), uses: uses)
        let ticket = table.command(0, .makeToken(order))
        table.pass(.seconds(1))
        guard case .token(let token) = table.places[0].answers[ticket] else { return nil }
        return token
    }

    private func enrol(_ place: Int, _ token: JoinToken, in table: inout NodeTable) {
        table.places[place].token = tokenKey
        table.tell(place, .enrolmentOrdered(token))
    }

    /// Alpha's domain, which the others enrol in as they see it.
    private func domain(_ names: String...) throws -> NodeTable {
        var table = NodeTable(names)
        found(&table)
        let token = try #require(makeToken(&table))
        for place in 1..<names.count {
            enrol(place, token, in: &table)
            show(0, to: place, in: &table)
        }
        return table
    }

    @Test("a newcomer that sees an issuer is trusted and linked, and members who never met find one another")
    func zeroTouch() throws {
        var table = try domain("alpha", "beta", "gamma")
        table.pass(.seconds(3))
        #expect(table.isLinked(0, 1))
        #expect(table.isLinked(0, 2))
        #expect(!table.isLinked(1, 2))
        show(2, to: 1, in: &table)
        table.pass(.seconds(2))
        #expect(table.isLinked(1, 2))
        for (one, other) in [(0, 1), (1, 2), (2, 0)] {
            #expect(table.places[one].node.trust.pins[table.id(other)]?.evidence.kind == .domain)
            #expect(table.places[one].node.gossip.memberships[table.id(other)]?.holds(.member) == true)
        }
        #expect(table.places[1].node.agreements.memberships[table.id(1)]?.roles == [.member])
        // The house agreement is made with the domain, and each newcomer said yes to it.
        let house = try #require(table.places[0].node.agreements.house?.agreement.payload)
        for place in 1...2 { #expect(table.places[place].node.agreements.house?.agreement.payload == house) }
    }

    @Test("a member that is found is dialled once, and its link is not replaced")
    func foundOnce() throws {
        var table = try domain("alpha", "beta", "gamma")
        table.pass(.seconds(3))
        let before = table.places[1].effects.count
        show(2, to: 1, in: &table)
        table.pass(.seconds(10))
        let after = table.places[1].effects.dropFirst(before)
        let dials = after.filter {
            if case .dial(_, table.places[2].endpoint, _) = $0 { true } else { false }
        }
        #expect(dials.count == 1)
        #expect(!after.contains { if case .close = $0 { true } else { false } })
        #expect(table.isLinked(1, 2))
        let progress = table.places[1].node.discovery.peer(table.id(2), at: table.now.instant)?.progress
        guard case .linked? = progress else {
            Issue.record("discovery does not know of the link: \(String(describing: progress))")
            return
        }
    }

    @Test("what the anchor does not sign is answered as not made")
    func notSigned() {
        var table = NodeTable("alpha")
        table.places[0].shelf.anchor = anchor
        table.places[0].signs = false
        let ticket = table.command(
            0, .createDomain(NodeName("acme")!, anchor: anchor.publicKey, giving: RoleList([.member])!))
        table.pass(.seconds(1))
        #expect(
            table.places[0].answers[ticket]
                == .refused([Refusal(.proofInvalid, [Fact("signing", "failed")])]))
    }

    @Test("without a domain a stranger is never dialled, nor after this node has left the search")
    func noDomain() {
        var table = NodeTable("alpha", "beta")
        show(1, to: 0, in: &table)
        table.pass(.seconds(60))
        #expect(!table.places[0].effects.contains { if case .dial = $0 { true } else { false } })
    }

    @Test("a member is one again after a restart, and finds the others by what it kept")
    func restarted() throws {
        var table = try domain("alpha", "beta")
        table.pass(.seconds(3))
        table.restart(1)
        table.pass(.seconds(20))
        #expect(table.isLinked(0, 1))
        #expect(table.places[1].node.trust.domains.own?.membership.roles == [.member])
        #expect(table.places[1].node.gossip.memberships[table.id(0)]?.holds(.issue) == true)
        table.restart(0)
        table.pass(.seconds(20))
        #expect(table.isLinked(0, 1))
        #expect(table.places[0].node.trust.domains.own?.membership.holds(.issue) == true)
    }

    @Test("credentials are renewed while their nodes live, for weeks")
    func renewed() throws {
        var table = try domain("alpha", "beta")
        table.pass(.seconds(3))
        let first = try #require(table.places[1].node.trust.domains.own)
        // Seven days at most without a renewal: twelve, of which most are slept through.
        for _ in 0..<12 {
            table.sleep(.seconds(24 * 3_600))
            table.pass(.seconds(40))
            #expect(table.isLinked(0, 1))
        }
        let later = try #require(table.places[1].node.trust.domains.own)
        #expect(later.membership.until > first.membership.until)
        #expect(table.places[0].node.trust.pins.isTrusted(table.id(1)))
    }

    @Test("a member whose issuers are gone loses its links when its credential ends, and in the same turn")
    func ends() throws {
        var table = try domain("alpha", "beta", "gamma")
        show(2, to: 1, in: &table)
        table.pass(.seconds(5))
        #expect(table.isLinked(1, 2))
        table.cuts = [(0, 1), (0, 2)]
        table.sleep(Limits.credentialLife - .seconds(90))
        table.pass(.seconds(30))
        #expect(table.isLinked(1, 2))
        table.pass(.seconds(120))
        #expect(!table.isLinked(1, 2))
        #expect(table.places[1].node.trust.pins[table.id(2)]?.state == .verified)
        #expect(table.places[1].node.gossip.memberships[table.id(2)] == nil)
    }

    @Test("whom a node has revoked in its domain it never links again, whatever credential that shows")
    func revoked() throws {
        var table = try domain("alpha", "beta")
        table.pass(.seconds(3))
        table.command(0, .decide(table.id(1), .revoke, note: "test"))
        table.pass(.seconds(60))
        #expect(!table.isLinked(0, 1))
        #expect(table.places[0].node.trust.pins[table.id(1)]?.state == .revoked)
    }

    @Test("a member that may not issue sends a newcomer where it can enrol")
    func referral() throws {
        var table = NodeTable("alpha", "beta", "gamma")
        found(&table)
        let token = try #require(makeToken(&table))
        enrol(1, token, in: &table)
        show(0, to: 1, in: &table)
        table.pass(.seconds(3))
        // Beta's door stands open for an invite; gamma sees beta only.
        table.command(1, .invite(secret: NodeTable.secret, life: .seconds(600), confirmation: .none))
        enrol(2, token, in: &table)
        show(1, to: 2, in: &table)
        table.pass(.seconds(5))
        #expect(table.isLinked(0, 2))
        #expect(table.isLinked(1, 2))
    }
}
