import MeshBase
import MeshSimulator
import Testing

@testable import MeshTrust

/// What changes between two turns: a handshake under way, a signature that does not come, a later credential.
@Suite("Partner domains, from one turn to the next")
struct PartnerTurnTests {
    private func partners() -> PartnerTable {
        var world = PartnerTable()
        world.accept(0, 2)
        world.accept(2, 0)
        return world
    }

    // MARK: A handshake under way

    @Test(
        "who is forgotten after it was judged is not trusted at the end of its handshake", arguments: [0, 2])
    func underWay(dialler: Int) {
        var world = partners()
        world.table.holdsSignatures = true
        let ends = world.table.open(dialler, 2 - dialler, intent: .member)
        // Alpha has judged M2, or M3: what is left is one signature.
        world.table.proceed(until: 2 - dialler, signs: .acceptance)
        _ = world.table.ask(0, .forget(world.bolt.domain))
        world.table.awaitingSignature.reverse()
        world.table.holdsSignatures = false
        world.table.sign()
        world.table.settle()
        let beta = world.table.parties[2].node
        #expect(!world.trusts(0, 2))
        #expect(world.table.parties[0].trust.domains.members[beta] == nil)
        #expect(world.table.parties[0].admitted[dialler == 0 ? ends.0 : ends.1] == nil)
        #expect(world.table.parties[0].closed[dialler == 0 ? ends.0 : ends.1] == .some(.domainUnknown))
        let recorded = world.table.parties[0].events.contains { event in
            if case .credentialRefused(beta, let refusal) = event {
                refusal.code == .domainUnknown
            } else {
                false
            }
        }
        #expect(recorded)
    }

    @Test("a friend by an invite whose domain is forgotten meanwhile gets its link, and no membership")
    func friendUnderWay() throws {
        var world = partners()
        world.table.makeTrust(inviter: 0, joiner: 2)
        world.table.holdsSignatures = true
        let ends = world.table.open(0, 2)
        world.table.proceed(until: 2, signs: .acceptance)
        _ = world.table.ask(0, .forget(world.bolt.domain))
        world.table.awaitingSignature.reverse()
        world.table.sign()
        world.table.holdsSignatures = false
        world.table.settle()
        let admitted = try #require(world.table.parties[0].admitted[ends.0])
        #expect(admitted.membership == nil)
        #expect(world.table.parties[0].trust.domains.members[world.table.parties[2].node] == nil)
    }

    // MARK: A clock that ran ahead

    @Test(
        "what was decided by a clock that ran ahead is signed anew once it is right: members take only that")
    func ahead() {
        var world = partners()
        let right = world.table.now
        world.table.now = Moment(instant: right.instant, wall: right.wall + .seconds(3_600))
        #expect(world.table.order(0, .forget(world.bolt.domain)) == .done)
        world.table.now = right
        world.table.carry()
        #expect(!world.table.parties[1].trust.domains.partners.partners.isEmpty)
        world.table.pass(.seconds(60))
        world.table.carry()
        let held = world.table.parties.prefix(2).map(\.trust.domains.partners.decided)
        #expect(held[0]?.body.sequence == 3)
        #expect(held[0] == held[1])
        #expect(world.table.parties[1].trust.domains.partners.partners.isEmpty)
    }

    // MARK: Signatures that do not come

    @Test("a decision that is not signed is answered, and neither kept nor part of the next")
    func notSigned() throws {
        var world = partners()
        world.table.holdsSignatures = true
        let crew = PartnerOrder.accept(world.offer(of: 3), roles: nil)
        let forget = world.table.ask(0, .forget(world.bolt.domain))
        let accept = world.table.ask(0, crew)
        world.table.failOnce()
        #expect(world.table.parties[0].answers[forget]?.refusal?.code == .proofInvalid)
        #expect(world.table.parties[0].answers[accept] == nil)
        world.table.signOnce()
        #expect(world.table.parties[0].answers[accept] == .done)
        let decided = try #require(world.table.parties[0].trust.domains.partners.decided?.body)
        #expect(Set(decided.partners.map(\.domain)) == [world.bolt.domain, world.crew.domain])
        #expect(decided.sequence == 2)
    }

    @Test("the same order again waits for the first, and is tried by itself when that comes to nothing")
    func waits() {
        var world = partners()
        world.table.holdsSignatures = true
        let orders = (0..<3).map { _ in world.table.ask(0, .forget(world.bolt.domain)) }
        #expect(orders.allSatisfy { world.table.parties[0].answers[$0] == nil })
        world.table.failOnce()
        #expect(world.table.parties[0].answers[orders[1]] == nil)
        #expect(!world.table.parties[0].trust.domains.partners.partners.isEmpty)
        world.table.signOnce()
        #expect(world.table.parties[0].answers[orders[1]] == .done)
        #expect(world.table.parties[0].answers[orders[2]]?.refusal?.code == .partnerUnknown)
        #expect(world.table.parties[0].trust.domains.partners.partners.isEmpty)
        #expect(world.table.awaitingSignature.isEmpty)
    }

