import MeshBase
import MeshSimulator
import Testing

@testable import MeshTrust

@Suite("Enrolment")
struct EnrolmentTests {
    private let shop = DomainWorkshop()
    private let tokenKey = SimulatedKey(8_000)

    /// An issuer and newcomers.
    private func table(anchorAtHand: Bool = false, _ newcomers: Int = 1) -> TrustTable {
        var table = TrustTable(
            Party(member: 1, "issuer") { shop.book(shop.issuerChain(of: $0), anchor: anchorAtHand) },
            Party(2, name: "newcomer"), Party(3, name: "second"))
        if anchorAtHand { table.parties[0].anchor = shop.anchor }
        for index in 0...2 { table.start(index) }
        return table
    }

    @Test("a newcomer with a token is a member, trusts its issuer and is trusted by it")
    func enrols() throws {
        var table = table()
        let token = shop.token(tokenKey, roles: [.member, .agree])
        let (mine, theirs) = table.enrol(1, at: 0, token, tokenKey)
        let own = try #require(table.parties[1].trust.domains.own)
        #expect(own.membership.domain == shop.domain)
        #expect(own.membership.roles == [.agree, .member])
        #expect(own.membership.until == table.now.wall + Limits.credentialLife)
        #expect(table.parties[1].memberships[table.parties[1].node]??.roles == [.agree, .member])
        #expect(table.parties[1].trust.pins[table.parties[0].node]?.evidence.kind == .domain)
        #expect(table.parties[1].memberships[table.parties[0].node]??.holds(.issue) == true)
        let peer = try #require(table.parties[0].trust.pins[table.parties[1].node])
        #expect(peer.state == .trusted)
        #expect(peer.domain == shop.domain)
        #expect(table.parties[0].memberships[table.parties[1].node]??.roles == [.agree, .member])
        #expect(table.parties[1].proved[mine] == table.parties[0].node)
        #expect(table.parties[1].closed[mine] == .some(nil))
        #expect(table.parties[0].closed[theirs] == .some(nil))
        #expect(table.parties[1].seeking == .members)
        #expect(table.parties[1].trust.enrolment == nil)
    }

    @Test("the use of a token is durable before the credential leaves")
    func durable() throws {
        var table = table()
        table.holdsSignatures = true
        table.enrol(1, at: 0, shop.token(tokenKey), tokenKey)
        // The newcomer's two signatures, then the issuer's for the credential.
        for _ in 0..<2 {
            table.signOnce()
            table.settle()
        }
        let uses = table.parties[0].persisted.compactMap { change -> [Pin]? in
            if case .tokenUse(let use) = change { use.usedBy } else { nil }
        }
        #expect(uses == [[SimulatedSuite().pin(of: table.parties[1].key.publicKey)]])
        #expect(table.awaitingSignature.first?.1.kind == .credential)
        #expect(!table.hasSentAccept(0))
    }

    @Test("the same key may repeat under a token, and another finds it used up")
    func uses() {
        var table = table()
        let token = shop.token(tokenKey, uses: 1)
        table.enrol(1, at: 0, token, tokenKey)
        // The answer was lost: the newcomer begins anew.
        table.parties[1].trust.domains = DomainBook()
        table.parties[1].trust.pins = PinBook()
        table.enrol(1, at: 0, token, tokenKey)
        #expect(table.parties[1].trust.domains.own != nil)
        table.enrol(2, at: 0, token, tokenKey)
        #expect(table.refusals(0) == [.tokenUsed])
        #expect(table.denials(2) == [.tokenUsed])
        #expect(table.parties[2].trust.domains.home == nil)
        #expect(table.parties[2].trust.pins.peers.isEmpty)
        #expect(table.parties[0].trust.pins[table.parties[2].node] == nil)
    }

