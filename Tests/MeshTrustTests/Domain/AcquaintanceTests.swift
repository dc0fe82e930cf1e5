import MeshBase
import MeshSimulator
import Testing

@testable import MeshTrust

/// Who trusts each other already, and learns that both are in one domain.
@Suite("Members among those who are trusted already")
struct AcquaintanceTests {
    private let shop = DomainWorkshop()
    private let key = SimulatedKey(9_001)

    /// An issuer, and two that trust each other by an invite and are in no domain.
    private func pair() -> TrustTable {
        var table = TrustTable(
            Party(1, name: "alpha"), Party(2, name: "beta"),
            Party(member: 3, "issuer") { shop.book(shop.issuerChain(of: $0), anchor: true) })
        table.parties[2].anchor = shop.anchor
        for index in 0...2 { table.start(index) }
        table.makeTrust()
        return table
    }

    /// Carries what the first two tell one another over their link. How much that was.
    @discardableResult
    private func carry(_ table: inout TrustTable) -> Int {
        var count = 0
        while true {
            let waiting = [0, 1].map { table.parties[$0].told }
            let isQuiet = waiting.allSatisfy { $0.isEmpty }
            guard !isQuiet else { return count }
            for index in 0...1 { table.parties[index].told = [] }
            for index in 0...1 {
                for (node, message) in waiting[index] where node == table.parties[1 - index].node {
                    count += 1
                    table.handle(1 - index, .domainMessageArrived(table.parties[index].node, message))
                }
            }
        }
    }

    private func knows(_ table: TrustTable, _ one: Int, _ other: Int) -> Bool {
        table.parties[one].trust.domains.members[table.parties[other].node]?.membership.domain == shop.domain
            && table.parties[one].memberships[table.parties[other].node]??.domain == shop.domain
    }

    @Test("two who paired before either enrolled know each other as members at once")
    func both() {
        var table = pair()
        table.enrol(0, at: 2, shop.token(key, uses: 2), key)
        carry(&table)
        #expect(!knows(table, 0, 1) && !knows(table, 1, 0))
        table.enrol(1, at: 2, shop.token(key, uses: 2), key)
        #expect(carry(&table) < 6)
        #expect(knows(table, 0, 1) && knows(table, 1, 0))
        #expect(table.parties[0].trust.pins[table.parties[1].node]?.domain == nil)
    }

    @Test("who enrolled while a handshake was under way is found when the link comes up")
    func crossed() {
        var table = pair()
        table.enrol(0, at: 2, shop.token(key, uses: 2), key)
        table.enrol(1, at: 2, shop.token(key, uses: 2), key)
        // Nothing of what they told got through: there was no link yet.
        for index in 0...1 { table.parties[index].told = [] }
        table.handle(0, .linkCameUp(table.parties[1].node))
        carry(&table)
        #expect(knows(table, 0, 1) && knows(table, 1, 0))
    }

    @Test("a credential that is held before trust begins is told of when it does, by whichever way")
    func heldBefore() {
        for isByInvite in [false, true] {
            // Its clock was a year ahead at a start: trust lapsed, and what was stored counts again now.
            let (alpha, beta) = (SimulatedKey(1), SimulatedKey(2))
            let stored = StoredCredential(node: beta.node, chain: shop.chain(of: beta))
            let home = HomeDomain(
                domain: shop.domain, label: NodeName("acme")!, chain: shop.chain(of: alpha))
            let lapsed = PeerRecord(
                node: beta.node, key: beta.publicKey, pin: SimulatedSuite().pin(of: beta.publicKey),
                inception: Party(2, name: "beta").trust.me.inception, name: NodeName("beta")!,
                state: .verified, since: shop.now,
                evidence: TrustEvidence(kind: .domain, transcript: nil, note: "credential: over"), boot: nil,
                domain: shop.domain)
            var table = TrustTable(
                Party(
                    1, name: "alpha", pins: PinBook(peers: [lapsed], revokedPins: []),
                    domains: DomainBook(home: home, credentials: [stored], tokens: [], anchor: nil)),
                Party(2, name: "beta", domains: shop.book(stored.chain)))
            table.start(0)
            table.start(1)
            #expect(table.parties[0].trust.domains.members[beta.node] != nil)
            #expect(table.parties[0].memberships[beta.node] == nil)
            if isByInvite {
                table.makeTrust()
            } else {
                table.open(0, 1, intent: .member)
                table.settle()
            }
            #expect(table.parties[0].trust.pins.isTrusted(beta.node))
            #expect(table.parties[0].memberships[beta.node]??.domain == shop.domain)
        }
    }

