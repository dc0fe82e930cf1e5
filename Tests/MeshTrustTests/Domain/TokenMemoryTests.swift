import MeshBase
import MeshSimulator
import Testing

@testable import MeshTrust

@Suite("What an issuer remembers of tokens")
struct TokenMemoryTests {
    private let shop = DomainWorkshop()
    private let key = SimulatedKey(8_000)

    @Test("what a token served is remembered beyond its end, by a wrong clock too, until a place is needed")
    func remembered() {
        var table = TrustTable(
            Party(member: 1, "issuer") { shop.book(shop.issuerChain(of: $0)) }, Party(2, name: "newcomer"),
            Party(3, name: "second"))
        for index in 0...2 { table.start(index) }
        let token = shop.token(key)
        table.enrol(1, at: 0, token, key)
        let right = table.now.wall
        table.now = Moment(instant: table.now.instant, wall: right + .seconds(365 * 86_400))
        table.pass(.seconds(60))
        table.now = Moment(instant: table.now.instant, wall: right + .seconds(60))
        // The issuer renewed nothing meanwhile, for its credential was over; it starts again.
        let uses = table.parties[0].trust.domains.tokens.values
        table.parties[0] = Party(member: 1, "issuer") { shop.book(shop.issuerChain(of: $0), uses: uses) }
        table.start(0)
        table.enrol(2, at: 0, token, key)
        #expect(table.refusals(0) == [.tokenUsed])
        var book = shop.book(
            shop.issuerChain(of: SimulatedKey(1)),
            uses: (0..<Limits.tokensRemembered).map {
                TokenUse(
                    token: SimulatedSuite().pin(of: SimulatedKey(20_000 + UInt64($0)).publicKey),
                    until: shop.now + .seconds($0), usedBy: [])
            })
        let pin = SimulatedSuite().pin(of: key.publicKey)
        #expect(book.makeRoom(for: pin, at: shop.now + Limits.clockSkewRefused) == nil)
        let first = SimulatedSuite().pin(of: SimulatedKey(20_000).publicKey)
        #expect(book.makeRoom(for: first, at: shop.now + Limits.clockSkewRefused + .seconds(5)) == nil)
        #expect(book.makeRoom(for: pin, at: shop.now + Limits.clockSkewRefused + .seconds(5)) == first)
        #expect(book.tokens.count == Limits.tokensRemembered - 1)
        #expect(book.makeRoom(for: pin, at: shop.now + Limits.clockSkewRefused + .seconds(5)) == nil)
    }
}
