import MeshAgreements
import MeshBase
import MeshDiscovery
import MeshGossip
import MeshSimulator
import MeshTrust
import Testing

@testable import MeshNode

/// Three that trust each other, of whom the first offers to carry for the other two, and these two cannot
/// connect.
@Suite("A link that another node carries")
struct CircuitTests {
    private func table(offeringTo places: [Int] = [1, 2]) -> NodeTable {
        var table = NodeTable("relay", "one", "two")
        table.join(1)
        table.join(2)
        table.join(2, to: 1)
        for place in places {
            table.command(
                0,
                .offer(
                    OfferRequest(
                        peer: table.id(place), grants: [Grant(resource: .relay, capabilities: nil)],
                        life: .seconds(24 * 3_600))))
        }
        table.pass(.seconds(2))
        return table
    }

    private func cut(_ table: inout NodeTable) {
        table.cuts = [(1, 2)]
        table.pass(.seconds(12))
    }

    private func dials(of table: NodeTable, _ place: Int) -> [CircuitPlan.Dial] {
        table.places[place].effects.compactMap { effect in
            if case .dialThrough(_, let dial) = effect { dial } else { nil }
        }
    }

    private func relay(_ table: NodeTable, _ here: Int, _ there: Int) -> NodeID? {
        table.places[here].node.gossip.link(with: table.id(there))?.relay
    }

    @Test("comes up where the two cannot connect, and calls see who carries it")
    func carried() throws {
        var table = table()
        #expect(table.isLinked(1, 2) && relay(table, 1, 2) == nil)
        cut(&table)
        table.pass(.seconds(5))
        #expect(table.isLinked(1, 2))
        #expect(relay(table, 1, 2) == table.id(0) && relay(table, 2, 1) == table.id(0))
        let view = try #require(table.places[1].view)
        #expect(view.peers[table.id(2)]?.origin.relay == table.id(0))
        #expect(view.peers[table.id(2)]?.origin.address == nil, "the relay's address is not the peer's")
        #expect(view.peers[table.id(0)]?.origin.relay == nil)
        let up = table.places[1].events.last { $0.action == "link up" }
        #expect(up?.metadata == [Fact("carried by", table.id(0))])
    }

    @Test("gives way as soon as the two can connect, and nothing of it stays")
    func relieved() {
        var table = table()
        cut(&table)
        table.pass(.seconds(5))
        #expect(relay(table, 1, 2) != nil)
        table.cuts = []
        table.pass(.seconds(40))
        #expect(table.isLinked(1, 2))
        #expect(relay(table, 1, 2) == nil && relay(table, 2, 1) == nil)
        let (count, ends) = (dials(of: table, 1).count, table.places[1].ends.count)
        table.pass(.seconds(300))
        #expect(dials(of: table, 1).count == count && ends == 2)
    }

    @Test("is not sought through who offered nothing, and where one end has no offer nothing comes of it")
    func unoffered() {
        var table = table(offeringTo: [])
        cut(&table)
        table.pass(.seconds(60))
        #expect(dials(of: table, 1).isEmpty && dials(of: table, 2).isEmpty && !table.isLinked(1, 2))
        table = self.table(offeringTo: [1])
        cut(&table)
        #expect(dials(of: table, 2).isEmpty && !dials(of: table, 1).isEmpty)
    }

    @Test("ends with either half of its way, and is made anew when that is back")
    func lost() {
        var table = table()
        cut(&table)
        table.pass(.seconds(5))
        #expect(table.isLinked(1, 2))
        table.cuts = [(1, 2), (0, 2)]
        table.pass(.seconds(40))
        #expect(!table.isLinked(1, 2))
        table.cuts = [(1, 2)]
        table.pass(.seconds(120))
        #expect(table.isLinked(1, 2) && relay(table, 1, 2) == table.id(0))
    }

    @Test("never carries another one: who is reached through a relay is asked to carry nothing")
    func unstacked() {
        var table = NodeTable("relay", "one", "two", "three")
        for joiner in 1...3 { table.join(joiner) }
        table.join(2, to: 1)
        table.join(3, to: 1)
        table.join(3, to: 2)
        for (from, to) in [(0, 1), (0, 2), (2, 1), (2, 3)] {
            table.command(
                from,
                .offer(
                    OfferRequest(
                        peer: table.id(to), grants: [Grant(resource: .relay, capabilities: nil)],
                        life: .seconds(24 * 3_600))))
        }
        table.pass(.seconds(2))
        // Two is reached by one through relay alone, and would be the only way to three.
        table.cuts = [(1, 2), (1, 3)]
        table.pass(.seconds(60))
        #expect(relay(table, 1, 2) == table.id(0))
        #expect(dials(of: table, 1).allSatisfy { $0.relay == table.id(0) })
    }

    @Test("is no way to make trust")
    func pairing() {
        var table = table()
        var secured = table.dialled(by: 2, at: 1)
        secured = SecuredConnection(
            role: .responder, purpose: .pairing, presented: secured.presented,
            ownCertificateDigest: secured.ownCertificateDigest, ownCertificateKey: secured.ownCertificateKey,
            nonce: secured.nonce, remote: secured.remote)
        let connection = ConnectionID(901)
        table.places[1].effects = []
        table.tell(1, .connectionSecured(connection, secured, .relayed(by: table.id(0))))
        #expect(table.places[1].effects.contains(.close(connection, .pairingClosed)))
    }

    @Test("says nothing of where the peer listens: the address is the relay's")
    func places() throws {
        var table = table()
        cut(&table)
        table.pass(.seconds(5))
        let link = try #require(table.places[1].links[table.id(2)])
        table.places[1].effects = []
        table.tell(1, .documentArrived(link, .listening(ListeningNotice(port: 9_999, advertised: []))))
        let kept = table.places[1].effects.contains { effect in
            if case .persist(.endpoint) = effect { true } else { false }
        }
        #expect(!kept)
    }
}