    @Test("an order is decided once more when a member brought a later decision before it was signed")
    func overtaken() throws {
        var world = partners()
        world.table.holdsSignatures = true
        let forget = world.table.ask(0, .forget(world.bolt.domain))
        let later = world.acme.decision(9, [world.bolt.partner(), world.crew.partner()])
        let also = world.table.parties[1].node
        world.table.handle(0, .domainMessageArrived(also, .paper(.partnerships(later))))
        world.table.signOnce()
        #expect(world.table.parties[0].answers[forget] == nil)
        world.table.signOnce()
        #expect(world.table.parties[0].answers[forget] == .done)
        let decided = try #require(world.table.parties[0].trust.domains.partners.decided?.body)
        #expect(decided.partners.map(\.domain) == [world.crew.domain])
        #expect(decided.sequence == 10)
    }

    @Test("a first bundle that is not signed is made in the next round")
    func bundleNotSigned() {
        let shop = DomainWorkshop(9_000)
        var table = TrustTable(Party(member: 1, "alpha") { shop.book(shop.chain(of: $0), anchor: true) })
        table.parties[0].anchor = shop.anchor
        table.start(0)
        table.holdsSignatures = true
        table.handle(0, .anchorCertified(Octets([7])))
        table.failOnce()
        #expect(table.awaitingSignature.isEmpty)
        table.holdsSignatures = false
        table.pass(DomainBundle.refreshHint)
        #expect(table.parties[0].trust.domains.partners.bundles[shop.domain]?.body.sequence == 1)
    }

