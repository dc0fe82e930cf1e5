import MeshBase
import MeshSimulator
import Testing

@testable import MeshTrust

@Suite("Book of partners")
struct PartnerBookTests {
    private let home = DomainWorkshop(9_000)
    private let other = DomainWorkshop(9_100)
    private let third = DomainWorkshop(9_200)
    private let suite = SimulatedSuite()

    /// A book whose home accepted the other domain.
    private func book(_ partner: Partner? = nil) -> PartnerBook {
        var book = PartnerBook()
        #expect(book.take(home.decision(1, [partner ?? other.partner()]), at: home).isAdopted)
        return book
    }

    @Test("by what the home's anchor decided, a partner counts by the keys that were confirmed")
    func decided() throws {
        let book = book()
        let partner = try #require(book.partners.first)
        #expect(book.keys(of: partner) == [other.anchor.publicKey])
        #expect(book.sequence(of: partner) == 1)
    }

    @Test(
        "a later bundle, signed by its domain's anchor, takes the place of an earlier one, whatever is missed"
    )
    func later() throws {
        var book = book()
        let next = SimulatedKey(1)
        #expect(book.take(other.bundle(1), at: home).isAdopted)
        #expect(book.take(other.bundle(2, keys: [other.anchor, next]), at: home) == .adopted(replacing: 1))
        let partner = try #require(book.partners.first)
        #expect(book.keys(of: partner) == [other.anchor.publicKey, next.publicKey])
        // Not by the key that came with it: who missed that bundle could not follow.
        #expect(book.take(other.bundle(3, keys: [next], by: next), at: home).code == .bundleInvalid)
        #expect(book.take(other.bundle(3, keys: [next]), at: home) == .adopted(replacing: 2))
        #expect(book.keys(of: partner) == [next.publicKey])
        #expect(book.sequence(of: partner) == 3)
        // Who missed the second follows, and so does who holds nothing but what was confirmed.
        var late = self.book()
        #expect(late.take(other.bundle(3, keys: [next]), at: home).isAdopted)
        #expect(late.keys(of: partner) == [next.publicKey])
        #expect(late.take(other.bundle(4, keys: [next, SimulatedKey(2)]), at: home).isAdopted)
    }

    @Test("a decision names sixty-four domains that were partners, and not one more")
    func forgottenBound() {
        func decision(_ gone: [ForgottenPartner], _ partners: [Partner] = []) -> Signed<Partnerships> {
            home.anchor.sign(
                Partnerships(
                    domain: home.domain, sequence: 1, issued: home.now, partners: partners, forgotten: gone))
        }
        let gone = (0..<UInt64(Limits.partnersForgotten)).map {
            ForgottenPartner(domain: DomainWorkshop(20_000 + $0).domain, sequence: 1)
        }
        var book = PartnerBook()
        let more = gone + [ForgottenPartner(domain: other.domain, sequence: 1)]
        #expect(book.take(decision(more), at: home).code == .documentInvalid)
        #expect(book.take(decision([gone[0], gone[0]]), at: home).code == .documentInvalid)
        let both = decision([ForgottenPartner(domain: other.domain, sequence: 1)], [other.partner()])
        #expect(book.take(both, at: home).code == .documentInvalid)
        #expect(book.take(decision(gone), at: home).isAdopted)
    }

    @Test("an earlier bundle is refused, and what is held stays")
    func older() throws {
        var book = book(other.partner(other.bundle(5)))
        #expect(book.take(other.bundle(4), at: home).code == .bundleOlder)
        #expect(book.bundles.isEmpty)
        #expect(book.take(other.bundle(7), at: home).isAdopted)
        #expect(book.take(other.bundle(6), at: home).code == .bundleOlder)
        #expect(book.bundles[other.domain]?.body.sequence == 7)
    }

    @Test("another bundle under the same number is refused, beside one confirmed and beside one that came")
    func conflict() {
        var book = book()
        let twin = other.bundle(1, label: "twin")
        #expect(book.take(twin, at: home).code == .bundleConflict)
        #expect(book.take(other.bundle(2), at: home).isAdopted)
        #expect(book.take(other.bundle(2, label: "twin"), at: home).code == .bundleConflict)
        #expect(book.bundles[other.domain]?.body.label.description == "acme")
        #expect(book.take(other.bundle(2), at: home) == .known)
    }

