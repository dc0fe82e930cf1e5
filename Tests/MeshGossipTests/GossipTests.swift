import MeshBase
import MeshSimulator
import Testing

@testable import MeshGossip

@Suite("Gossip between two nodes")
struct GossipTests {
    private func connected(_ offers: [ResourceDescription]...) -> PairWorld {
        var world = PairWorld()
        for (side, resources) in offers.enumerated() { world.offer(side, resources) }
        world.connect()
        world.pass(.seconds(1))
        return world
    }

    private func lists(_ world: PairWorld, _ side: Int) -> Int {
        world.sides[side].sent.count {
            if case .list = $0 { return true }
            return false
        }
    }

    private func pushes(_ world: PairWorld, _ side: Int) -> Int {
        world.sides[side].sent.count {
            if case .head = $0 { return true }
            return false
        }
    }

    // MARK: Spreading

    @Test("shows each what the other offers soon after the link is up")
    func first() {
        let world = connected([Samples.resource("a")], [Samples.resource("b"), Samples.resource("c")])
        #expect(world.seen(by: 1) == [Samples.resource("a")])
        #expect(world.seen(by: 0) == [Samples.resource("b"), Samples.resource("c")])
        #expect(world.summary(0) == world.summary(1))
    }

    @Test("tells a change at once, and a withdrawal as well")
    func change() {
        var world = connected([Samples.resource("a")])
        world.offer(0, [Samples.resource("b")])
        world.pass(.milliseconds(100))
        #expect(world.seen(by: 1) == [Samples.resource("b")])
        world.offer(0, [])
        world.pass(.milliseconds(100))
        #expect(world.seen(by: 1) == [])
    }

    @Test("brings many large records over in parts")
    func large() {
        let many = (0..<60).map { Samples.bulkyResource("bulk-\($0 + 1_000)") }
        var world = connected(many)
        world.pass(.seconds(9))
        #expect(world.seen(by: 1).count == 60)
        #expect(world.sides[1].disk[world.node(0)]?.records.count == 60)
    }

    @Test("says nothing while nothing changes but one renewal every ten minutes")
    func quiet() {
        var world = connected([Samples.resource("a")])
        let before = world.sides.map(\.sent.count)
        world.pass(.seconds(3_000))
        #expect(world.sides[0].sent.count - before[0] == 5)
        #expect(world.sides[1].sent.count == before[1])
        #expect(world.seen(by: 1) == [Samples.resource("a")])
    }

    @Test("differs in its summary while records are still missing")
    func gatheringDiffers() throws {
        var world = connected([Samples.resource("a")])
        var push = try #require(world.registry(0)?.push(using: Samples.suite))
        world.offer(0, [Samples.resource("b")])
        world.lossPerMille = 1_000
        world.pass(.milliseconds(100))
        push = try #require(world.registry(0)?.push(using: Samples.suite))
        let bare = HeadPush(head: push.head, leaves: push.leaves, records: [])
        world.tell(1, .messageArrived(world.node(0), .head(bare)))
        #expect(world.summary(0) != world.summary(1))
        world.lossPerMille = 0
        world.pass(.seconds(20))
        #expect(world.summary(0) == world.summary(1))
        #expect(world.seen(by: 1) == [Samples.resource("b")])
    }

    @Test("asks for a renewal that was lost before the copy expires")
    func lostRenewal() {
        var world = connected([Samples.resource("a")])
        world.pass(.seconds(590))
        world.disconnect()
        world.pass(.seconds(20))
        // The list at the new link is lost as well.
        world.lossPerMille = 1_000
        world.connect()
        world.lossPerMille = 0
        #expect(world.summary(0) == world.summary(1))
        for _ in 0..<60 {
            world.pass(.seconds(10))
            #expect(world.seen(by: 1) == [Samples.resource("a")])
        }
    }

    @Test("asks for an overdue renewal also when it is the peer that pings")
    func lostRenewalWhenPinged() throws {
        var world = connected([Samples.resource("a")])
        world.pass(.seconds(598))
        world.lossPerMille = 1_000
        world.pass(.seconds(2))
        world.disconnect()
        world.connect()
        world.pass(.milliseconds(100))
        let link = try #require(world.sides[1].gossip.link(with: world.node(0)))
        let summary = try #require(world.summary(1))
        for (seconds, expected) in [(60, 0), (30, 1), (1, 0), (30, 1)] {
            world.sides[1].clock += .seconds(seconds)
            world.tell(1, .heard(link.connection))
            let before = lists(world, 1)
            let instant = world.moment(1).instant + world.sides[1].clock
            let later = Moment(instant: instant, wall: world.moment(1).wall)
            var outbox = Outbox<GossipEffect>()
            world.sides[1].gossip.handle(.pinged(link.connection, summary), at: later, into: &outbox)
            let sent = outbox.drain().count { effect in
                if case .send(_, .list) = effect { return true }
                return false
            }
            #expect(sent == expected && before == lists(world, 1), "after \(seconds) s more")
        }
    }