    @Test("a credential that comes ahead of a clock that is behind counts once the clock is right")
    func behind() {
        var table = pair()
        table.enrol(0, at: 2, shop.token(key, uses: 2), key)
        carry(&table)
        let right = table.now.wall
        table.parties[0].told = []
        table.enrol(1, at: 2, shop.token(key, uses: 2), key)
        // Alpha's clock fell behind by half an hour while the link stayed.
        table.now = Moment(instant: table.now.instant, wall: right + .seconds(-1_800))
        let beta = table.parties[1]
        guard let chain = beta.trust.domains.home?.chain else {
            Issue.record("it has no credential")
            return
        }
        table.handle(0, .domainMessageArrived(beta.node, .shown(chain)))
        #expect(!knows(table, 0, 1))
        for _ in 0..<3 { table.pass(.seconds(60)) }
        let refused = table.parties[0].events.filter {
            if case .credentialRefused = $0 { true } else { false }
        }
        #expect(refused.count == 1 && !knows(table, 0, 1))
        table.now = Moment(instant: table.now.instant, wall: right + .seconds(180))
        table.pass(.seconds(60))
        carry(&table)
        #expect(knows(table, 0, 1))
        #expect(table.parties[0].trust.earlyCredentials.isEmpty)
    }

    @Test("a trusted peer outside the domain is shown no credential, nor is who repeats another's tags")
    func outside() throws {
        var table = pair()
        table.enrol(0, at: 2, shop.token(key, uses: 2), key)
        let outsider = table.parties[1].node
        guard case .named(let tags)? = table.parties[0].told.first(where: { $0.0 == outsider })?.1 else {
            Issue.record("it was told nothing")
            return
        }
        #expect(tags.tags.count == 1)
        carry(&table)
        // The outsider says the tags back, and those that the issuer would have told it.
        let issued = AnchorTag.tag(
            of: shop.domain, from: table.parties[2].node, to: table.parties[0].node, using: SimulatedSuite())
        for said in [tags, DomainTags(tags: [issued])] {
            table.handle(0, .domainMessageArrived(outsider, .named(said)))
        }
        let shown = table.parties[0].told.filter { $0.0 == outsider }
        #expect(shown.isEmpty, "\(shown)")
    }

    @Test("a tag is worth nothing on another connection than the one of who was to say it")
    func repeated() {
        var table = TrustTable(
            Party(member: 1, "alpha") { shop.book(shop.chain(of: $0)) },
            Party(member: 2, "beta") { shop.book(shop.chain(of: $0)) }, Party(3, name: "eve"))
        for index in 0...2 { table.start(index) }
        // Alpha dials Eve, a stranger, who says to Beta what Alpha said.
        table.open(0, 2, intent: .member)
        guard case .hello(let told) = table.wire.removeFirst().2 else {
            Issue.record("no hello")
            return
        }
        for hello in [told.hello, eve(table, told.hello.nonce)] {
            let (_, end) = table.connect(2, 1)
            table.handle(
                1, .connectionSecured(end, table.secured(1, to: 2, .responder, .peering), intent: nil))
            table.handle(
                1,
                .messageArrived(
                    end, .hello(InitiatorHello(hello: hello, invite: nil, anchors: told.anchors))))
        }
        let answers = table.parties[1].sent.filter { if case .answer = $0 { true } else { false } }
        #expect(answers.isEmpty, "\(answers)")
        #expect(table.refusals(1).count == 2)
    }

    /// Eve's own hello with somebody else's nonce.
    private func eve(_ table: TrustTable, _ nonce: Digest) -> Hello {
        let eve = table.parties[2].trust.me
        return Hello(
            versions: [1], bindings: [1], nonce: nonce, node: eve.node, identityKey: eve.key,
            inception: eve.inception, boot: eve.boot, time: table.now.wall)
    }
}
