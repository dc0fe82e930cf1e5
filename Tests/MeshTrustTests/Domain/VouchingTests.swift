import MeshBase
import MeshSimulator
import Testing

@testable import MeshTrust

/// What members prove of others whom this node has not met.
@Suite("Members of whom others tell")
struct VouchingTests {
    private let shop = DomainWorkshop()
    private let stranger = SimulatedKey(50)

    /// Two members that met; the first is told of a third.
    private func table() -> TrustTable {
        var table = TrustTable(
            Party(member: 1, "alpha") { shop.book(shop.chain(of: $0)) },
            Party(member: 2, "beta") { shop.book(shop.chain(of: $0)) })
        for index in 0...1 { table.start(index) }
        table.open(0, 1, .peering, intent: .member)
        table.settle()
        return table
    }

    private func proof(_ holder: SimulatedKey, _ chain: CredentialChain? = nil) -> MemberProof {
        MemberProof(key: holder.publicKey, chain: chain ?? shop.chain(of: holder))
    }

    private func tell(_ table: inout TrustTable, _ proof: MemberProof) {
        table.handle(0, .memberProved(proof, by: table.parties[1].node))
    }

    private func isVouched(_ table: TrustTable, _ node: NodeID) -> Bool {
        let isHeld = table.parties[0].trust.domains.vouched[node] != nil
        #expect(isHeld == (table.parties[0].vouched[node] ?? nil != nil))
        #expect(isHeld == (table.parties[0].trust.proof(of: node) != nil))
        return isHeld
    }

    @Test("count by their domain's word, and are no peers")
    func counts() {
        var table = table()
        #expect(table.parties[0].trust.pins.isTrusted(table.parties[1].node))
        tell(&table, proof(stranger))
        #expect(isVouched(table, stranger.node))
        #expect(table.parties[0].trust.pins[stranger.node] == nil)
        #expect(table.parties[0].trust.proof(of: stranger.node) == proof(stranger))
    }

    @Test("count for nothing by another's word, under another key, after their time, or in another domain")
    func worthless() {
        let other = DomainWorkshop(9_500)
        let forged = CredentialChain(
            anchor: shop.anchor.publicKey, issuer: nil,
            credential: shop.credential(of: stranger, by: stranger),
            authority: nil)
        let lapsed = CredentialChain(
            anchor: shop.anchor.publicKey, issuer: nil,
            credential: shop.credential(of: stranger, issued: shop.now + .seconds(-100), life: .seconds(50)),
            authority: nil)
        let early = CredentialChain(
            anchor: shop.anchor.publicKey, issuer: nil,
            credential: shop.credential(of: stranger, issued: shop.now + .seconds(3_600)), authority: nil)
        for wrong in [
            proof(stranger, forged), proof(stranger, lapsed), proof(stranger, early),
            proof(stranger, other.chain(of: stranger)), proof(SimulatedKey(51), shop.chain(of: stranger)),
        ] {
            var table = table()
            tell(&table, wrong)
            #expect(!isVouched(table, stranger.node) && !isVouched(table, SimulatedKey(51).node))
        }
    }

    @Test("are named by their own first key, whatever an issuer says: none can speak against another")
    func namedByKey() {
        let other = SimulatedKey(51)
        let credential = shop.anchor.sign(
            Credential(
                domain: shop.domain, node: stranger.node,
                pin: SimulatedSuite().pin(of: other.publicKey), roles: .member, issued: shop.now,
                until: shop.now + Limits.credentialLife))
        let chain = CredentialChain(
            anchor: shop.anchor.publicKey, issuer: nil, credential: credential, authority: nil)
        var table = table()
        tell(&table, MemberProof(key: other.publicKey, chain: chain))
        #expect(!isVouched(table, stranger.node))
        tell(&table, proof(stranger))
        #expect(isVouched(table, stranger.node))
    }