    @Test("a domain, or a token, that is not signed is answered as not made, and can be made after that")
    func domainNotSigned() {
        var table = TrustTable(Party(1, name: "alpha"))
        let anchor = SimulatedKey(9_000)
        table.parties[0].anchor = anchor
        let order = TokenOrder(
            key: SimulatedKey(8_000).publicKey, roles: RoleList([.member])!, life: .seconds(60), uses: 1)
        for isSigned in [false, true] {
            table.holdsSignatures = true
            let asked = table.ticket()
            table.handle(
                0,
                .domainRequested(
                    asked, NodeName("acme")!, anchor: anchor.publicKey, giving: RoleList([.member])!))
            if !isSigned { table.failOnce() }
            table.holdsSignatures = false
            table.sign()
            #expect(
                table.parties[0].answers[asked].map { $0.refusal?.code == (isSigned ? nil : .proofInvalid) }
                    == true)
        }
        table.holdsSignatures = true
        let asked = table.ticket()
        table.handle(0, .tokenRequested(asked, order))
        table.failOnce()
        #expect(table.parties[0].answers[asked]?.refusal?.code == .proofInvalid)
    }

    @Test("a newcomer whose credential is not signed is refused at once")
    func newcomerNotSigned() {
        let (shop, key) = (DomainWorkshop(9_000), SimulatedKey(8_000))
        var table = TrustTable(
            Party(member: 1, "issuer") { shop.book(shop.issuerChain(of: $0)) }, Party(2, name: "new"))
        table.start(0)
        table.parties[1].token = key
        table.handle(1, .enrolmentOrdered(shop.token(key)))
        table.holdsSignatures = true
        let ends = table.open(1, 0, .pairing, intent: DialIntent(token: shop.token(key)))
        table.proceed(until: 0, signs: .credential)
        #expect(table.parties[0].closed[ends.1] == nil)
        table.failOnce()
        #expect(table.parties[0].closed[ends.1] == .some(.proofInvalid))
    }

    // MARK: A later credential

    @Test(
        "a later credential without the roles that are accepted ends trust by the one before",
        arguments: 0..<3)
    func reissued(way: Int) throws {
        var world = PartnerTable(roles: [.member, .agree])
        world.accept(0, 2, roles: [.agree])
        world.accept(2, 0)
        world.meet(0, 2)
        #expect(world.trusts(0, 2))
        let beta = world.table.parties[2].key
        func chain(_ issued: WallTime) -> CredentialChain {
            CredentialChain(
                anchor: world.bolt.anchor.publicKey, issuer: nil,
                credential: world.bolt.credential(of: beta, issued: issued), authority: nil)
        }
        // One from before says nothing new.
        let before = chain(world.bolt.now + .milliseconds(-1))
        world.table.handle(0, .domainMessageArrived(beta.node, .shown(before)))
        #expect(world.trusts(0, 2))
        let later = chain(world.bolt.now + .milliseconds(1))
        if way == 0 {
            world.table.handle(0, .domainMessageArrived(beta.node, .shown(later)))
        } else {
            world.table.parties[2].trust.domains.own = world.bolt.ruling(later, for: beta).value
            let ends = world.table.open(way == 1 ? 0 : 2, way == 1 ? 2 : 0, intent: .member)
            world.table.settle()
            let connection = way == 1 ? ends.0 : ends.1
            #expect(world.table.parties[0].closed[connection] == .some(.partnerRoleMissing))
        }
        #expect(!world.trusts(0, 2))
        #expect(world.table.parties[0].trust.domains.members[beta.node] == nil)
        #expect(world.table.parties[0].persisted.contains(.credentialGone(beta.node)))
    }

    @Test("nobody ends a node's trust by a credential that its domain did not sign")
    func forgedLater() {
        var world = PartnerTable(roles: [.member, .agree])
        world.accept(0, 2, roles: [.agree])
        world.accept(2, 0)
        world.meet(0, 2)
        let beta = world.table.parties[2].key
        let forged = CredentialChain(
            anchor: world.bolt.anchor.publicKey, issuer: nil,
            credential: world.bolt.credential(
                of: beta, by: world.crew.anchor, issued: world.bolt.now + .milliseconds(1)), authority: nil)
        world.table.handle(0, .domainMessageArrived(beta.node, .shown(forged)))
        #expect(world.trusts(0, 2))
    }

    // MARK: A home that was put back

    /// Alpha's home as it was before its last decision, which also holds.
    private func putBack() -> PartnerTable {
        var world = partners()
        let before = world.table.parties[0].trust
        #expect(world.table.order(0, .forget(world.bolt.domain)) == .done)
        world.table.carry()
        #expect(world.table.parties[1].trust.domains.partners.decided?.body.sequence == 2)
        var stored = StoredPartners()
        stored.decided = before.domains.partners.decided
        for bundle in before.domains.partners.bundles.values { stored.keep(bundle) }
        let credentials = before.domains.members.map { StoredCredential(node: $0.0, chain: $0.1.chain) }
        let book = DomainBook(
            home: before.domains.home, credentials: credentials, tokens: [],
            anchor: world.acme.anchor.publicKey, certificate: Octets([1]), partners: stored)
        world.table.parties[0] = Party(1, name: "alpha", pins: before.pins, domains: book, origin: .backup)
        world.table.parties[0].anchor = world.acme.anchor
        world.table.start(0)
        return world
    }

    @Test("a home that was put back decides nothing before it holds what a member holds")
    func unheard() throws {
        var world = putBack()
        let crew = PartnerOrder.accept(world.offer(of: 3), roles: nil)
        let refused = world.table.order(0, crew)?.refusal
        #expect(refused?.code == .domainUnheard)
        #expect(refused?.facts.map(\.value) == ["acme", "also", "0"])
        let (alpha, also) = (world.table.parties[0].node, world.table.parties[1].node)
        world.table.handle(1, .linkCameUp(alpha))
        for (node, message) in world.table.parties[1].papers where node == alpha {
            world.table.handle(0, .domainMessageArrived(also, message))
        }
        // It knows now that it misses one.
        #expect(world.table.order(0, crew)?.refusal?.facts.last?.value == "1")
        world.table.handle(0, .linkCameUp(also))
        world.table.carry()
        #expect(
            !world.table.parties[0].trust.domains.partners.partners.contains {
                $0.domain == world.bolt.domain
            })
        #expect(world.table.order(0, crew) == .done)
        let decided = try #require(world.table.parties[0].trust.domains.partners.decided?.body)
        #expect(decided.sequence == 3)
        #expect(decided.partners.map(\.domain) == [world.crew.domain])
    }

    @Test("a home that was put back decides at once where no other member is known")
    func alone() {
        let shop = DomainWorkshop(9_000)
        let book = shop.book(shop.chain(of: SimulatedKey(1)), anchor: true)
        var table = TrustTable(Party(1, name: "alpha", domains: book, origin: .backup))
        table.parties[0].anchor = shop.anchor
        table.start(0)
        #expect(table.order(0, .accept(DomainWorkshop(9_100).offer(), roles: nil)) == .done)
    }

    @Test("two decisions of one number stand in the audit, and only such as the anchor signed")
    func twins() {
        var world = partners()
        let also = world.table.parties[1].node
        let what = "two decisions of one number"
        let forged = world.acme.decision(1, [], issued: world.acme.now + .seconds(1), by: world.crew.anchor)
        world.table.handle(0, .domainMessageArrived(also, .paper(.partnerships(forged))))
        #expect(!world.table.domainEvents(0).contains(what))
        // One that counts, and one that does not.
        for (count, shift) in [(1, 1), (2, -1)] {
            let twin = world.acme.decision(1, [], issued: world.acme.now + .seconds(shift))
            world.table.handle(0, .domainMessageArrived(also, .paper(.partnerships(twin))))
            #expect(world.table.domainEvents(0).filter { $0 == what }.count == count)
        }
    }
}