    @Test("a used-up token stays used up across a restart of its issuer")
    func usesRestored() {
        var table = table()
        let token = shop.token(tokenKey, uses: 1)
        let first = SimulatedSuite().pin(of: SimulatedKey(55).publicKey)
        let use = TokenUse(
            token: SimulatedSuite().pin(of: tokenKey.publicKey), until: token.record.body.until,
            usedBy: [first])
        table.parties[0] = Party(member: 1, "issuer") { shop.book(shop.issuerChain(of: $0), uses: [use]) }
        table.start(0)
        table.enrol(1, at: 0, token, tokenKey)
        #expect(table.refusals(0) == [.tokenUsed])
    }

    @Test("a token serves 1 024 keys at most, whatever its record says, and 256 tokens are remembered")
    func tokenBounds() {
        let book = shop.book(
            shop.issuerChain(of: SimulatedKey(1)),
            uses: (0..<UInt64(Limits.tokensRemembered - 1)).map {
                TokenUse(
                    token: SimulatedSuite().pin(of: SimulatedKey(20_000 + $0).publicKey),
                    until: shop.now + .seconds(9), usedBy: [])
            })
        for extra in [UInt64(0), 1] {
            var full = book
            if extra == 1 {
                let pin = SimulatedSuite().pin(of: SimulatedKey(30_000).publicKey)
                full.tokens[pin] = TokenUse(token: pin, until: shop.now + .seconds(9), usedBy: [])
            }
            let ruling = full.use(
                of: shop.token(tokenKey).record.body, by: SimulatedSuite().pin(of: tokenKey.publicKey),
                using: SimulatedSuite())
            #expect(ruling.refusal?.code == (extra == 1 ? .limitReached : nil))
        }
        for (uses, code) in [(Limits.tokenUses, RefusalCode?.none), (Limits.tokenUses + 1, .tokenInvalid)] {
            var table = table()
            table.enrol(1, at: 0, shop.token(tokenKey, uses: uses), tokenKey)
            #expect(table.refusals(0).first == code)
        }
    }

    @Test("a token that is over is refused by who holds it, and by an issuer whose clock says so")
    func expired() {
        var table = table()
        let over = shop.token(tokenKey, life: .milliseconds(0))
        table.parties[1].token = tokenKey
        table.handle(1, .enrolmentOrdered(over))
        #expect(table.parties[1].seeking == .nobody)
        let refused = table.parties[1].events.contains { event in
            if case .enrolmentRefused(let refusal) = event { refusal.code == .tokenExpired } else { false }
        }
        #expect(refused)
        table.open(1, 0, .pairing, intent: DialIntent(token: over))
        table.settle()
        #expect(table.refusals(0) == [.tokenExpired])
        #expect(table.denials(1) == [.tokenExpired])
        #expect(table.parties[1].trust.domains.home == nil)
        #expect(table.parties[0].persisted.isEmpty)
    }

    @Test("a token of another domain opens nothing: its tag is none that is known here")
    func foreign() {
        var table = table()
        let other = DomainWorkshop(9_500)
        table.enrol(1, at: 0, other.token(tokenKey), tokenKey)
        #expect(table.refusals(0) == [.domainUnknown])
        #expect(table.denials(1) == [.handshakeRefused])
    }

    @Test("a record of another domain, or that the anchor did not sign, is worth nothing under the right tag")
    func forgedRecord() {
        let other = DomainWorkshop(9_500)
        let outcomes = [
            JoinToken(record: other.token(tokenKey).record, domain: shop.domain),
            shop.token(tokenKey, by: SimulatedKey(66)),
        ].map { token in
            var table = table()
            table.parties[1].token = tokenKey
            table.open(1, 0, .pairing, intent: DialIntent(token: token))
            table.settle()
            #expect(table.parties[0].persisted.isEmpty)
            #expect(table.denials(1) == table.refusals(0))
            return table.refusals(0)
        }
        #expect(outcomes == [[.tokenForeign], [.tokenInvalid]])
    }

