import MeshBase
import MeshSimulator
import Testing

@testable import MeshTrust

@Suite("Deciding about other domains")
struct PartnerOrderTests {
    @Test("a domain has its first bundle as soon as it is made, signed by its anchor")
    func firstBundle() throws {
        let anchor = SimulatedKey(9_000)
        var table = TrustTable(Party(1, name: "alpha"), Party(2, name: "beta"))
        table.parties[0].anchor = anchor
        table.handle(0, .anchorCertified(Octets([7])))
        table.handle(
            0,
            .domainRequested(
                table.ticket(), NodeName("acme")!, anchor: anchor.publicKey, giving: RoleList([.member])!))
        let book = table.parties[0].trust.domains
        let bundle = try #require(book.partners.bundles.values.first)
        #expect(bundle.isSigned(by: anchor.publicKey, using: SimulatedSuite()))
        #expect(bundle.body.sequence == 1)
        #expect(bundle.body.keys == [BundleKey(key: anchor.publicKey, certificate: Octets([7]))])
        #expect(bundle.body.refreshSeconds == 300)
        #expect(table.parties[0].persisted.contains(.bundle(bundle)))
    }

    @Test("an anchor whose home was put back goes on above the bundle that its members hold")
    func restored() {
        var world = PartnerTable()
        let held = world.acme.bundle(1, label: "before")
        world.table.handle(0, .domainMessageArrived(world.table.parties[1].node, .paper(.bundle(held))))
        let book = world.table.parties[0].trust.domains.partners
        #expect(book.bundles[world.acme.domain]?.body.sequence == 2)
        #expect(world.table.papersRefused(0) == [.bundleConflict])
        world.table.carry()
        #expect(world.table.parties[1].trust.domains.partners.bundles == book.bundles)
    }

    @Test("where the anchor's key is not, nothing is decided")
    func elsewhere() {
        var world = PartnerTable()
        #expect(world.accept(1, 2)?.refusal?.code == .anchorMissing)
        #expect(world.table.parties[1].trust.domains.partners.partners.isEmpty)
        var stranger = TrustTable(Party(1, name: "alone"), Party(2, name: "other"))
        #expect(stranger.order(0, .accept(world.bolt.offer(), roles: nil))?.refusal?.code == .domainMissing)
    }

    @Test("a node's own domain is no partner, and who is none cannot be forgotten")
    func noPartner() {
        var world = PartnerTable()
        #expect(world.accept(0, 0)?.refusal?.code == .partnerIsHome)
        #expect(world.table.order(0, .forget(world.bolt.domain))?.refusal?.code == .partnerUnknown)
    }

    @Test("a bundle with a lower number is refused, and nothing is stored")
    func lower() {
        var world = PartnerTable()
        let second = world.bolt.offer(world.bolt.bundle(2))
        #expect(world.table.order(0, .accept(second, roles: nil)) == .done)
        let before = world.table.parties[0].trust.domains.partners
        let persisted = world.table.parties[0].persisted.count
        let refused = world.table.order(0, .accept(world.bolt.offer(), roles: nil))?.refusal
        #expect(refused?.code == .bundleOlder)
        #expect(refused?.facts.map(\.value) == [world.bolt.domain.description, "1", "2"])
        let twin = world.bolt.offer(world.bolt.bundle(2, label: "twin"))
        #expect(world.table.order(0, .accept(twin, roles: nil))?.refusal?.code == .bundleConflict)
        #expect(world.table.parties[0].trust.domains.partners == before)
        #expect(world.table.parties[0].persisted.count == persisted)
        #expect(world.table.papersRefused(0) == [.bundleOlder, .bundleConflict])
    }

    @Test("a bundle that its domain did not sign makes no partner")
    func forged() {
        var world = PartnerTable()
        let forged = world.bolt.offer(world.bolt.bundle(1, by: SimulatedKey(5)))
        #expect(world.table.order(0, .accept(forged, roles: nil))?.refusal?.code == .bundleInvalid)
        #expect(world.table.parties[0].trust.domains.partners.partners.isEmpty)
    }

