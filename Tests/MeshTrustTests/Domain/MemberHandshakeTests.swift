import MeshBase
import MeshSimulator
import Testing

@testable import MeshTrust

@Suite("Members of one domain")
struct MemberHandshakeTests {
    private let shop = DomainWorkshop()

    /// Two members who never met.
    private func table(
        _ second: ((SimulatedKey) -> DomainBook)? = nil, life: Duration = Limits.credentialLife
    ) -> TrustTable {
        var table = TrustTable(
            Party(member: 1, "alpha") { shop.book(shop.chain(of: $0, life: life)) },
            Party(member: 2, "beta", second ?? { shop.book(shop.chain(of: $0, life: life)) }))
        table.start(0)
        table.start(1)
        return table
    }

    @Test("who never met trust each other by one handshake, and both know what the other is")
    func meet() throws {
        var table = table()
        let (mine, theirs) = table.open(0, 1, intent: .member)
        table.settle()
        #expect(table.parties[0].admitted[mine]?.membership?.domain == shop.domain)
        #expect(table.parties[1].admitted[theirs]?.membership?.domain == shop.domain)
        let peer = try #require(table.parties[1].trust.pins[table.parties[0].node])
        #expect(peer.state == .trusted)
        #expect(peer.evidence.kind == .domain)
        #expect(peer.domain == shop.domain)
        #expect(peer.evidence.transcript == table.parties[0].admitted[mine]?.transcript)
        #expect(table.parties[0].memberships[table.parties[1].node]??.roles == [.member])
        #expect(table.parties[1].memberships[table.parties[0].node]??.roles == [.member])
    }

    @Test("the first message carries no credential, and the answer one only for who knows the anchor")
    func exposure() {
        var table = table()
        table.open(0, 1, intent: .member)
        guard case .hello(let hello) = table.wire.first?.2 else {
            Issue.record("no hello")
            return
        }
        #expect(hello.anchors?.count == 1)
        #expect(hello.anchors?.first != shop.domain.digest)
        table.deliver()
        guard case .answer(let answer) = table.wire.first?.2 else {
            Issue.record("no answer")
            return
        }
        #expect(answer.chain != nil)
        // Once more, by a stranger who guesses tags.
        table.wire = []
        var guess = hello
        guess = InitiatorHello(
            hello: hello.hello, invite: nil, anchors: (0..<16).map { _ in table.freshNonce() })
        let (_, end) = table.connect(0, 1)
        table.handle(
            1, .connectionSecured(end, table.secured(1, to: 0, .responder, .peering), intent: nil))
        table.handle(1, .messageArrived(end, .hello(guess)))
        #expect(table.refusals(1).last == .peerUnknown)
        guard case .deny(let denial) = table.wire.last?.2 else {
            Issue.record("no denial")
            return
        }
        #expect(denial.code == .handshakeRefused)
        #expect(denial.facts.isEmpty)
    }

    @Test("sixteen tags are looked at, and a hello with one more is malformed")
    func tagBound() {
        var table = table()
        table.open(0, 1, intent: .member)
        guard case .hello(let hello) = table.wire.removeFirst().2 else {
            Issue.record("no hello")
            return
        }
        for count in [15, 16] {
            let tags = (0..<count).map { _ in table.freshNonce() } + (hello.anchors ?? [])
            let many = InitiatorHello(hello: hello.hello, invite: nil, anchors: tags)
            let (_, end) = table.connect(0, 1)
            table.handle(
                1, .connectionSecured(end, table.secured(1, to: 0, .responder, .peering), intent: nil))
            table.handle(1, .messageArrived(end, .hello(many)))
            #expect(table.refusals(1) == (count == 15 ? [] : [.handshakeMalformed]))
        }
    }

    @Test("a member of another domain is nobody")
    func otherDomain() {
        let other = DomainWorkshop(9_500)
        var table = table { other.book(other.chain(of: $0)) }
        table.open(0, 1, intent: .member)
        table.settle()
        #expect(table.refusals(1) == [.peerUnknown])
        #expect(table.parties[0].trust.pins.peers.isEmpty && table.parties[1].trust.pins.peers.isEmpty)
    }

    @Test("a responder without a credential gets neither trust nor the dialler's credential")
    func responderShowsNothing() {
        var table = table()
        let (mine, theirs) = table.open(0, 1, intent: .member)
        table.deliver()
        guard case .answer(let answer) = table.wire.removeFirst().2 else {
            Issue.record("no answer")
            return
        }
        _ = theirs
        let bare = ResponderHello(hello: answer.hello, proof: answer.proof)
        table.handle(0, .messageArrived(mine, .answer(bare)))
        #expect(table.refusals(0) == [.peerUnknown])
        #expect(!table.hasSentFinish(0))
    }

