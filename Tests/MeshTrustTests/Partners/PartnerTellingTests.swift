import MeshBase
import MeshSimulator
import Testing

@testable import MeshTrust

@Suite("What partner domains are told")
struct PartnerTellingTests {
    @Test("who brings an older bundle in good faith is given the later one, and nobody is accused")
    func laggard() {
        var world = PartnerTable()
        world.accept(0, 2)
        let next = world.bolt.bundle(2)
        #expect(world.table.order(0, .accept(world.bolt.offer(next), roles: nil)) == .done)
        world.table.parties[0].papers = []
        let also = world.table.parties[1].node
        world.table.handle(0, .domainMessageArrived(also, .paper(.bundle(world.bolt.bundle(1)))))
        #expect(world.table.papersRefused(0).isEmpty)
        #expect(world.table.parties[0].papers.map(\.0) == [also])
        #expect(world.table.parties[0].papers.map(\.1) == [.paper(.bundle(next))])
        world.table.carry()
        #expect(world.table.parties[1].trust.domains.partners.bundles[world.bolt.domain] == next)
    }

    @Test("a bundle that came before its decision counted is asked for when the decision comes")
    func bundleAfterDecision() {
        var world = PartnerTable()
        let right = world.table.now
        world.table.now = Moment(instant: right.instant, wall: right.wall + .seconds(3_600))
        #expect(world.table.order(0, .accept(world.offer(of: 2), roles: nil)) == .done)
        world.table.now = right
        world.table.carry()
        #expect(world.table.papersRefused(1) == [.clockSkew])
        #expect(world.table.parties[1].trust.domains.partners.bundles[world.bolt.domain] == nil)
        world.table.pass(.seconds(60))
        world.table.carry()
        let held = world.table.parties.prefix(2).map { $0.trust.domains.partners.bundles[world.bolt.domain] }
        #expect(held[1] != nil && held[0] == held[1])
    }

    @Test("who is a member no more by this clock is told nothing, even before the clock's leap was noticed")
    func leaptClock() throws {
        var world = PartnerTable()
        world.accept(0, 2)
        let also = world.table.parties[1].node
        let asks = TrustInput.domainMessageArrived(also, .papersHeld(HeldPapers([])))
        func given(_ table: TrustTable) -> Int { table.parties[0].papers.filter { $0.0 == also }.count }
        world.table.parties[0].papers = []
        world.table.handle(0, asks)
        #expect(given(world.table) > 0)
        world.table.parties[0].papers = []
        let until = try #require(world.table.parties[0].trust.domains.members[also]?.membership.until)
        world.table.now = Moment(instant: world.table.now.instant, wall: until)
        world.table.handle(0, asks)
        #expect(given(world.table) == 0)
    }

    @Test("no peer that is trusted is told by tags who else is a partner")
    func tags() throws {
        var world = PartnerTable()
        world.accept(0, 2)
        world.accept(0, 3)
        world.accept(2, 0)
        func dialled() -> Int? {
            let hellos = world.table.parties[0].sent.compactMap { message in
                if case .hello(let hello) = message { hello.anchors?.count } else { nil }
            }
            return hellos.last
        }
        world.meet(0, 2)
        #expect(dialled() == 3)
        world.table.open(0, 2)
        world.table.settle()
        #expect(dialled() == 2)
        world.table.open(0, 1)
        world.table.settle()
        #expect(dialled() == 1)
        // Nor over the link: one that is trusted by an invite hears of this node's own domain only.
        var invited = PartnerTable()
        invited.accept(0, 2)
        invited.table.makeTrust(inviter: 0, joiner: 3)
        invited.table.parties[0].told = []
        invited.accept(0, 3)
        let crew = invited.table.parties[3].node
        invited.table.handle(0, .linkCameUp(crew))
        let named = invited.table.parties[0].told.compactMap { node, message -> Int? in
            if case .named(let tags) = message, node == crew { tags.tags.count } else { nil }
        }
        #expect(named == [1])
    }

    @Test("who trust each other by an invite become members of partners in whatever order both decide")
    func acquainted() {
        for order in [[(0, 2), (2, 0)], [(2, 0), (0, 2)]] {
            var world = PartnerTable()
            world.table.makeTrust(inviter: 0, joiner: 2)
            for index in [0, 2] {
                world.table.handle(index, .linkCameUp(world.table.parties[2 - index].node))
            }
            world.table.carry()
            for (one, other) in order { world.accept(one, other) }
            for index in [0, 2] {
                let known = world.table.parties[index].memberships[world.table.parties[2 - index].node]
                #expect(known??.domain == world.domain(2 - index))
            }
        }
    }

    @Test("who enrols at one member learns what was decided of another that it trusted before, too")
    func newcomer() {
        var world = PartnerTable(issuing: true)
        world.accept(0, 2)
        let key = SimulatedKey(8_000)
        world.table.parties[3] = Party(7, name: "new")
        world.table.makeTrust(inviter: 1, joiner: 3)
        for index in [1, 3] { world.table.handle(index, .linkCameUp(world.table.parties[4 - index].node)) }
        world.table.carry()
        world.table.enrol(3, at: 0, world.acme.token(key), key)
        // Its issuer is gone before it could tell anything.
        world.table.carry(among: [1, 3])
        let decided = world.table.parties[1].trust.domains.partners.decided
        #expect(decided != nil)
        #expect(world.table.parties[3].trust.domains.partners.decided == decided)
    }
}