    @Test("who has the record of a token and not its key is refused")
    func stolenRecord() {
        var table = table()
        table.enrol(1, at: 0, shop.token(tokenKey), SimulatedKey(8_001))
        #expect(table.refusals(0) == [.tokenInvalid])
        #expect(table.parties[0].persisted.isEmpty)
    }

    @Test("a proof by the token's key over another handshake is refused")
    func replayedProof() {
        var table = table()
        table.parties[1].token = tokenKey
        let token = shop.token(tokenKey)
        let (_, theirs) = table.open(1, 0, .pairing, intent: DialIntent(token: token))
        table.deliver()
        table.deliver()
        guard case .finish(let finish) = table.wire.removeFirst().2 else {
            Issue.record("no finish")
            return
        }
        let old = tokenKey.sign(TokenProof(transcript: table.freshNonce()))
        let replay = InitiatorFinish(
            secretProof: nil, proof: finish.proof,
            token: TokenPresentation(record: token.record, proof: old))
        table.handle(0, .messageArrived(theirs, .finish(replay)))
        #expect(table.refusals(0) == [.tokenInvalid])
    }

    @Test("the newcomer goes on only with a member of its token's domain")
    func impostor() {
        let other = DomainWorkshop(9_500)
        var table = table()
        table.parties[1].token = tokenKey
        let token = shop.token(tokenKey)
        let (mine, _) = table.open(1, 0, .pairing, intent: DialIntent(token: token))
        table.deliver()
        guard case .answer(let answer) = table.wire.removeFirst().2 else {
            Issue.record("no answer")
            return
        }
        for chain in [nil, other.chain(of: table.parties[0].key), shop.chain(of: SimulatedKey(44))] {
            var copy = table
            let forged = ResponderHello(hello: answer.hello, proof: nil, chain: chain)
            copy.handle(1, .messageArrived(mine, .answer(forged)))
            #expect(copy.refusals(1).count == 1)
            #expect(!copy.hasSentFinish(1))
        }
        // What it says is gone: the first of them said nothing of itself.
        let bare = ResponderHello(hello: answer.hello, proof: nil)
        table.handle(1, .messageArrived(mine, .answer(bare)))
        #expect(table.refusals(1) == [.credentialMissing])
    }

    @Test("a member that may not issue names who may")
    func referral() {
        let issuer = SimulatedKey(7)
        var table = TrustTable(
            Party(member: 1, "member") { shop.book(shop.chain(of: $0)) }, Party(2, name: "newcomer"),
            Party(member: 7, "issuer") { shop.book(shop.issuerChain(of: $0)) })
        for index in 0...2 { table.start(index) }
        table.open(0, 2, intent: .member)
        table.settle()
        // Its door is open for an invite.
        table.handle(
            0,
            .inviteRequested(
                table.ticket(), secret: TrustTable.secret, life: .seconds(60), confirmation: .none)
        )
        table.enrol(1, at: 0, shop.token(tokenKey), tokenKey)
        #expect(table.parties[0].referrals == [[issuer.node]])
        #expect(table.parties[1].referredTo == [TrustTable.place])
        #expect(table.parties[1].trust.domains.home == nil)
        #expect(table.parties[1].seeking == .issuer)
    }

    @Test("a door stands open at issuers, and at other members only for an invite")
    func door() {
        var table = TrustTable(
            Party(member: 1, "issuer") { shop.book(shop.issuerChain(of: $0)) },
            Party(member: 2, "member") { shop.book(shop.chain(of: $0)) })
        table.start(0)
        table.start(1)
        #expect(table.parties[0].windows.last == .open)
        #expect(table.parties[1].windows.last == .closed)
        table.handle(
            0,
            .inviteRequested(
                table.ticket(), secret: TrustTable.secret, life: .seconds(60), confirmation: .none)
        )
        table.pass(.seconds(61))
        #expect(table.parties[0].windows.last == .open)
    }

