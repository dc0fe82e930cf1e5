import MeshBase
import Testing

@testable import MeshGossip

/// Who is asked for a head, and for how long it is waited for: of two that tell of it one brings nothing.
@Suite struct AskingTests {
    /// 0 is known to 2 only over 1, which brings nothing, and 3.
    private func world() throws -> (DomainWorld, told: GossipMessage) {
        var world = DomainWorld(4, strangers: [(0, 2)])
        for side in 0..<4 { world.join(side, world.member()) }
        world.connectAll()
        world.offer(0, "old")
        world.pass(.seconds(1))
        world.silent = 1
        let head = try #require(world.registry(1)?.push(of: world.node(0), using: Samples.suite)).head.body
        return (world, try places([HeadPlace(head.changed(sequence: head.sequence + 1))], in: world))
    }

    /// What 1 tells 2 of these.
    private func places(_ places: [HeadPlace], in world: DomainWorld) throws -> GossipMessage {
        let tag = try #require(world.sides[1].gossip.tag(of: world.audience, with: world.node(2)))
        return .places(HeadPlaces(audience: tag, page: HeadPage(places: places, span: nil)))
    }

    private func says(_ message: GossipMessage, times: Int, in world: inout DomainWorld) {
        for _ in 0..<times { world.tell(2, .messageArrived(world.node(1), message)) }
    }

    @Test func `who says things over and over in place of what it was asked for is not waited for`() throws {
        var (world, told) = try world()
        says(told, times: 12, in: &world)
        world.offer(0, "new")
        world.pass(.milliseconds(100))
        #expect(world.seen(by: 2, of: 0).map(\.description) == ["new"])
    }

    @Test func `another that told meanwhile is asked as soon as the first has talked on`() throws {
        var (world, told) = try world()
        says(told, times: 1, in: &world)
        world.offer(0, "new")
        world.pass(.milliseconds(100))
        #expect(world.seen(by: 2, of: 0).map(\.description) == ["old"], "the first has a second")
        says(told, times: 3, in: &world)
        world.pass(.milliseconds(20))
        #expect(world.seen(by: 2, of: 0).map(\.description) == ["old"], "it may say a few things")
        says(told, times: 6, in: &world)
        world.pass(.milliseconds(20))
        #expect(world.seen(by: 2, of: 0).map(\.description) == ["new"])
    }

    @Test func `what is new in what it says is not held against it`() throws {
        var (world, told) = try world()
        says(told, times: 1, in: &world)
        world.offer(0, "new")
        for number in 0..<20 {
            let (_, push) = try world.head(number)
            says(try places([HeadPlace(push.head.body)], in: world), times: 1, in: &world)
        }
        world.pass(.milliseconds(100))
        #expect(world.seen(by: 2, of: 0).map(\.description) == ["old"])
        world.pass(.seconds(1))
        #expect(world.seen(by: 2, of: 0).map(\.description) == ["new"])
    }

    @Test func `all that one who talks on was asked for is asked of another at once`() throws {
        var (world, _) = try world()
        let heads = try (0..<60).map { try world.head($0).1.head.body }
        let told = try places(heads.map(HeadPlace.init), in: world)
        says(told, times: 1, in: &world)
        let tag = try #require(world.sides[3].gossip.tag(of: world.audience, with: world.node(2)))
        let page = HeadPage(places: heads.map(HeadPlace.init), span: nil)
        world.tell(2, .messageArrived(world.node(3), .places(HeadPlaces(audience: tag, page: page))))
        let before = asks(of: 3, in: world)
        says(told, times: 11, in: &world)
        #expect(before == [])
        #expect(asks(of: 3, in: world) == [60])
    }

    @Test func `of nobody are more proofs asked for at once than may be checked, whoever talks on`() throws {
        var (world, _) = try world()
        let heads = try (0..<120).map { try world.head($0).1.head.body }
        let told = try places(heads.map(HeadPlace.init), in: world)
        says(told, times: 1, in: &world)
        let most = Limits.signatureChecksPerSecond / 3
        #expect(asks(of: 1, in: world).last == most)
        let tag = try #require(world.sides[3].gossip.tag(of: world.audience, with: world.node(2)))
        let page = HeadPage(places: heads.map(HeadPlace.init), span: nil)
        world.tell(2, .messageArrived(world.node(3), .places(HeadPlaces(audience: tag, page: page))))
        #expect(asks(of: 3, in: world) == [120 - most])
        says(told, times: 11, in: &world)
        #expect(asks(of: 3, in: world).reduce(0, +) == most)
        #expect(world.registry(2)?.asked.count == 120, "the others have their turns still")
    }

    @Test func `requests are no idle words, and one document of many heads is one`() throws {
        var (world, told) = try world()
        world.offer(3, "three")
        world.pass(.seconds(1))
        says(told, times: 1, in: &world)
        world.offer(0, "new")
        world.pass(.milliseconds(100))
        let tag = try #require(world.sides[1].gossip.tag(of: world.audience, with: world.node(2)))
        says(.ask(HeadRequest(audience: tag, wanted: [], after: nil)), times: 40, in: &world)
        let push = try #require(world.registry(1)?.push(of: world.node(3), using: Samples.suite))
        for number in 0..<40 {
            world.tell(2, .relayed(push, by: world.node(1), isLast: number == 39))
        }
        world.pass(.milliseconds(20))
        #expect(world.seen(by: 2, of: 0).map(\.description) == ["old"])
    }

    /// How many heads 2 asked `side` for, each time.
    private func asks(of side: Int, in world: DomainWorld) -> [Int] {
        world.sent.compactMap { sent in
            guard sent.from == 2, sent.to == side, case .ask(let request) = sent.message else { return nil }
            return request.wanted.count
        }
    }
}