    @Test("keys that nobody signed are under no content id: the first signed bundle from their number counts")
    func bare() throws {
        let bare = Partner(
            domain: other.domain, label: NodeName("bolt")!, roles: nil, sequence: 1, bundle: nil,
            keys: [other.anchor.publicKey])
        var book = book(bare)
        let both = other.bundle(1, keys: [other.anchor, SimulatedKey(1)])
        #expect(book.take(other.bundle(0), at: home).code == .bundleInvalid)
        #expect(book.take(both, at: home).isAdopted)
        #expect(book.keys(of: bare) == [other.anchor.publicKey, SimulatedKey(1).publicKey])
        #expect(book.take(other.bundle(1, label: "twin"), at: home).code == .bundleConflict)
        // It outlives another decision by the same file, and a start.
        #expect(book.take(home.decision(2, [bare]), at: home).isAdopted)
        #expect(book.bundles[other.domain] == both)
        var stored = StoredPartners()
        stored.decided = book.decided
        stored.keep(both)
        var again = PartnerBook()
        again.restore(stored, home: home.home, using: suite)
        #expect(again.bundles[other.domain] == both)
    }

    @Test("a bundle counts only when a key of its own domain signed it")
    func foreign() {
        var book = PartnerBook()
        #expect(book.take(home.decision(1, [other.partner(), third.partner()]), at: home).isAdopted)
        // Another partner's anchor, the home's, and a stranger's.
        for signer in [third.anchor, home.anchor, SimulatedKey(7)] {
            #expect(book.take(other.bundle(2, by: signer), at: home).code == .bundleInvalid)
        }
        // A domain's own bundle that calls itself another's.
        #expect(
            book.take(third.bundle(2, keys: [third.anchor], of: other.domain), at: home).code
                == .bundleInvalid)
        #expect(book.bundles.isEmpty)
    }

    @Test("of who is no partner no bundle is kept")
    func strangers() {
        var book = book()
        #expect(book.take(third.bundle(), at: home) == .known)
        #expect(book.bundles.isEmpty)
    }

    @Test("a bundle without keys leaves nothing that counts, until the anchor signs a later one")
    func withoutKeys() throws {
        var book = book()
        #expect(book.take(other.bundle(2, keys: []), at: home).isAdopted)
        let partner = try #require(book.partners.first)
        #expect(book.keys(of: partner).isEmpty)
        #expect(
            book.take(other.bundle(3, keys: [SimulatedKey(4)], by: SimulatedKey(4)), at: home).code
                == .bundleInvalid)
        #expect(book.take(other.bundle(3), at: home).isAdopted)
        #expect(book.keys(of: partner) == [other.anchor.publicKey])
    }

    @Test("a bundle has eight keys at most, each once, and a number from 1")
    func bounds() {
        var book = book()
        let eight = [other.anchor] + (1..<UInt64(Limits.bundleKeys)).map { SimulatedKey($0) }
        #expect(book.take(other.bundle(2, keys: eight + [SimulatedKey(99)]), at: home).code == .bundleInvalid)
        #expect(
            book.take(other.bundle(2, keys: [other.anchor, other.anchor]), at: home).code == .bundleInvalid)
        #expect(book.take(other.bundle(0), at: home).code == .bundleInvalid)
        #expect(book.take(other.bundle(2, keys: eight), at: home).isAdopted)
    }

    @Test(
        "a decision counts only when the home's anchor signed it, well formed, and not far ahead of the clock"
    )
    func decisions() {
        var book = PartnerBook()
        #expect(
            book.take(home.decision(1, [other.partner()], by: other.anchor), at: home).code
                == .documentInvalid)
        #expect(book.take(home.decision(1, [home.partner()]), at: home).code == .documentInvalid)
        #expect(
            book.take(home.decision(1, [other.partner(), other.partner()]), at: home).code == .documentInvalid
        )
        #expect(book.take(home.decision(0, [other.partner()]), at: home).code == .documentInvalid)
        #expect(book.take(other.decision(1, [third.partner()]), at: home) == .known)
        let ahead = home.now + Limits.clockSkewRefused
        #expect(
            book.take(home.decision(1, [other.partner()], issued: ahead + .milliseconds(1)), at: home).code
                == .clockSkew)
        #expect(book.decided == nil)
        #expect(book.take(home.decision(1, [other.partner()], issued: ahead), at: home).isAdopted)
    }

    @Test("a decision names fifteen partners, and not one more")
    func partnersBound() {
        let many = (0..<UInt64(Limits.partnerDomains)).map { DomainWorkshop(20_000 + $0).partner() }
        var book = PartnerBook()
        #expect(book.take(home.decision(1, many + [other.partner()]), at: home).code == .documentInvalid)
        #expect(book.take(home.decision(1, many), at: home).isAdopted)
    }

    @Test("two decisions are kept alike in whatever order they come", arguments: 0..<50)
    func alike(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var decisions = (0..<6).map { _ in
            home.decision(
                Int64(generator.number(below: 3)) + 1,
                generator.number(below: 2) == 0 ? [other.partner()] : [third.partner()],
                issued: home.now + .milliseconds(Int(generator.number(below: 3))))
        }
        let papers = [other.bundle(2), third.bundle(2)]
        var results: [Signed<Partnerships>?] = []
        for _ in 0..<4 {
            var book = PartnerBook()
            for index in decisions.indices.reversed() {
                decisions.swapAt(index, Int(generator.number(below: UInt64(index) + 1)))
            }
            for decision in decisions {
                _ = book.take(decision, at: home)
                for bundle in papers { _ = book.take(bundle, at: home) }
                // Never more than what was decided.
                #expect(book.bundles.keys.allSatisfy { key in book.partners.contains { $0.domain == key } })
            }
            results.append(book.decided)
        }
        #expect(results.allSatisfy { $0 == results[0] })
    }

    @Test("a partner that calls itself like another domain here goes by its ID")
    func namesakes() {
        var domains = home.book(home.chain(of: SimulatedKey(1)))
        func decide(_ sequence: Int64, _ bolt: String, _ crew: String) {
            let decision = home.decision(
                sequence,
                [other.partner(other.bundle(1, label: bolt)), third.partner(third.bundle(1, label: crew))])
            #expect(domains.partners.take(decision, at: home).isAdopted)
        }
        decide(1, "bolt", "acme")
        #expect(domains.label(of: home.domain)?.description == "acme")
        #expect(domains.label(of: other.domain)?.description == "bolt")
        #expect(domains.label(of: third.domain) == nil)
        decide(2, "bolt", "bolt")
        #expect(domains.label(of: other.domain) == nil && domains.label(of: third.domain) == nil)
    }

    @Test("who is a partner no more leaves nothing behind")
    func ended() {
        var book = book()
        #expect(book.take(other.bundle(2), at: home).isAdopted)
        #expect(book.take(home.decision(2, []), at: home) == .adopted(replacing: 1))
        #expect(book.partners.isEmpty)
        #expect(book.bundles.isEmpty)
        #expect(book.take(other.bundle(3), at: home) == .known)
    }

    @Test("what was stored is held against the home's anchor once more, whatever the clock says")
    func stored() {
        var stored = StoredPartners()
        stored.decided = home.decision(1, [other.partner()])
        stored.keep(other.bundle(2))
        stored.keep(third.bundle(2))
        var book = PartnerBook()
        book.restore(stored, home: home.home, using: suite)
        #expect(book.partners.map(\.domain) == [other.domain])
        #expect(book.bundles.keys == [other.domain])
        stored.decided = home.decision(1, [other.partner()], by: other.anchor)
        var forged = PartnerBook()
        forged.restore(stored, home: home.home, using: suite)
        #expect(forged.partners.isEmpty)
        #expect(forged.bundles.isEmpty)
    }
}
