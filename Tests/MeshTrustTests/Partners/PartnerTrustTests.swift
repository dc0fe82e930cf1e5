import MeshBase
import MeshSimulator
import Testing

@testable import MeshTrust

@Suite("Partner domains")
struct PartnerTrustTests {
    @Test("once both have decided, their members trust each other by one handshake")
    func both() {
        var world = PartnerTable()
        #expect(world.accept(0, 2) == .done)
        #expect(world.accept(2, 0) == .done)
        // A member that was told, not the one that decided.
        world.meet(1, 2)
        #expect(world.trusts(1, 2))
        #expect(world.trusts(2, 1))
        let peer = world.table.parties[1].trust.pins[world.table.parties[2].node]
        #expect(peer?.domain == world.bolt.domain)
        // It calls itself like the domain of the other, which was first.
        #expect(peer?.evidence.note.contains(world.bolt.domain.brief) == true)
        world.meet(3, 0)
        #expect(!world.trusts(3, 0))
        #expect(!world.trusts(0, 3))
    }

    @Test("what only one side decided makes no trust, and both sides can say why")
    func oneSided() {
        var world = PartnerTable()
        #expect(world.accept(0, 2) == .done)
        world.meet(0, 2)
        #expect(!world.trusts(0, 2))
        #expect(!world.trusts(2, 0))
        #expect(world.table.refusals(2) == [.domainUnknown])
        let declined = world.table.parties[0].trust.domains.partners.declined[world.bolt.domain]
        #expect(declined?.code == .domainUnknown)
        #expect(declined?.node == world.table.parties[2].node)
        // The other way round: the tag names none that beta is in.
        world.meet(2, 0)
        #expect(!world.trusts(2, 0))
        #expect(world.accept(2, 0) == .done)
        world.meet(2, 0)
        #expect(world.trusts(0, 2))
        #expect(world.table.parties[0].trust.domains.partners.declined.isEmpty)
    }

    @Test("whom else a node accepts is told to nobody whom it refuses")
    func discretion() {
        var world = PartnerTable()
        world.accept(0, 2)
        world.accept(2, 3)
        world.meet(0, 2)
        let told = world.table.parties[2].sent.compactMap { message in
            if case .deny(let denial) = message { denial } else { nil }
        }
        #expect(told.map(\.code) == [.domainUnknown])
        #expect(told.allSatisfy { $0.facts.isEmpty })
    }

    @Test("with named roles only who holds one of them is trusted, and the refusal names both")
    func roles() {
        var world = PartnerTable(roles: [.member, .agree])
        world.accept(0, 2, roles: [.relay])
        world.accept(2, 0)
        world.meet(0, 2)
        #expect(!world.trusts(0, 2))
        world.meet(2, 0)
        #expect(!world.trusts(0, 2))
        #expect(world.table.refusals(0).allSatisfy { $0 == .partnerRoleMissing })
        #expect(world.table.refusals(0).count == 2)
        let refusal = world.bolt.ruling(
            world.bolt.chain(of: SimulatedKey(3)), for: SimulatedKey(3),
            as: AcceptedDomain(
                domain: world.bolt.domain, keys: [Pin(world.bolt.domain.digest)], roles: RoleList([.relay]))
        ).refusal
        #expect(refusal?.code == .partnerRoleMissing)
        #expect(refusal?.facts.map(\.value) == [world.bolt.domain.description, "member", "relay"])
        world.accept(0, 2, roles: [.relay, .agree])
        world.meet(0, 2)
        #expect(world.trusts(0, 2))
    }

    @Test("narrowed or ended, trust lapses in the same turn, at every member")
    func lapses() {
        for end in [PartnerOrder.forget(DomainWorkshop(9_100).domain), nil] {
            var world = PartnerTable()
            world.accept(0, 2)
            world.accept(2, 0)
            world.meet(0, 2)
            world.meet(1, 2)
            #expect(world.trusts(0, 2) && world.trusts(1, 2))
            let order = end ?? .accept(world.offer(of: 2), roles: RoleList([.relay]))
            #expect(world.table.order(0, order) == .done)
            #expect(!world.trusts(0, 2))
            world.table.carry()
            #expect(!world.trusts(1, 2))
            // And by the next handshake at the other side too.
            world.meet(2, 1)
            #expect(!world.trusts(1, 2))
            // A later yes brings it back.
            world.accept(0, 2)
            world.meet(1, 2)
            #expect(world.trusts(1, 2))
        }
    }

