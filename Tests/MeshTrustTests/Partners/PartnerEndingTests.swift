import MeshBase
import MeshSimulator
import Testing

@testable import MeshTrust

@Suite("Partner domains, when the process ends in the middle of an order")
struct PartnerEndingTests {
    /// What the store holds after these writes.
    private func stored(_ changes: some Sequence<TrustChange>) -> StoredPartners {
        var stored = StoredPartners()
        for change in changes {
            switch change {
            case .partnerships(let decision): stored.decided = decision
            case .bundle(let bundle): stored.keep(bundle)
            case .bundleGone(let domain): stored.drop(domain)
            default: break
            }
        }
        return stored
    }

    /// Alpha, started from what is stored.
    private func started(from stored: StoredPartners, in world: PartnerTable) -> TrustTable {
        let book = DomainBook(
            home: world.table.parties[0].trust.domains.home, credentials: [], tokens: [],
            anchor: world.acme.anchor.publicKey, certificate: Octets([1, 2, 3]), partners: stored)
        var table = TrustTable(Party(1, name: "alpha", domains: book))
        table.parties[0].anchor = world.acme.anchor
        table.start(0)
        return table
    }

    @Test(
        "after any write of an order no decision stands without its bundle, and the order again is done",
        arguments: [false, true])
    func anyWrite(isKnown: Bool) {
        var world = PartnerTable()
        if isKnown { world.accept(0, 2) }
        let writesBefore = world.table.parties[0].persisted.count
        let order = PartnerOrder.accept(world.bolt.offer(world.bolt.bundle(2)), roles: nil)
        #expect(world.table.order(0, order) == .done)
        let writes = world.table.parties[0].persisted
        #expect(writes.count > writesBefore + 1)
        for count in writesBefore...writes.count {
            var table = started(from: stored(writes.prefix(count)), in: world)
            let book = table.parties[0].trust.domains.partners
            for partner in book.partners {
                #expect(book.bundles[partner.domain]?.body.sequence ?? 0 >= partner.sequence, "\(count)")
            }
            #expect(table.order(0, order) == .done)
            let kept = stored(writes.prefix(count) + table.parties[0].persisted)
            #expect(kept.decided?.body.partner(world.bolt.domain)?.sequence == 2, "\(count)")
            #expect(kept.bundles.contains(world.bolt.bundle(2)), "\(count)")
            let held = table.parties[0].trust.domains.partners.bundles[world.bolt.domain]
            #expect(held == world.bolt.bundle(2), "\(count)")
        }
    }
}