    @Test("whose proof is longer than a proof are not believed, for it must travel beside a head")
    func padded() {
        let body = shop.credential(of: stranger).body
        let payload = Octets(SimulatedSuite().encoded(body) + [UInt8](repeating: 32, count: 6 * 1_024))
        let request = SigningRequest(ticket: Ticket(0), kind: .credential, payload: payload)
        let long = Signed(body: body, payload: payload, signatures: [shop.anchor.sign(request)])
        #expect(long.isSigned(by: shop.anchor.publicKey, using: SimulatedSuite()))
        let chain = CredentialChain(
            anchor: shop.anchor.publicKey, issuer: nil, credential: long, authority: nil)
        var table = table()
        tell(&table, proof(stranger, chain))
        #expect(!isVouched(table, stranger.node))
    }

    @Test("count only where a trusted member tells of them")
    func teller() {
        var table = table()
        table.handle(0, .memberProved(proof(stranger), by: SimulatedKey(77).node))
        #expect(!isVouched(table, stranger.node))
        table.handle(0, .contradicted(table.parties[1].node, evidence: "two heads"))
        tell(&table, proof(stranger))
        #expect(!isVouched(table, stranger.node))
    }

    @Test("are forgotten when their credential ends, and when this node leaves the domain")
    func ends() {
        var table = table()
        tell(&table, proof(stranger, shop.chain(of: stranger, life: .seconds(30))))
        #expect(isVouched(table, stranger.node))
        table.pass(.seconds(31))
        #expect(!isVouched(table, stranger.node))
        tell(&table, proof(stranger))
        #expect(isVouched(table, stranger.node))
        table.pass(Limits.credentialLife)
        #expect(!isVouched(table, stranger.node))
    }

    /// Members, of whom the first two have met.
    private func three() -> TrustTable {
        var table = TrustTable(
            Party(member: 1, "alpha") { shop.book(shop.chain(of: $0)) },
            Party(member: 2, "beta") { shop.book(shop.chain(of: $0)) },
            Party(member: 3, "gamma") { shop.book(shop.chain(of: $0)) })
        for index in 0...2 { table.start(index) }
        table.open(0, 1, .peering, intent: .member)
        table.settle()
        return table
    }

    @Test("are peers once they are met, and vouched for no more")
    func met() {
        var table = three()
        let gamma = table.parties[2].node
        tell(&table, proof(SimulatedKey(3)))
        #expect(isVouched(table, gamma))
        table.open(0, 2, .peering, intent: .member)
        table.settle()
        #expect(table.parties[0].trust.pins.isTrusted(gamma))
        #expect(table.parties[0].trust.domains.vouched[gamma] == nil)
        // And who is barred here is not let in again by what others say.
        table.handle(0, .contradicted(gamma, evidence: "two heads"))
        let later = CredentialChain(
            anchor: shop.anchor.publicKey, issuer: nil,
            credential: shop.credential(of: SimulatedKey(3), issued: shop.now + .seconds(1)), authority: nil)
        tell(&table, proof(SimulatedKey(3), later))
        #expect(table.parties[0].trust.domains.vouched[gamma] == nil)
        #expect(table.parties[0].trust.proof(of: gamma) == nil)
    }

    @Test("that said two things are nobody, whoever vouches for them, and are refused when they come")
    func convicted() {
        var table = three()
        let gamma = table.parties[2].node
        tell(&table, proof(SimulatedKey(3)))
        table.handle(0, .contradicted(gamma, evidence: "two heads"))
        tell(&table, proof(SimulatedKey(3)))
        #expect(!isVouched(table, gamma))
        table.open(0, 2, .peering, intent: .member)
        table.settle()
        #expect(!table.parties[0].trust.pins.isTrusted(gamma))
    }

    /// What the first party kept, as its store would hold it.
    private func convictionsKept(by table: TrustTable) -> [Conviction] {
        var kept = OrderedTable<NodeID, Conviction>()
        for change in table.parties[0].persisted {
            if case .conviction(let conviction) = change { kept[conviction.node] = conviction }
            if case .convictionGone(let node) = change { kept[node] = nil }
        }
        return kept.values
    }