    @Test("a credential that somebody else's key is shown with is refused by the responder")
    func stolenCredential() throws {
        // Beta knows the domain, holds alpha's credential, and not alpha's key.
        var table = table { key in
            _ = key
            return shop.book(shop.chain(of: SimulatedKey(1)))
        }
        // What does not prove its holder is not shown: it is no membership of beta's own.
        #expect(table.parties[1].trust.domains.own == nil)
        table.open(1, 0, intent: .member)
        table.settle()
        #expect(table.refusals(0) == [.peerUnknown])
        // Beta shows it all the same, in a finish of its own making.
        let honest = shop.chain(of: table.parties[1].key)
        var second = TrustTable(
            Party(member: 1, "alpha") { shop.book(shop.chain(of: $0)) },
            Party(member: 2, "beta") { _ in shop.book(honest) })
        second.start(0)
        second.start(1)
        let (mine, theirs) = second.open(1, 0, intent: .member)
        second.deliver()
        second.deliver()
        guard case .finish(let finish) = second.wire.removeFirst().2 else {
            Issue.record("no finish")
            return
        }
        _ = mine
        let stolen = shop.chain(of: SimulatedKey(3))
        let proof = second.parties[1].key.sign(
            InitiatorProof(
                transcript: finish.proof.body.transcript, grants: finish.proof.body.grants,
                chain: stolen.digest(using: SimulatedSuite())))
        second.handle(
            0,
            .messageArrived(theirs, .finish(InitiatorFinish(secretProof: nil, proof: proof, chain: stolen))))
        #expect(second.refusals(0) == [.credentialInvalid])
        #expect(second.parties[0].trust.pins.peers.isEmpty)
    }

    @Test("a credential that was put beside a finish for another one fits no signature")
    func swappedCredential() {
        var table = table()
        let (_, theirs) = table.open(0, 1, intent: .member)
        table.deliver()
        table.deliver()
        guard case .finish(let finish) = table.wire.removeFirst().2 else {
            Issue.record("no finish")
            return
        }
        let other = shop.chain(of: table.parties[0].key, roles: [.member, .agree])
        let swapped = InitiatorFinish(secretProof: nil, proof: finish.proof, chain: other)
        table.handle(1, .messageArrived(theirs, .finish(swapped)))
        #expect(table.refusals(1) == [.proofInvalid])
        let bare = InitiatorFinish(secretProof: nil, proof: finish.proof, chain: nil)
        let (_, again) = table.open(0, 1, intent: .member)
        table.deliver()
        table.deliver()
        table.handle(1, .messageArrived(again, .finish(bare)))
        #expect(table.refusals(1).last == .proofInvalid)
    }

    @Test("a credential that ends while the answer is under way makes no trust")
    func expired() {
        var table = table(life: .seconds(3))
        table.open(0, 1, intent: .member)
        table.deliver()
        table.pass(.seconds(4))
        table.settle()
        #expect(table.refusals(0) == [.credentialExpired])
        #expect(table.parties[0].trust.pins.peers.isEmpty)
    }

    @Test("when a credential ends, so does the trust that rests on it, and a later one brings it back")
    func lapse() throws {
        var table = table(life: .seconds(3_600))
        let (mine, _) = table.open(0, 1, intent: .member)
        table.settle()
        #expect(table.parties[0].admitted[mine] != nil)
        let beta = table.parties[1].node
        for _ in 0..<61 { table.pass(.seconds(60)) }
        let peer = try #require(table.parties[0].trust.pins[beta])
        #expect(peer.state == .verified)
        #expect(peer.evidence.kind == .domain)
        #expect(table.parties[0].standings.last == .verified)
        #expect(table.parties[0].memberships[beta] == .some(nil))
        #expect(table.parties[0].memberships[table.parties[0].node] == .some(nil))
        #expect(table.parties[0].seeking == .nobody)
        // Both renewed elsewhere.
        var late = shop
        late.now = table.now.wall
        for index in 0...1 {
            let chain = late.chain(of: table.parties[index].key)
            var outbox = Outbox<TrustEffect>()
            table.parties[index].trust.adopt(
                HomeDomain(domain: shop.domain, label: NodeName("acme")!, chain: chain), at: table.now,
                into: &outbox)
            table.take(index, outbox.drain())
        }
        table.open(0, 1, intent: .member)
        table.settle()
        #expect(table.parties[0].trust.pins.isTrusted(beta))
        #expect(table.parties[0].trust.pins[beta]?.name == peer.name)
    }