    @Test("only where the anchor is does a token make issuers, and these then issue by themselves")
    func secondIssuer() throws {
        let token = shop.token(tokenKey, roles: [.member, .issue, .agree])
        var without = table()
        without.enrol(1, at: 0, token, tokenKey)
        #expect(without.refusals(0) == [.roleNotGiven])
        #expect(without.denials(1) == [.roleNotGiven])
        var table = table(anchorAtHand: true)
        table.enrol(1, at: 0, token, tokenKey)
        #expect(table.parties[1].trust.domains.own?.membership.roles == [.agree, .issue, .member])
        #expect(table.parties[1].windows.last == .open)
        let next = SimulatedKey(8_100)
        table.enrol(2, at: 1, shop.token(next), next)
        #expect(table.parties[2].trust.domains.own?.membership.roles == [.member])
        #expect(
            table.parties[2].trust.domains.home?.chain.issuer?.body.node == table.parties[1].node)
    }

    @Test("roles beyond what the issuer may give are refused, and given where the anchor is")
    func rolesBeyond() {
        let token = shop.token(tokenKey, roles: [.member, .relay])
        var without = table()
        without.enrol(1, at: 0, token, tokenKey)
        #expect(without.refusals(0) == [.roleNotGiven])
        var table = table(anchorAtHand: true)
        table.enrol(1, at: 0, token, tokenKey)
        #expect(table.parties[1].trust.domains.own?.membership.roles == [.member, .relay])
    }

    @Test("the newcomer says yes to the house agreement that its issuer named, and to no other")
    func houseAgreement() {
        var table = table()
        let house = table.freshNonce()
        table.handle(0, .houseAgreementChanged(house))
        table.enrol(1, at: 0, shop.token(tokenKey), tokenKey)
        #expect(table.parties[1].trust.domains.own != nil)
        let requests = table.parties[1].sent.compactMap { message -> Digest? in
            if case .finish(let finish) = message { finish.proof.body.request?.houseAgreement } else { nil }
        }
        #expect(requests == [house])
        // It changes between answer and finish.
        table.parties[2].token = tokenKey
        let (_, theirs) = table.open(2, 0, .pairing, intent: DialIntent(token: shop.token(tokenKey, uses: 9)))
        table.deliver()
        table.deliver()
        guard case .finish(let finish) = table.wire.removeFirst().2 else {
            Issue.record("no finish")
            return
        }
        let other = table.parties[2].key.sign(
            InitiatorProof(
                transcript: finish.proof.body.transcript, grants: finish.proof.body.grants,
                request: EnrolmentRequest(houseAgreement: nil)))
        table.handle(
            0,
            .messageArrived(
                theirs, .finish(InitiatorFinish(secretProof: nil, proof: other, token: finish.token))))
        #expect(table.refusals(0) == [.handshakeMalformed])
    }

    @Test("a suspended or revoked key enrols no more")
    func barred() {
        for decision in [PeerDecision.suspend, .revoke] {
            var table = table()
            let token = shop.token(tokenKey)
            table.enrol(1, at: 0, token, tokenKey)
            table.handle(0, .decided(table.ticket(), table.parties[1].node, decision, note: "test"))
            table.parties[1].trust.domains = DomainBook()
            table.enrol(1, at: 0, token, tokenKey)
            #expect(table.refusals(0) == [decision == .suspend ? .peerSuspended : .peerRevoked])
        }
    }

    @Test("a member, or a node of another domain, does nothing by a token")
    func idle() {
        var table = table()
        table.handle(0, .enrolmentOrdered(shop.token(tokenKey)))
        #expect(table.parties[0].trust.enrolment == nil)
        let other = DomainWorkshop(9_500)
        var over = TrustTable(
            Party(member: 5, "old") { other.book(other.chain(of: $0, life: .milliseconds(0))) })
        over.start(0)
        over.handle(0, .enrolmentOrdered(shop.token(tokenKey)))
        let refused = over.parties[0].events.contains { event in
            if case .enrolmentRefused(let refusal) = event { refusal.code == .domainPresent } else { false }
        }
        #expect(refused)
    }
}