    // MARK: Time

    @Test("shows nothing of a peer that stayed away, from the moment its head expires")
    func expiry() {
        var world = connected([Samples.resource("a")])
        world.disconnect()
        let changes = world.sides[1].catalogChanges
        world.restart(0, on: OrderedTable())
        world.sides[0].gossip = Gossip(
            me: world.node(0), ownKey: Samples.alice.publicKey, heads: [], suite: Samples.suite,
            generator: SeededGenerator(seed: 1))
        world.pass(.seconds(890))
        #expect(world.seen(by: 1) == [Samples.resource("a")])
        #expect(world.sides[1].catalogChanges == changes)
        world.pass(.seconds(20))
        #expect(world.seen(by: 1) == [])
        #expect(world.sides[1].catalogChanges == changes + 1)
    }

    @Test("notices within a minute that its clock was set past an expiry")
    func clockSetForward() {
        var world = connected([Samples.resource("a")])
        world.disconnect()
        let changes = world.sides[1].catalogChanges
        world.sides[1].clock = .seconds(3_600)
        world.pass(.seconds(61))
        #expect(world.sides[1].catalogChanges == changes + 1)
        world.sides[1].clock = .zero
        world.pass(.seconds(61))
        #expect(world.sides[1].catalogChanges == changes + 2)
        #expect(world.seen(by: 1) == [Samples.resource("a")])
    }

    @Test("lets what was stored expire too")
    func storedExpiry() {
        var world = connected([Samples.resource("a")])
        world.disconnect()
        world.restart(1)
        #expect(world.seen(by: 1) == [Samples.resource("a")])
        let changes = world.sides[1].catalogChanges
        world.pass(.seconds(901))
        #expect(world.seen(by: 1) == [] && world.sides[1].catalogChanges == changes + 1)
    }

    @Test("begins a new epoch after a clock that ran ahead, told to both sides' audit")
    func epoch() {
        var world = connected([Samples.resource("a")])
        world.sides[0].clock = .seconds(3_600)
        world.offer(0, [Samples.resource("b")])
        world.pass(.seconds(5))
        #expect(world.seen(by: 1) == [Samples.resource("a")])
        world.sides[0].clock = .zero
        world.pass(.seconds(90))
        #expect(world.seen(by: 1) == [Samples.resource("b")])
        for side in 0...1 {
            let epochs = world.sides[side].records.filter {
                if case .epochBegan(of: world.node(0), epoch: 1, givenUp: _) = $0 { return true }
                return false
            }
            #expect(epochs.count == 1)
        }
    }

    @Test("asks again for a signature that does not come")
    func signatureLost() {
        var world = PairWorld()
        world.lossPerMille = 10_000
        world.offer(0, [Samples.resource("a")])
        world.lossPerMille = 0
        world.connect()
        world.pass(.seconds(29))
        #expect(world.seen(by: 1) == [])
        world.pass(.seconds(2))
        #expect(world.seen(by: 1) == [Samples.resource("a")])
    }

    // MARK: Restarts

    @Test("takes its own head from a peer after its home was restored, and goes on above it")
    func restored() {
        var world = connected([Samples.resource("a")])
        let backup = world.sides[0].disk
        world.sides[0].clock = .seconds(250)
        world.offer(0, [Samples.resource("b")])
        world.pass(.seconds(1))
        let held = world.registry(1)?.theirs.newest?.body.position
        world.sides[0].clock = .zero
        world.restart(0, on: backup)
        world.offer(0, [Samples.resource("c")])
        world.connect()
        world.pass(.seconds(5))
        #expect(world.seen(by: 1) == [Samples.resource("c")])
        #expect(world.registry(1)?.theirs.newest.map { $0.body.position > held! } == true)
        let recovered = world.sides[0].records.contains {
            if case .ownHeadRecovered = $0 { return true }
            return false
        }
        #expect(recovered && world.sides[1].convictions.isEmpty)
    }

