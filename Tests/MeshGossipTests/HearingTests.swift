import MeshBase
import Testing

@testable import MeshGossip

/// Of whom a node hears, and over whose link: what keeps together a mesh in which not all have met.
@Suite struct HearingTests {
    private func world(strangers: [(Int, Int)] = []) -> DomainWorld {
        var world = DomainWorld(4, strangers: strangers)
        for side in 0..<4 { world.join(side, world.member()) }
        for side in 0..<4 { world.offer(side, "r\(side)") }
        return world
    }

    @Test func `who was met and is told of by nobody is unheard, and a bridge once its own link tells`() {
        var world = world()
        world.connect(0, 1)
        world.connect(1, 2)
        world.pass(.seconds(200))
        #expect(world.sides[0].reach.unheard == [world.node(3)])
        #expect(world.sides[3].reach == GossipReach(), "who is alone misses nobody")
        world.connect(0, 3)
        world.pass(.seconds(61))
        #expect(world.sides[0].reach.unheard == [] && world.sides[0].reach.bridges == [world.node(3)])
        // To the others somebody else brought it.
        #expect(world.sides[1].reach == GossipReach() && world.sides[2].reach == GossipReach())
        for side in [1, 3] { world.disconnect(side) }
        world.pass(.seconds(23 * 3600))
        #expect(world.sides[0].reach.bridges == [world.node(3)])
        world.pass(.seconds(3600))
        #expect(world.sides[0].reach.bridges == [])
    }

    @Test func `a bridge stays one when its time is over and it brought the head of any not met`() throws {
        var world = world()
        world.connect(0, 1)
        world.pass(.seconds(200))
        world.connect(0, 3)
        world.pass(.seconds(61))
        #expect(world.sides[0].reach.bridges == [world.node(3)])
        for side in [1, 3] { world.disconnect(side) }
        world.pass(.seconds(24 * 3600 - 300))
        try world.hold(0..<1, at: 0, from: 3)
        world.pass(.seconds(600))
        #expect(world.sides[0].reach.bridges == [world.node(3)])
        world.pass(.seconds(23 * 3600))
        #expect(world.sides[0].reach.bridges == [world.node(3)])
        world.pass(.seconds(3600))
        #expect(world.sides[0].reach.bridges == [])
    }

    @Test func `where heads go round, who has no link is heard all the same`() {
        var world = world()
        for side in 0..<3 { world.connect(side, side + 1) }
        for _ in 0..<60 {
            world.pass(.seconds(60))
            #expect(world.sides.allSatisfy { $0.reach == GossipReach() })
        }
    }

    @Test func `is unheard again when nobody brings its renewals any more, before what it told is over`() {
        var world = world()
        for side in 0..<3 { world.connect(side, side + 1) }
        world.pass(.seconds(120))
        world.disconnect(3)
        world.pass(.seconds(690))
        #expect(world.sides[0].reach.unheard == [world.node(3)])
        #expect(world.seen(by: 0, of: 3).isEmpty == false)
    }

    @Test func `who was away and returns is no bridge, for it signs what it tells anew`() {
        var world = world()
        for side in 0..<3 { world.connect(side, side + 1) }
        world.pass(.seconds(120))
        world.disconnect(3)
        world.sides[3].membership = nil
        world.tell(3, .membershipChanged(world.node(3), nil))
        world.pass(.seconds(2_000))
        #expect(world.sides[0].reach.unheard == [world.node(3)])
        world.sides[3].membership = world.member()
        world.restart(3)
        world.pass(.seconds(1))
        world.connect(0, 3)
        world.pass(.seconds(200))
        #expect(world.sides[0].reach == GossipReach())
    }

    @Test(arguments: [(15, false), (16, true), (40, true)])
    func `who brought most of what is known of members not met is a bridge`(count: Int, isBridge: Bool) throws
    {
        var world = world(strangers: [(0, 3)])
        world.connect(0, 1)
        try world.hold(0..<count, at: 0)
        world.pass(.seconds(61))
        #expect(world.sides[0].reach.bridges == (isBridge ? [world.node(1)] : []))
    }

    @Test func `who brought half of it is none`() throws {
        var world = world(strangers: [(0, 3)])
        world.connect(0, 1)
        world.connect(0, 2)
        try world.hold(0..<20, at: 0)
        try world.hold(20..<40, at: 0, from: 2)
        world.pass(.seconds(61))
        #expect(world.sides[0].reach.bridges == [])
        try world.hold(40..<41, at: 0, from: 2)
        world.pass(.seconds(61))
        #expect(world.sides[0].reach.bridges == [world.node(2)])
    }
}