    @Test(
        "a member that joined a partner's domain since is trusted by that domain's word, and no longer than it"
    )
    func changed() {
        var world = PartnerTable()
        world.accept(0, 2)
        world.accept(2, 0)
        let node = world.table.parties[1].node
        #expect(world.table.parties[0].trust.pins[node]?.domain == world.acme.domain)
        // It was put back to before it was enrolled, and the other organisation took it in.
        var bolt = world.bolt
        bolt.now = bolt.now + .seconds(1)
        let book = bolt.book(bolt.chain(of: SimulatedKey(2)))
        world.table.parties[1] = Party(2, name: "also", boot: 2, domains: book)
        world.table.start(1)
        world.meet(2, 1)
        world.table.carry()
        world.table.parties[0].persisted = []
        world.meet(1, 0)
        let peer = world.table.parties[0].trust.pins[node]
        #expect(peer?.domain == world.bolt.domain && peer?.state == .trusted)
        #expect(peer?.boot == world.table.parties[1].trust.me.boot)
        #expect(peer?.evidence.note.contains(world.bolt.domain.brief) == true)
        let written = world.table.parties[0].persisted.compactMap { change in
            if case .peer(let record) = change, record.node == node { record } else { nil }
        }
        #expect(written.last == peer)
        world.table.order(0, .forget(world.bolt.domain))
        let outlives = world.trusts(0, 1)
        #expect(!outlives)
    }

    @Test("trust that two operators made by an invite outlives the partnership")
    func invited() {
        var world = PartnerTable()
        world.table.makeTrust(inviter: 0, joiner: 2)
        world.accept(0, 2)
        world.accept(2, 0)
        world.meet(0, 2)
        #expect(world.table.parties[0].memberships[world.table.parties[2].node] != .some(nil))
        world.table.order(0, .forget(world.bolt.domain))
        #expect(world.trusts(0, 2))
        #expect(world.table.parties[0].memberships[world.table.parties[2].node] == .some(nil))
    }

    @Test("a bundle that the last decision forgot goes at the start, when the process ended before it could")
    func leftBehind() {
        let world = PartnerTable()
        var stored = StoredPartners()
        stored.decided = world.acme.decision(2, [world.bolt.partner()])
        for bundle in [world.acme.bundle(1), world.bolt.bundle(2), world.crew.bundle(2)] {
            stored.keep(bundle)
        }
        let book = DomainBook(
            home: world.table.parties[0].trust.domains.home, credentials: [], tokens: [],
            anchor: world.acme.anchor.publicKey, certificate: Octets([9]), partners: stored)
        var table = TrustTable(Party(1, name: "alpha", domains: book))
        table.start(0)
        let gone = table.parties[0].persisted.filter { if case .bundleGone = $0 { true } else { false } }
        #expect(gone == [.bundleGone(world.crew.domain)])
    }

    @Test("a bundle without keys ends trust in its domain, at all who hear of it")
    func withoutKeys() {
        var world = PartnerTable()
        world.accept(0, 2)
        world.accept(2, 0)
        world.meet(1, 2)
        let empty = world.bolt.bundle(2, keys: [])
        world.table.handle(1, .domainMessageArrived(world.table.parties[2].node, .paper(.bundle(empty))))
        #expect(!world.trusts(1, 2))
        world.table.carry()
        #expect(world.table.parties[0].trust.domains.partners.bundles[world.bolt.domain] == empty)
    }

    @Test("a credential that was renewed is shown to members of partner domains")
    func renewed() {
        var world = PartnerTable()
        world.accept(0, 2)
        world.accept(2, 0)
        world.meet(0, 2)
        world.table.pass(Limits.credentialLife * 2 / 3)
        let shown = world.table.parties[0].told.contains { node, message in
            if case .shown = message { node == world.table.parties[2].node } else { false }
        }
        #expect(shown)
    }

    @Test("an issuer neither enrols nor renews members of a partner domain")
    func noIssuing() {
        var world = PartnerTable(issuing: true)
        world.accept(0, 2)
        world.accept(2, 0)
        world.meet(0, 2)
        // One whose credential would be renewed were it acme's.
        let chain = world.bolt.chain(of: SimulatedKey(3))
        let beta = world.table.parties[2].node
        world.table.parties[0].told = []
        let signed = world.table.parties[0].signOrders
        world.table.handle(0, .domainMessageArrived(beta, .renewalWanted(chain)))
        guard case .notRenewed(let refusal)? = world.table.parties[0].told.first?.1 else {
            Issue.record("renewed")
            return
        }
        #expect(refusal.code == .domainMissing)
        #expect(world.table.parties[0].signOrders == signed)
        // A newcomer with bolt's token, at acme's issuer; the same one is enrolled by acme's.
        for (shop, isEnrolled) in [(world.bolt, false), (world.acme, true)] {
            let key = SimulatedKey(8_000)
            world.table.parties[3] = Party(7, name: "new")
            world.table.enrol(3, at: 0, shop.token(key), key)
            #expect(world.trusts(0, 3) == isEnrolled)
            #expect((world.table.parties[3].trust.domains.home != nil) == isEnrolled)
            #expect(world.table.refusals(0) == [.domainUnknown])
        }
    }