    @Test("does not believe a head of its own that it did not sign")
    func forgedOwnHead() throws {
        var world = connected([Samples.resource("a")])
        let body = try #require(world.registry(0)?.own.published?.head.body)
        let forged = Head(
            owner: body.owner, audience: body.audience, epoch: 7, givenUp: 1, sequence: body.sequence,
            count: 0,
            root: .zero, issued: body.issued, expires: body.expires)
        let before = world.registry(0)?.own
        let list = RegistryList(mine: nil, yours: Samples.bob.sign(forged), isComplete: true)
        world.tell(0, .messageArrived(world.node(1), .list(list)))
        #expect(world.registry(0)?.own == before)
        guard case .messageInvalid? = world.sides[0].records.last else {
            Issue.record("believed")
            return
        }
    }

    // MARK: Trust

    @Test("has no link with who is not trusted")
    func stranger() {
        var world = PairWorld()
        var outbox = Outbox<GossipEffect>()
        let terms = Samples.terms(Samples.carol.node, dialler: Samples.carol.node)
        world.sides[0].gossip.handle(.linkAdmitted(ConnectionID(9), terms), at: world.now, into: &outbox)
        #expect(outbox.drain() == [.close(ConnectionID(9), .peerNotTrusted)])
        world.tell(0, .offersChanged(Samples.carol.node, [Samples.resource("a")]))
        let key = Samples.carol.node
        #expect(
            world.sides[0].gossip.registries[.pair(world.node(0), key)] == nil
                && world.sides[0].gossip.link(with: key) == nil)
    }

    @Test("shows and tells nothing once trust is gone, and keeps the highest positions for when it returns")
    func dropped() throws {
        var world = connected([Samples.resource("a")], [Samples.resource("b")])
        let push = try #require(world.registry(1)?.push(using: Samples.suite))
        let positions = [
            world.registry(0)?.own.highest, world.registry(0)?.theirs.newest?.body.position,
        ]
        world.tell(0, .peerDropped(world.node(1)))
        #expect(world.seen(by: 0) == [] && world.sides[0].gossip.link(with: world.node(1)) == nil)
        world.tell(0, .messageArrived(world.node(1), .head(push)))
        #expect(world.seen(by: 0) == [])
        world.tell(0, .peerDropped(world.node(1)))
        world.trust(0)
        #expect(world.registry(0)?.own.highest == positions[0])
        #expect(world.registry(0)?.theirs.newest?.body.position == positions[1])
        world.connect()
        world.pass(.seconds(1))
        #expect(world.seen(by: 0) == [Samples.resource("b")])
    }

    @Test("keeps the highest position also of a head that was still being gathered")
    func droppedWhileGathering() throws {
        var world = connected([], [Samples.resource("b")])
        world.offer(1, [Samples.resource("c")])
        world.lossPerMille = 1_000
        world.pass(.milliseconds(100))
        let push = try #require(world.registry(1)?.push(using: Samples.suite))
        let bare = HeadPush(head: push.head, leaves: push.leaves, records: [])
        world.tell(0, .messageArrived(world.node(1), .head(bare)))
        #expect(world.sides[0].disk[world.node(1)] == StoredHead(head: push.head, records: []))
        world.tell(0, .peerDropped(world.node(1)))
        world.trust(0)
        #expect(world.registry(0)?.theirs.newest == push.head)
    }

    @Test("gives a signature that comes after the trust it was asked under to no later head")
    func lateSignature() throws {
        var world = PairWorld()
        var outbox = Outbox<GossipEffect>()
        let (peer, key) = (world.node(1), Samples.bob.publicKey)
        func ask(_ name: String) throws -> SigningRequest {
            world.sides[0].gossip.handle(.peerTrusted(peer, key), at: world.now, into: &outbox)
            world.sides[0].gossip.handle(
                .offersChanged(peer, [Samples.resource(name)]), at: world.now, into: &outbox)
            let requests = outbox.drain().compactMap { effect in
                if case .sign(let request) = effect { return request }
                return nil
            }
            return try #require(requests.last)
        }
        let first = try ask("a")
        world.sides[0].gossip.handle(.peerDropped(peer), at: world.now, into: &outbox)
        let second = try ask("b")
        #expect(first.ticket != second.ticket)
        world.tell(0, .signed(first.ticket, Samples.alice.sign(first)))
        #expect(world.registry(0)?.own.published == nil)
        world.tell(0, .signed(second.ticket, Samples.alice.sign(second)))
        #expect(world.registry(0)?.own.published?.set.records.keys == [Samples.name("b")])
    }
}
