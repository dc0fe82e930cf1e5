import MeshBase
import MeshSimulator
import Testing

@testable import MeshGossip

@Suite("What is offered to a domain")
struct DomainAudienceTests {
    /// Alice and Bob are members, Carol is trusted by both and is none.
    private func house() -> DomainWorld {
        var world = DomainWorld(3)
        world.connectAll()
        world.offer(0, "a")
        world.offer(1, "b")
        world.offer(2, "c")
        for side in 0...1 { world.join(side, world.member()) }
        world.pass(.seconds(1))
        return world
    }

    private func names(_ texts: String...) -> [ResourceName] { texts.map { Samples.name($0) } }

    @Test("is shown to its members soon after they prove to be some, and to nobody else")
    func members() {
        let world = house()
        #expect(world.seen(by: 0, of: 1) == names("b") && world.seen(by: 1, of: 0) == names("a"))
        for side in 0...1 {
            #expect(world.seen(by: 2, of: side) == [] && world.seen(by: side, of: 2) == [])
            #expect(world.registry(2)?.quarantined[world.node(side)] == nil)
        }
        #expect(world.summary(0, with: 1) == world.summary(1, with: 0))
        #expect(
            world.sides[0].gossip.resources(of: world.node(1), at: world.now.wall).map(\.name) == names("b"))
    }

    @Test("travels under one head for all members, signed once")
    func oneHead() throws {
        var world = house()
        world.join(2, world.member())
        world.pass(.seconds(1))
        let own = try #require(world.registry(0)?.own.published?.head)
        for side in 1...2 { #expect(world.registry(side)?.present[world.node(0)]?.theirs.newest == own) }
        #expect(world.seen(by: 2, of: 0) == names("a") && world.seen(by: 2, of: 1) == names("b"))
    }

    @Test("that the operator changes is told to every member at once")
    func change() {
        var world = house()
        world.offer(0, "d", "e")
        world.pass(.milliseconds(50))
        #expect(world.seen(by: 1, of: 0) == names("d", "e"))
        world.offer(0, [])
        world.pass(.milliseconds(50))
        #expect(world.seen(by: 1, of: 0) == [])
    }

    @Test("is shown no more from the moment a membership ends, on whichever side")
    func ended() {
        for side in 0...1 {
            var world = house()
            let changes = world.sides[0].catalogChanges
            world.join(side, nil)
            #expect(world.seen(by: 0, of: 1) == [] && world.seen(by: 1, of: 0) == [])
            #expect(world.sides[0].catalogChanges == changes + 1)
            #expect(world.registry(0)?.quarantined[world.node(1)] != nil)
            let before = world.sent.count
            world.offer(0, "later")
            world.pass(.seconds(30))
            let told = world.sent[before...].contains {
                if case .head(let push) = $0.message { return push.head.body.owner == world.node(0) }
                return false
            }
            #expect(!told)
        }
    }

    @Test("is neither shown nor told past the end of a membership of which nobody has told yet")
    func untoldEnd() {
        var world = house()
        world.join(1, world.member(for: .seconds(20)))
        world.pass(.seconds(19))
        #expect(world.seen(by: 0, of: 1) == names("b"))
        world.pass(.seconds(1))
        #expect(world.seen(by: 0, of: 1) == [])
        // DomainWorld looks at each of these.
        world.offer(0, "later")
        world.pass(.seconds(30))
        #expect(world.seen(by: 1, of: 0) == [])
    }

    @Test("counts with the next ping once a clock that ran ahead of a membership is right again")
    func clockReturns() {
        let (alice, bob) = (Samples.alice, Samples.bob)
        let start = Samples.start
        let ahead = Moment(instant: start.instant, wall: start.wall + .seconds(365 * 86_400))
        let membership = Membership(
            domain: DomainWorld.domains[0], roles: [.member], until: start.wall + .seconds(86_400))
        var gossip = Gossip(
            me: alice.node, ownKey: alice.publicKey, heads: [], suite: Samples.suite,
            generator: SeededGenerator(seed: 1))
        var effects = Outbox<GossipEffect>()
        gossip.handle(.peerTrusted(bob.node, bob.publicKey), at: ahead, into: &effects)
        for node in [alice.node, bob.node] {
            gossip.handle(.membershipChanged(node, membership), at: ahead, into: &effects)
        }
        let house = Audience.domain(membership.domain)
        #expect(gossip.registries[house]?.present[bob.node] == nil)
        gossip.compare(RegistrySummary(digest: .zero), with: bob.node, at: start, into: &effects)
        #expect(gossip.registries[house]?.present[bob.node] != nil)
        gossip.compare(RegistrySummary(digest: .zero), with: bob.node, at: ahead, into: &effects)
        #expect(gossip.registries[house]?.present[bob.node] == nil)
    }

    @Test("counts again when membership returns, and not below what was told before")
    func returned() throws {
        var world = house()
        let old = try #require(world.registry(0)?.push(using: Samples.suite))
        world.pass(.seconds(10))
        world.offer(0, "new")
        world.pass(.seconds(1))
        world.join(0, nil)
        world.join(0, world.member())
        #expect(world.seen(by: 1, of: 0) == names("new"))
        world.tell(1, .messageArrived(world.node(0), .head(old)))
        #expect(world.seen(by: 1, of: 0) == names("new"))
        #expect(
            world.sides[1].records.allSatisfy { event in
                if case .messageInvalid = event { return false }
                return true
            })
    }

    @Test("survives a restart, with its position")
    func restart() {
        var world = house()
        let position = world.registry(0)?.own.highest
        world.restart(0)
        world.restart(1)
        #expect(world.registry(0)?.own.highest == position)
        #expect(world.seen(by: 1, of: 0) == names("a"))
        world.connectAll()
        world.pass(.seconds(2))
        #expect(world.registry(0)?.own.highest == position)
        #expect(world.summary(0, with: 1) == world.summary(1, with: 0))
    }

    @Test("is told again after a ping when what was pushed was lost")
    func lost() {
        var world = house()
        world.lossPerMille = 1_000
        world.offer(0, "new")
        world.pass(.milliseconds(100))
        #expect(world.seen(by: 1, of: 0) == names("a"))
        world.lossPerMille = 0
        world.pass(.seconds(5))
        #expect(world.seen(by: 1, of: 0) == names("new"))
    }

    @Test("is asked about ever more rarely of a member that does not know yet that this node is one")
    func oneSided() {
        var world = house()
        world.sides[2].membership = world.member()
        for side in [2, 0] { world.tell(2, .membershipChanged(world.node(side), world.member())) }
        world.pass(.seconds(120))
        let before = world.sent.count
        world.pass(.seconds(300))
        #expect(world.sent.count - before < 40)
        world.tell(0, .membershipChanged(world.node(2), world.member()))
        world.pass(.seconds(5))
        #expect(world.seen(by: 0, of: 2) == names("c") && world.seen(by: 2, of: 0) == names("a"))
    }

    @Test("of one domain is not told to another that the node joins later")
    func otherDomain() {
        var world = house()
        world.join(2, world.member(1))
        world.join(0, world.member(1))
        world.pass(.seconds(5))
        #expect(world.seen(by: 2, of: 0) == names("a") && world.seen(by: 1, of: 0) == [])
        #expect(world.registry(0, 1)?.own.published?.head.body.audience == .domain(DomainWorld.domains[1]))
        #expect(world.registry(0)?.present.isEmpty == true)
    }

    @Test("is asked for in vain by who is no member, and nothing is held against who tells it of one")
    func outsider() throws {
        var world = house()
        let head = try #require(world.registry(0)?.own.published?.head)
        let push = try #require(world.registry(0)?.push(using: Samples.suite))
        let tag = Audience.domain(DomainWorld.domains[0]).tag(
            between: world.node(0), and: world.node(2), using: Samples.suite)
        let request = RecordRequest(audience: tag, position: head.body.position, keys: names("a"))
        let list = RegistryList(audience: tag, mine: nil, yours: nil, isComplete: false)
        let before = world.sent.count
        world.tell(0, .messageArrived(world.node(2), .want(request)))
        world.tell(0, .messageArrived(world.node(2), .list(list)))
        world.tell(2, .messageArrived(world.node(0), .head(push)))
        #expect(world.sent.count == before && world.seen(by: 2, of: 0) == [])
        let held = world.sides.flatMap(\.records).contains {
            if case .messageInvalid = $0 { return true }
            return false
        }
        #expect(!held)
    }

    @Test("is believed of its owner's own link only")
    func relayed() throws {
        var world = house()
        world.join(2, world.member())
        world.pass(.seconds(1))
        world.offer(0, "new")
        world.lossPerMille = 1_000
        world.pass(.milliseconds(100))
        let push = try #require(world.registry(0)?.push(using: Samples.suite))
        world.tell(1, .messageArrived(world.node(2), .head(push)))
        #expect(world.seen(by: 1, of: 0) == names("a"))
        // A later version will relay: its sender is no liar.
        #expect(
            world.sides[1].records.allSatisfy { event in
                if case .messageInvalid = event { return false }
                return true
            })
    }

    @Test("lives an hour where more than fifty share it, a quarter of one where fewer do")
    func life() throws {
        for (others, life) in [(49, Limits.headLife), (50, Limits.headLifeLarge)] {
            let alice = Samples.alice
            var registry = AudienceRegistry(
                .domain(DomainWorld.domains[0]), owner: alice.node, at: Samples.start.instant)
            for number in 0..<others {
                let key = SimulatedKey(UInt64(100 + number))
                registry.enter(key.node, key: key.publicKey, at: Samples.start)
            }
            registry.own.replace(with: [Samples.resource("a")], using: Samples.suite)
            guard case .sign(let head) = registry.own.next(at: Samples.start, using: Samples.suite) else {
                Issue.record("no head")
                return
            }
            #expect(head.expires - head.issued == life)
        }
    }

    @Test(
        "comes to be alike at all members, whoever joined, left, restarted or was not heard",
        arguments: 1...10)
    func convergence(seed: UInt64) {
        var world = DomainWorld(5, seed: seed)
        world.connectAll()
        world.lossPerMille = world.chance.number(below: 500)
        for _ in 0..<30 {
            let side = Int(world.chance.number(below: 5))
            switch world.chance.number(below: 7) {
            case 0, 1:
                let count = Int(world.chance.number(below: 4))
                world.offer(
                    side,
                    (0..<count).map { Samples.resource("r\($0)", path: "/\(world.chance.number(below: 3))") })
            case 2: world.join(side, world.member(Int(world.chance.number(below: 2))))
            case 3: world.join(side, world.member(for: .seconds(Int64(world.chance.number(below: 60) + 1))))
            case 4: world.join(side, nil)
            case 5: world.restart(side)
            default: world.disconnect(side)
            }
            world.connectAll()
            world.pass(world.chance.duration(from: .zero, through: .seconds(20)))
            checkShown(world)
        }
        world.lossPerMille = 0
        world.connectAll()
        world.pass(.seconds(60))
        checkShown(world)
        for one in 0..<5 {
            for other in 0..<5 where one != other {
                #expect(world.summary(one, with: other) == world.summary(other, with: one))
                guard isShared(world, one, other) else { continue }
                #expect(world.seen(by: one, of: other) == world.sides[other].offers.map(\.name))
            }
        }
    }

    private func isShared(_ world: DomainWorld, _ one: Int, _ other: Int) -> Bool {
        guard let first = world.sides[one].membership, let second = world.sides[other].membership else {
            return false
        }
        return first.domain == second.domain && min(first.until, second.until) > world.now.wall
    }

    private func checkShown(_ world: DomainWorld) {
        for one in 0..<5 {
            for other in 0..<5 where one != other && !isShared(world, one, other) {
                #expect(world.seen(by: one, of: other) == [], "shown outside of the domain")
            }
        }
    }
}
