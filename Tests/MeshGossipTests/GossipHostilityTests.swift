import MeshBase
import MeshSimulator
import Testing

@testable import MeshGossip

@Suite("Gossip with a peer that misbehaves")
struct GossipHostilityTests {
    private func connected(_ offers: [ResourceDescription]...) -> PairWorld {
        var world = PairWorld()
        for (side, resources) in offers.enumerated() { world.offer(side, resources) }
        world.connect()
        world.pass(.seconds(1))
        return world
    }

    @Test("convicts a peer of two heads under one position")
    func equivocation() throws {
        var world = connected([Samples.resource("a")])
        let body = try #require(world.registry(0)?.own.published?.head.body)
        let other = Head(
            owner: body.owner, audience: body.audience, epoch: body.epoch, givenUp: nil,
            sequence: body.sequence, count: 0, root: .zero, issued: body.issued, expires: body.expires)
        let push = HeadPush(head: Samples.alice.sign(other), leaves: [], records: [])
        world.tell(1, .messageArrived(world.node(0), .head(push)))
        #expect(world.sides[1].convictions.count == 1)
        #expect(world.seen(by: 1) == [Samples.resource("a")])
    }

    @Test("ends the link at each third message that no honest node sends, and the trust at the tenth")
    func invalid() {
        var world = connected()
        let refusal = Refusal(.documentInvalid)
        for count in 1...10 {
            world.connect()
            world.tell(0, .messageInvalid(world.node(1), refusal))
            let isLinked = world.sides[0].gossip.link(with: world.node(1)) != nil
            #expect(isLinked == (count % 3 != 0))
            #expect(world.sides[0].convictions.count == (count == 10 ? 1 : 0))
        }
        // Trust that the operator resumes begins anew.
        world.tell(0, .peerDropped(world.node(1)))
        world.trust(0)
        world.tell(0, .messageInvalid(world.node(1), refusal))
        #expect(world.sides[0].convictions.count == 1)
    }

    @Test("answers wants and lists with no more than 4 MiB a minute, and says so")
    func floods() throws {
        var world = connected((0..<20).map { Samples.bulkyResource("bulk-\($0 + 1_000)") })
        world.pass(.seconds(120))
        let position = try #require(world.registry(0)?.own.published?.head.body.position)
        let keys = (0..<20).map { Samples.name("bulk-\($0 + 1_000)") }
        let want = GossipMessage.want(RecordRequest(position: position, keys: keys))
        let list = GossipMessage.list(RegistryList(mine: nil, yours: nil, isComplete: false))
        let before = world.sides[0].sent.count
        for _ in 0..<300 {
            world.tell(0, .messageArrived(world.node(1), want))
            world.tell(0, .messageArrived(world.node(1), list))
        }
        #expect(world.sides[0].sent.count - before == 64)
        let withheld = world.sides[0].records.count {
            if case .answerWithheld = $0 { return true }
            return false
        }
        #expect(withheld == 600 - 64)
        world.pass(.seconds(30))
        let later = world.sides[0].sent.count
        for _ in 0..<300 { world.tell(0, .messageArrived(world.node(1), want)) }
        #expect((25...40).contains(world.sides[0].sent.count - later))
    }

    @Test("answers no want of another head, or of records that are not under it")
    func wants() throws {
        var world = connected([Samples.resource("a")])
        let position = try #require(world.registry(0)?.own.published?.head.body.position)
        let before = world.sides[0].sent
        for request in [
            RecordRequest(position: HeadPosition(epoch: 0, sequence: 1), keys: [Samples.name("a")]),
            RecordRequest(position: position, keys: [Samples.name("b")]),
            RecordRequest(position: position, keys: []),
        ] { world.tell(0, .messageArrived(world.node(1), .want(request))) }
        #expect(world.sides[0].sent == before)
    }

    @Test("does not go round for ever with a peer that answers with nothing new")
    func nothingNew() throws {
        var world = connected()
        let (alice, bob) = (world.node(0), world.node(1))
        let audience = Audience.pair(alice, bob)
        var table = OrderedTable<ResourceName, Record>()
        for name in ["a", "b"] {
            let resource = Samples.resource(name)
            table[resource.name] = Record(
                owner: alice, audience: audience, key: resource.name, resource: resource)
        }
        let set = RecordSet(table, using: Samples.suite)
        let head = Head(
            owner: alice, audience: audience, epoch: 0, givenUp: nil,
            sequence: world.now.wall.milliseconds << 10, count: 2, root: set.root, issued: world.now.wall,
            expires: world.now.wall + .seconds(900))
        let push = HeadPush(head: Samples.alice.sign(head), leaves: set.leaves, records: [])
        world.tell(1, .messageArrived(alice, .head(push)))
        let asked = world.sides[1].sent.count
        let one = RecordBatch(position: head.position, records: [set.records.values[0]])
        for _ in 0..<50 { world.tell(1, .messageArrived(alice, .records(one))) }
        #expect(world.sides[1].sent.count == asked + 1)
    }

    @Test("sends a list after two seconds to a peer whose summaries always differ, and ever more rarely")
    func summaries() throws {
        var world = connected()
        let link = try #require(world.sides[0].gossip.link(with: world.node(1)))
        let before = world.sides[0].sent.count
        for tenth in 0..<100 {
            let wrong = RegistrySummary(digest: Samples.suite.digest([UInt8(tenth)]))
            world.tell(0, .pinged(link.connection, wrong))
            world.pass(.milliseconds(100))
        }
        #expect((2...5).contains(world.sides[0].sent.count - before))
        var correspondent = Correspondent(theirs: Heads.fresh(), isServed: false)
        let pauses = (0...7).map { fruitless in
            correspondent.fruitless = fruitless
            return correspondent.listPause
        }
        #expect(pauses == [2, 4, 8, 16, 32, 60, 60, 60].map { .seconds($0) })
    }
}