    @Test("of a bundle that nobody signed the anchor counts, until the first that is signed takes its place")
    func bare() throws {
        var world = PartnerTable()
        #expect(world.table.order(0, .accept(world.bolt.bareOffer, roles: nil)) == .done)
        let partner = try #require(world.table.parties[0].trust.domains.partners.partners.first)
        #expect(partner.domain == world.bolt.domain && partner.keys == [world.bolt.anchor.publicKey])
        #expect(partner.sequence == 1 && partner.bundle == nil)
        // By which its nodes are trusted, and its signed bundle is taken at every member, whatever is in it.
        world.accept(2, 0)
        world.meet(0, 2)
        world.table.carry()
        #expect(world.trusts(0, 2))
        for index in 0...1 {
            let book = world.table.parties[index].trust.domains.partners
            #expect(book.bundles[world.bolt.domain] == world.offer(of: 2).document)
            #expect(world.table.papersRefused(index).isEmpty)
        }
        // Given once more it changes who is trusted of the partner, and nothing of what came since.
        let before = world.table.parties[0].trust.domains.partners.bundles
        let roles = RoleList([.relay])
        #expect(world.table.order(0, .accept(world.bolt.bareOffer, roles: roles)) == .done)
        let after = world.table.parties[0].trust.domains.partners
        #expect(after.bundles == before && after.partners.first?.roles == roles)
        #expect(after.sequence(of: try #require(after.partners.first)) == 1)
    }

    @Test("the key of an anchor that comes back makes the bundle that its domain lacks, in either order")
    func anchorBack() {
        let acme = DomainWorkshop(9_000)
        for isCertifiedFirst in [true, false] {
            var table = TrustTable(Party(member: 1, "alpha") { acme.book(acme.chain(of: $0)) })
            table.parties[0].anchor = acme.anchor
            table.start(0)
            let back: [TrustInput] = [.anchorCertified(Octets([7])), .anchorChanged(acme.anchor.publicKey)]
            for input in isCertifiedFirst ? back : back.reversed() {
                #expect(table.parties[0].trust.domains.partners.bundles.isEmpty)
                table.handle(0, input)
            }
            #expect(table.parties[0].trust.domains.partners.bundles[acme.domain]?.body.sequence == 1)
        }
    }

    @Test("fifteen domains are accepted, and not one more, but those that are can be changed")
    func bound() {
        var world = PartnerTable()
        for number in 0..<UInt64(Limits.partnerDomains) {
            let offer = DomainWorkshop(30_000 + number).offer()
            #expect(world.table.order(0, .accept(offer, roles: nil)) == .done)
        }
        #expect(world.accept(0, 2)?.refusal?.code == .limitReached)
        let again = DomainWorkshop(30_000).offer()
        #expect(world.table.order(0, .accept(again, roles: RoleList([.relay]))) == .done)
        let tags = world.table.parties[0].trust.domains.tags(
            nonce: .zero, certificate: .zero, using: SimulatedSuite())
        #expect(tags?.count == Limits.anchorTags)
    }

