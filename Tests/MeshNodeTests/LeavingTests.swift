import MeshAudit
import MeshBase
import MeshNode
import MeshTrust
import Testing

@Suite("A node that leaves")
struct LeavingTests {
    @Test("until it is started tells its peers, and trust and agreements stay on both sides")
    func untilStarted() {
        var table = pair()
        table.command(0, .leave(.started))
        table.pass(.seconds(1))
        #expect(left(table, at: 1) == ["started"])
        #expect(table.places[1].node.trust.pins.isTrusted(table.id(0)))
        #expect(table.places[0].node.trust.pins.isTrusted(table.id(1)))
        table.restart(0)
        table.pass(.seconds(20))
        #expect(table.isLinked(0, 1))
    }

    @Test("for good forgets its peers, and rests in the trust of those it told, by its own word")
    func forGood() {
        var table = pair()
        table.command(0, .leave(.never))
        table.pass(.seconds(20))
        #expect(left(table, at: 1) == ["never"])
        #expect(table.places[0].node.trust.pins[table.id(1)] == nil)
        let peer = table.places[1].node.trust.pins[table.id(0)]
        #expect(peer?.state == .suspended && peer?.evidence.kind == .peer)
        #expect(!table.isLinked(0, 1) && table.places[1].links.isEmpty)
        let event = table.places[0].events.first { $0.action == "left the mesh" }
        #expect(event?.metadata.contains(Fact("peers told", 1)) == true)
    }

    @Test("for good does not tell who has no link, and says so")
    func unreached() {
        var table = pair()
        table.cuts = [(0, 1)]
        table.pass(.seconds(60))
        table.command(0, .leave(.never))
        table.pass(.seconds(1))
        let event = table.places[0].events.first { $0.action == "left the mesh" }
        #expect(event?.metadata.contains(Fact("peers not reached", 1)) == true)
        #expect(left(table, at: 1).isEmpty)
        #expect(table.places[1].node.trust.pins.isTrusted(table.id(0)))
    }

    @Test("again and again is written down once a minute, by whoever hears it")
    func again() {
        var table = pair()
        for _ in 0..<5 { table.command(0, .leave(.started)) }
        table.pass(.seconds(1))
        #expect(left(table, at: 1) == ["started"])
    }

    private func pair() -> NodeTable {
        var table = NodeTable("atlas", "borea")
        table.join(1)
        return table
    }

    private func left(_ table: NodeTable, at place: Int) -> [String] {
        table.places[place].events.filter { $0.action == "peer left" }
            .compactMap { $0.metadata.first { $0.name == "until" }?.value }
    }
}