    @Test("partners' nodes take half of the book, and not one place more", arguments: [0, 3])
    func share(dialler: Int) {
        var world = PartnerTable()
        for partner in 2...3 {
            world.accept(0, partner)
            world.accept(partner, 0)
        }
        for number in 1..<Limits.partnerPeers {
            let key = SimulatedKey(UInt64(100_000 + number))
            world.table.parties[0].trust.pins.write(
                PeerRecord(
                    node: key.node, key: key.publicKey, pin: SimulatedSuite().pin(of: key.publicKey),
                    inception: key.sign(Inception(key: key.publicKey, nextKeyDigest: .zero)),
                    name: NodeName("p\(number)")!, state: .verified, since: WallTime(milliseconds: 0),
                    evidence: TrustEvidence(kind: .domain, transcript: nil, note: "test"), boot: nil,
                    domain: world.bolt.domain))
        }
        world.meet(0, 2)
        let hasLast = world.trusts(0, 2)
        #expect(hasLast)
        world.table.parties[0].sent = []
        world.meet(dialler, 3 - dialler)
        let hasOneMore = world.trusts(0, 3)
        #expect(!hasOneMore)
        let refusals = world.table.refusals(0)
        #expect(refusals == [.limitReached])
        let hasConsented = world.table.hasSentFinish(0) || world.table.hasSentAccept(0)
        #expect(!hasConsented)
        // A member of its own domain has its place.
        let new = SimulatedKey(7)
        world.table.parties[3] = Party(member: 7, "new") { [acme = world.acme] in
            acme.book(acme.chain(of: $0))
        }
        world.table.start(3)
        world.meet(3, 0)
        let hasMember = world.table.parties[0].trust.pins.isTrusted(new.node)
        #expect(hasMember)
    }

    @Test("of a partner two later bundles are taken at once, and one each ten seconds after that")
    func bundleBucket() {
        var world = PartnerTable()
        world.accept(0, 2)
        world.accept(2, 0)
        world.meet(0, 2)
        func held() -> Int64? {
            world.table.parties[0].trust.domains.partners.bundles[world.bolt.domain]?.body.sequence
        }
        // Whoever brings them: a partner's other node, or a member to whom it told them.
        for (number, party) in [(2, 2), (3, 1), (4, 2), (5, 1)] as [(Int64, Int)] {
            let paper = DomainPaper.bundle(world.bolt.bundle(number))
            world.table.handle(0, .domainMessageArrived(world.table.parties[party].node, .paper(paper)))
        }
        #expect(held() == 3)
        world.table.pass(.seconds(10))
        let paper = DomainPaper.bundle(world.bolt.bundle(5))
        world.table.handle(0, .domainMessageArrived(world.table.parties[2].node, .paper(paper)))
        #expect(held() == 5)
    }

    @Test("of a partner nothing but the bundles of the two domains is told, and nothing else is heard")
    func onlyBundles() {
        var world = PartnerTable()
        world.accept(0, 2)
        world.accept(0, 3)
        world.accept(2, 0)
        world.meet(0, 2)
        world.table.parties[2].papers = [(world.table.parties[0].node, .papersHeld(HeldPapers([])))]
        let before = world.table.parties[2].trust.domains.partners
        for (node, message) in world.table.parties[2].papers where node == world.table.parties[0].node {
            world.table.handle(0, .domainMessageArrived(world.table.parties[2].node, message))
        }
        let told = world.table.parties[0].papers.filter { $0.0 == world.table.parties[2].node }.map(\.1)
        for message in told {
            switch message {
            case .paper(.bundle(let bundle)):
                #expect([world.acme.domain, world.bolt.domain].contains(bundle.body.domain))
            case .papersHeld(let held): #expect(held.papers.count <= 2)
            default: Issue.record("told \(message)")
            }
        }
        #expect(told.count >= 2)
        // Beta brings a decision, and a bundle of a third domain: neither is its business.
        let decision = world.acme.decision(9, [])
        let beta = world.table.parties[2].node
        world.table.handle(0, .domainMessageArrived(beta, .paper(.partnerships(decision))))
        world.table.handle(0, .domainMessageArrived(beta, .paper(.bundle(world.crew.bundle(8)))))
        #expect(world.table.parties[0].trust.domains.partners.partners.count == 2)
        #expect(world.table.parties[0].trust.domains.partners.bundles[world.crew.domain]?.body.sequence == 1)
        // Nor does beta hear of alpha's domain more than its bundle.
        let alpha = world.table.parties[0].node
        world.table.handle(2, .domainMessageArrived(alpha, .paper(.partnerships(decision))))
        world.table.handle(2, .domainMessageArrived(alpha, .paper(.bundle(world.crew.bundle(8)))))
        world.table.handle(2, .domainMessageArrived(alpha, .paper(.partnerships(world.bolt.decision(9, [])))))
        #expect(world.table.parties[2].trust.domains.partners == before)
        world.table.handle(2, .domainMessageArrived(alpha, .paper(.bundle(world.acme.bundle(2)))))
        #expect(world.table.parties[2].trust.domains.partners.bundles[world.acme.domain]?.body.sequence == 2)
    }
}
