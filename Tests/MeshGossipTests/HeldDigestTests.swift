import MeshBase
import MeshSimulator
import Testing

@testable import MeshGossip

@Suite("The digest of what is held in a domain")
struct HeldDigestTests {
    private static let audience = Audience.domain(DomainWorld.domains[0])

    /// Two that have met.
    private func pair() -> DomainWorld {
        var world = DomainWorld(2)
        for side in 0..<2 { world.join(side, world.member()) }
        return world
    }

    /// What a member that is no side here offers.
    private func head(of key: SimulatedKey, in world: DomainWorld) throws -> HeadPush {
        var own = OwnRecords(audience: Self.audience, owner: key.node, at: world.now.instant)
        own.replace(with: [Samples.resource("r")], using: Samples.suite)
        guard case .sign(let head) = own.next(at: world.now, using: Samples.suite) else {
            throw NothingToSign()
        }
        let isSigned = own.sign(key.sign(head), at: world.now)
        #expect(isSigned)
        let set = try #require(own.published?.set)
        return HeadPush(head: key.sign(head), leaves: set.leaves, records: set.records.values)
    }

    private struct NothingToSign: Error {}

    @Test("what a summary says is made once while nothing changes, and anew when anything does")
    func digest() throws {
        var world = pair()
        world.offer(0, "a")
        world.connectAll()
        world.pass(.seconds(10))
        func kept() -> HeldDigest? { world.sides[1].gossip.heldDigests[Self.audience] }
        let first = try #require(kept())
        world.pass(.seconds(30))
        #expect(kept() == first)
        var seen: [Digest] = [first.digest]
        func look(_ what: Comment) {
            #expect(kept().map { !seen.contains($0.digest) } == true, what)
            // Made anew, it is the same.
            var fresh = world.sides[1].gossip
            fresh.heldDigests = OrderedTable()
            #expect(fresh.summary(with: world.node(0), at: world.now.wall) == world.summary(1, with: 0), what)
            if let now = kept()?.digest { seen.append(now) }
        }
        world.offer(0, "b")
        world.pass(.seconds(10))
        look("another head")
        world.offer(1, "c")
        world.pass(.seconds(10))
        look("its own head")
        let key = SimulatedKey(500)
        let membership = Membership(
            domain: DomainWorld.domains[0], roles: [.member], until: world.now.wall + .seconds(100))
        world.tell(1, .memberVouched(key.node, key.publicKey, membership))
        world.tell(1, .relayed(try head(of: key, in: world), by: world.node(0)))
        world.pass(.seconds(10))
        look("one more member")
        // By the clock alone: a membership is over, a head is over, a head is dated ahead.
        let gossip = world.sides[1].gossip
        var fresh = gossip
        fresh.heldDigests = OrderedTable()
        var found: [RegistrySummary] = []
        for seconds in [0, 50, 200, 2_000, 8_000, 80_000, -200, -400] {
            let wall = world.now.wall + .seconds(seconds)
            let summary = gossip.summary(with: world.node(0), at: wall)
            #expect(summary == fresh.summary(with: world.node(0), at: wall), "after \(seconds) s")
            if !found.contains(summary) { found.append(summary) }
        }
        #expect(found.count > 3)
    }
}