    /// The first party starts anew with what it kept, and hears of the third before it is met.
    private func restart(_ table: inout TrustTable) {
        let kept = convictionsKept(by: table)
        table.parties[0] = Party(member: 1, "alpha") { key in
            DomainBook(
                home: HomeDomain(domain: shop.domain, label: NodeName("acme")!, chain: shop.chain(of: key)),
                credentials: [], tokens: [], anchor: nil, convictions: kept)
        }
        table.start(0)
        table.open(0, 1, .peering, intent: .member)
        table.settle()
        tell(&table, proof(SimulatedKey(3)))
    }

    @Test("that said two things are nobody after a restart too, until the operator ends it")
    func convictedForGood() {
        var table = three()
        let gamma = table.parties[2].node
        tell(&table, proof(SimulatedKey(3)))
        table.handle(0, .contradicted(gamma, evidence: "two heads"))
        #expect(
            convictionsKept(by: table) == [
                Conviction(node: gamma, evidence: "two heads", since: table.now.wall)
            ])
        restart(&table)
        #expect(!isVouched(table, gamma))
        table.open(0, 2, .peering, intent: .member)
        table.settle()
        #expect(!table.parties[0].trust.pins.isTrusted(gamma))

        table.handle(0, .decided(Ticket(1), gamma, .revoke, note: "no peer to revoke"))
        #expect(table.parties[0].answers[Ticket(1)] != .done)
        table.handle(0, .decided(Ticket(2), gamma, .suspend, note: "it is already"))
        #expect(table.parties[0].answers[Ticket(2)] == .done)
        #expect(table.parties[0].trust.domains.convictions[gamma] != nil)
        table.handle(0, .decided(Ticket(3), gamma, .resume, note: "its disk was copied"))
        #expect(table.parties[0].answers[Ticket(3)] == .done)
        restart(&table)
        #expect(isVouched(table, gamma))
        table.handle(0, .decided(Ticket(4), gamma, .forget, note: "nobody was caught"))
        #expect(table.parties[0].answers[Ticket(4)] != .done)
    }

    @Test("are 4 096 at most among the convicted, of whom the oldest makes room")
    func convictedBound() {
        var table = table()
        let others = (0..<Limits.peers).map { SimulatedKey(UInt64(10_000 + $0)).node }
        for (index, node) in others.enumerated() {
            table.parties[0].trust.domains.convictions[node] = Conviction(
                node: node, evidence: "two heads", since: table.now.wall + .seconds(index == 5 ? -1 : 1))
        }
        tell(&table, proof(stranger))
        table.handle(0, .contradicted(stranger.node, evidence: "two heads"))
        #expect(table.parties[0].trust.domains.convictions.count == Limits.peers)
        #expect(table.parties[0].trust.domains.convictions[stranger.node] != nil)
        #expect(table.parties[0].trust.domains.convictions[others[5]] == nil)
        #expect(table.parties[0].persisted.contains(.convictionGone(others[5])))
    }

    @Test("that a trusted peer is given a later credential is believed of others, and an earlier one is not")
    func later() {
        var table = table()
        let beta = SimulatedKey(2)
        func chain(_ issued: WallTime) -> CredentialChain {
            CredentialChain(
                anchor: shop.anchor.publicKey, issuer: nil,
                credential: shop.credential(of: beta, issued: issued), authority: nil)
        }
        let next = chain(shop.now + .seconds(60))
        tell(&table, proof(beta, next))
        #expect(table.parties[0].trust.domains.members[beta.node]?.chain == next)
        tell(&table, proof(beta, chain(shop.now + .seconds(30))))
        #expect(table.parties[0].trust.domains.members[beta.node]?.chain == next)
    }

    @Test("cost no more than two hundred checks a second of who tells of them")
    func bounds() {
        var table = table()
        for number in 0..<200 { tell(&table, proof(SimulatedKey(UInt64(1_000 + number)))) }
        #expect(table.parties[0].trust.domains.vouched.count == Limits.signatureChecksPerSecond / 3)
        table.pass(.seconds(1))
        for number in 0..<200 { tell(&table, proof(SimulatedKey(UInt64(2_000 + number)))) }
        #expect(table.parties[0].trust.domains.vouched.count == Limits.signatureChecksPerSecond / 3 * 2)
    }
}