    @Test("trust that two operators made outlives the credential")
    func pairedToo() {
        var table = table(life: .seconds(3_600))
        table.makeTrust()
        table.open(0, 1)
        table.settle()
        let beta = table.parties[1].node
        #expect(table.parties[0].memberships[beta]??.domain == shop.domain)
        #expect(table.parties[0].trust.pins[beta]?.domain == nil)
        for _ in 0..<61 { table.pass(.seconds(60)) }
        #expect(table.parties[0].memberships[beta] == .some(nil))
        #expect(table.parties[0].trust.pins.isTrusted(beta))
    }

    @Test("a credential lifts nobody over a suspension or a revocation")
    func obstaclesStay() {
        for decision in [PeerDecision.suspend, .revoke] {
            var table = table()
            table.open(0, 1, intent: .member)
            table.settle()
            let alpha = table.parties[0].node
            table.handle(1, .decided(table.ticket(), alpha, decision, note: "test"))
            #expect(table.parties[1].memberships[alpha] == .some(nil))
            table.open(0, 1, intent: .member)
            table.settle()
            #expect(table.refusals(1) == [decision == .suspend ? .peerSuspended : .peerRevoked])
            #expect(!table.parties[1].trust.pins.isTrusted(alpha))
        }
    }

    @Test("a suspended member is trusted again by its operator, as long as its credential counts")
    func resumed() {
        var table = table(life: .seconds(3_600))
        table.open(0, 1, intent: .member)
        table.settle()
        let alpha = table.parties[0].node
        table.handle(1, .decided(table.ticket(), alpha, .suspend, note: "test"))
        table.handle(1, .decided(table.ticket(), alpha, .resume, note: "test"))
        #expect(table.parties[1].trust.pins.isTrusted(alpha))
        #expect(table.parties[1].memberships[alpha]??.domain == shop.domain)
        table.handle(1, .decided(table.ticket(), alpha, .suspend, note: "test"))
        for _ in 0..<61 { table.pass(.seconds(60)) }
        table.handle(1, .decided(table.ticket(), alpha, .resume, note: "test"))
        #expect(table.parties[1].trust.pins[alpha]?.state == .verified)
    }

    @Test("members of a revoked issuer lose their trust with it, in the same turn")
    func revokedIssuer() {
        let issuer = SimulatedKey(7)
        let certificate = shop.certificate(of: issuer)
        var table = TrustTable(
            Party(member: 1, "alpha") { shop.book(shop.chain(of: $0)) },
            Party(member: 2, "beta") { shop.book(shop.chain(of: $0, under: certificate, by: issuer)) },
            Party(member: 7, "gamma") { shop.book(shop.issuerChain(of: $0)) })
        for index in 0...2 { table.start(index) }
        table.open(0, 1, intent: .member)
        table.open(0, 2, intent: .member)
        table.settle()
        #expect(table.parties[0].trust.pins.isTrusted(table.parties[1].node))
        table.handle(0, .decided(table.ticket(), issuer.node, .revoke, note: "test"))
        #expect(table.parties[0].trust.pins[table.parties[1].node]?.state == .verified)
    }

    @Test("what was stored is judged anew at start: what is over trusts nobody")
    func restart() {
        var table = table(life: .seconds(3_600))
        table.open(0, 1, intent: .member)
        table.settle()
        let beta = table.parties[1].node
        for isLate in [false, true] {
            let stored = table.parties[0].persisted.compactMap { change -> StoredCredential? in
                if case .credential(let credential) = change { credential } else { nil }
            }
            let key = table.parties[0].key
            var again = TrustTable(
                Party(
                    1, name: "alpha", boot: 2,
                    pins: PinBook(peers: table.parties[0].trust.pins.peers.values, revokedPins: []),
                    domains: DomainBook(
                        home: HomeDomain(
                            domain: shop.domain, label: NodeName("acme")!,
                            chain: shop.chain(of: key, life: .seconds(3_600))), credentials: stored,
                        tokens: [], anchor: nil)))
            if isLate {
                again.now = Moment(instant: again.now.instant, wall: again.now.wall + .seconds(3_600))
            }
            again.start(0)
            #expect(again.parties[0].trust.pins.isTrusted(beta) == !isLate)
            #expect((again.parties[0].memberships[beta]??.domain == shop.domain) == !isLate)
        }
    }

    @Test("a member is sought among strangers for as long as this node is one itself")
    func seeking() {
        let table = table()
        #expect(table.parties[0].seeking == .members)
        #expect(table.parties[0].trust.intentTowardStrangers == .member)
    }
}