    @Test("the same once more changes nothing and asks for no signature")
    func again() {
        var world = PartnerTable()
        world.accept(0, 2)
        let orders = world.table.parties[0].signOrders
        #expect(world.accept(0, 2) == .done)
        #expect(world.table.parties[0].signOrders == orders)
        #expect(world.table.parties[0].trust.domains.partners.decided?.body.sequence == 1)
        #expect(
            world.table.domainEvents(0).filter { $0.hasPrefix("partner domain") } == [
                "partner domain accepted"
            ])
    }

    @Test("who is accepted again after it was forgotten brings no bundle from before")
    func forgottenNumber() throws {
        var world = PartnerTable()
        let beta = world.bolt
        #expect(world.table.order(0, .accept(beta.offer(beta.bundle(5)), roles: nil)) == .done)
        #expect(world.table.order(0, .forget(beta.domain)) == .done)
        // As at a member, or after a start: it is in the document.
        let stored = world.table.parties[0].trust.domains.partners.decided
        #expect(stored?.body.forgotten == [ForgottenPartner(domain: beta.domain, sequence: 5)])
        let old = world.table.order(0, .accept(beta.offer(beta.bundle(4)), roles: nil))?.refusal
        #expect(old?.code == .bundleOlder)
        #expect(old?.facts.map(\.value) == [beta.domain.description, "4", "5"])
        // Keys that nobody signed: no bundle from before follows them.
        #expect(world.table.order(0, .accept(beta.bareOffer, roles: nil)) == .done)
        #expect(world.table.parties[0].trust.domains.partners.partners.first?.sequence == 5)
        #expect(world.table.parties[0].trust.domains.partners.decided?.body.forgotten == nil)
        #expect(world.table.order(0, .forget(beta.domain)) == .done)
        #expect(world.table.order(0, .accept(beta.offer(beta.bundle(6)), roles: nil)) == .done)
    }

    @Test("a bundle from which the anchor's key is gone follows what was confirmed, and can be followed")
    func keyPutAside() throws {
        var world = PartnerTable()
        world.accept(0, 2)
        let next = SimulatedKey(1)
        let moved = world.bolt.offer(world.bolt.bundle(2, keys: [next]))
        #expect(world.table.order(0, .accept(moved, roles: RoleList([.relay]))) == .done)
        let book = world.table.parties[0].trust.domains.partners
        let partner = try #require(book.partners.first)
        #expect(partner.roles == RoleList([.relay]))
        #expect(book.keys(of: partner) == [next.publicKey])
        let later = world.bolt.bundle(3, keys: [SimulatedKey(2)])
        world.table.handle(0, .domainMessageArrived(world.table.parties[1].node, .paper(.bundle(later))))
        #expect(
            world.table.parties[0].trust.domains.partners.keys(of: partner) == [SimulatedKey(2).publicKey])
    }

    @Test("two orders at once are both in what is decided")
    func atOnce() {
        var world = PartnerTable()
        world.table.holdsSignatures = true
        world.table.order(0, .accept(world.offer(of: 2), roles: nil))
        world.table.order(0, .accept(world.offer(of: 3), roles: nil))
        world.table.sign()
        #expect(world.table.parties[0].trust.domains.partners.partners.count == 2)
        #expect(world.table.parties[0].trust.domains.partners.decided?.body.sequence == 2)
    }

    // MARK: From a peer

    @Test("a peer that is trusted shows its domain's bundle with the proof that it belongs to it")
    func fromPeer() throws {
        var world = PartnerTable()
        world.table.makeTrust(inviter: 0, joiner: 2)
        let asked = world.table.ticket()
        world.table.handle(0, .bundleRequested(asked, world.table.parties[2].node))
        world.table.carry()
        guard case .bundle(let offer)? = world.table.parties[0].answers[asked] else {
            Issue.record("no bundle: \(String(describing: world.table.parties[0].answers[asked]))")
            return
        }
        #expect(offer.domain == world.bolt.domain)
        #expect(world.table.order(0, .accept(offer, roles: nil)) == .done)
        #expect(world.table.parties[0].memberships[world.table.parties[2].node]??.domain == world.bolt.domain)
        // The other side does not accept acme yet: it says so, and nothing changes there.
        world.table.carry()
        #expect(world.table.parties[2].trust.domains.members.isEmpty)
    }

    @Test("a question that was lost with its link is asked again at the next one, and no other is")
    func askedAgain() {
        var world = PartnerTable()
        world.table.makeTrust(inviter: 0, joiner: 2)
        let beta = world.table.parties[2].node
        world.table.parties[0].papers = []
        world.table.handle(0, .linkCameUp(beta))
        #expect(world.table.parties[0].papers.allSatisfy { $0.1 != .bundleWanted })
        let asked = world.table.ticket()
        world.table.handle(0, .bundleRequested(asked, beta))
        world.table.parties[0].papers = []
        world.table.carry()
        #expect(world.table.parties[0].answers[asked] == nil)
        world.table.handle(0, .linkCameUp(beta))
        world.table.carry()
        guard case .bundle? = world.table.parties[0].answers[asked] else {
            Issue.record("no bundle: \(String(describing: world.table.parties[0].answers[asked]))")
            return
        }
        world.table.handle(0, .linkCameUp(beta))
        #expect(world.table.parties[0].papers.allSatisfy { $0.1 != .bundleWanted })
    }

    @Test("who shows another domain's bundle is found out")
    func borrowed() throws {
        var world = PartnerTable()
        world.table.makeTrust(inviter: 0, joiner: 2)
        let beta = world.table.parties[2].node
        // Crew's bundle, which is public, beside beta's own credential; then beside one of crew's.
        for (chain, expected) in [
            (world.bolt.chain(of: SimulatedKey(3)), RefusalCode.domainUnknown),
            (world.crew.chain(of: SimulatedKey(4)), .credentialInvalid),
        ] {
            let asked = world.table.ticket()
            world.table.handle(0, .bundleRequested(asked, beta))
            let answer = BundleAnswer(bundle: world.crew.bundle(), chain: chain)
            world.table.handle(0, .domainMessageArrived(beta, .bundleGiven(answer)))
            #expect(world.table.parties[0].answers[asked]?.refusal?.code == expected)
        }
        // Nobody asked.
        let own = BundleAnswer(bundle: world.bolt.bundle(), chain: world.bolt.chain(of: SimulatedKey(3)))
        world.table.handle(0, .domainMessageArrived(beta, .bundleGiven(own)))
        #expect(world.table.parties[0].trust.domains.partners.partners.isEmpty)
    }

    @Test("who asks more often than is answered is told so")
    func often() {
        var world = PartnerTable()
        world.table.makeTrust(inviter: 0, joiner: 2)
        let codes = (0..<9).map { _ -> RefusalCode? in
            let asked = world.table.ticket()
            world.table.handle(0, .bundleRequested(asked, world.table.parties[2].node))
            world.table.carry()
            return world.table.parties[0].answers[asked]?.refusal?.code
        }
        #expect(codes == Array(repeating: nil, count: 8) + [.limitReached])
    }

    @Test("who is in no domain, or holds no bundle, says so; who says nothing is waited for five seconds")
    func withheld() {
        var world = PartnerTable()
        var table = TrustTable(
            Party(1, name: "alpha"), Party(2, name: "beta"),
            Party(member: 3, "gamma") { [bolt = world.bolt] in bolt.book(bolt.chain(of: $0)) })
        table.makeTrust(inviter: 0, joiner: 1)
        table.makeTrust(inviter: 0, joiner: 2, secret: Octets(Array(21...36)))
        table.start(2)
        func ask(_ other: Int) -> Ticket {
            let asked = table.ticket()
            table.handle(0, .bundleRequested(asked, table.parties[other].node))
            return asked
        }
        let homeless = ask(1)
        let empty = ask(2)
        table.carry()
        #expect(table.parties[0].answers[homeless]?.refusal?.code == .domainMissing)
        #expect(table.parties[0].answers[empty]?.refusal?.code == .bundleMissing)
        let silent = ask(1)
        table.parties[0].papers = []
        table.pass(.milliseconds(4_999))
        #expect(table.parties[0].answers[silent] == nil)
        table.pass(.milliseconds(1))
        #expect(table.parties[0].answers[silent]?.refusal?.code == .peerUnreachable)
        let stranger = world.table.ticket()
        world.table.handle(0, .bundleRequested(stranger, world.table.parties[2].node))
        #expect(world.table.parties[0].answers[stranger]?.refusal?.code == .peerNotTrusted)
    }

    // MARK: After a start

    @Test("after a start the same counts as before")
    func restart() {
        var world = PartnerTable()
        world.accept(0, 2)
        world.accept(2, 0)
        world.meet(0, 2)
        var stored = StoredPartners()
        var credentials: [StoredCredential] = []
        for change in world.table.parties[0].persisted {
            switch change {
            case .partnerships(let decision): stored.decided = decision
            case .bundle(let bundle): stored.keep(bundle)
            case .bundleGone(let domain): stored.drop(domain)
            case .credential(let credential): credentials.append(credential)
            default: break
            }
        }
        let pins = world.table.parties[0].trust.pins
        for isKept in [true, false] {
            let book = DomainBook(
                home: world.table.parties[0].trust.domains.home, credentials: credentials, tokens: [],
                anchor: world.acme.anchor.publicKey, certificate: Octets([9]),
                partners: isKept ? stored : StoredPartners())
            var table = TrustTable(Party(1, name: "alpha", pins: pins, domains: book))
            table.parties[0].anchor = world.acme.anchor
            table.start(0)
            // The bundle that was kept is not made again; one that is missing is.
            #expect(table.parties[0].signOrders == (isKept ? 0 : 1))
            #expect(table.parties[0].trust.pins.isTrusted(world.table.parties[2].node) == isKept)
        }
    }
}
