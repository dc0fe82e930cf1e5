import MeshBase
import MeshSimulator
import Testing

@testable import MeshGossip

@Suite("What others tell a domain")
struct RelayTests {
    private func names(_ texts: String...) -> [ResourceName] { texts.map { Samples.name($0) } }

    /// Members in a row: each has met its neighbours only.
    private func row(_ count: Int, seed: UInt64 = 1) -> DomainWorld {
        var strangers: [(Int, Int)] = []
        for one in 0..<count {
            for other in 0..<count where one + 1 < other { strangers.append((one, other)) }
        }
        var world = DomainWorld(count, seed: seed, strangers: strangers)
        for side in 0..<count { world.offer(side, "r\(side)") }
        for side in 0..<count { world.join(side, world.member()) }
        world.connectAll()
        return world
    }

    @Test("reaches members that have not met its owner, over one who has, and shows there")
    func row() {
        var world = row(4)
        world.pass(.seconds(1))
        for side in 0..<4 {
            for owner in 0..<4 where owner != side {
                #expect(world.seen(by: side, of: owner) == names("r\(owner)"), "\(side) of \(owner)")
            }
        }
        for side in 0..<3 {
            #expect(world.summary(side, with: side + 1) == world.summary(side + 1, with: side))
        }
    }

    @Test("that changes is passed on at once, and what was withdrawn is gone everywhere")
    func change() {
        var world = row(4)
        world.pass(.seconds(1))
        world.offer(0, "new")
        world.pass(.milliseconds(200))
        #expect(world.seen(by: 3, of: 0) == names("new"))
        world.offer(0, [])
        world.pass(.milliseconds(200))
        #expect(world.seen(by: 3, of: 0) == [])
    }

    @Test("is no news of who is a member no more when it would be told", arguments: [10, 60_000])
    func endedMeanwhile(milliseconds: Int) throws {
        var world = row(3)
        world.pass(.seconds(1))
        let (owner, push) = try world.head(1)
        let life = Duration.milliseconds(milliseconds)
        world.tell(1, .memberVouched(owner.node, owner.publicKey, world.member(for: life)))
        world.tell(1, .relayed(push, by: world.node(0)))
        #expect(world.places(at: 1).contains { $0.owner == owner.node })
        world.pass(.milliseconds(25))
        let told = world.sent(by: 1) { message -> HeadPlaces? in
            if case .places(let places) = message { places } else { nil }
        }
        let isTold = told.contains { $0.page.places.contains { $0.owner == owner.node } }
        #expect(isTold == (milliseconds > 25))
    }

    @Test("is quiet when nothing changes")
    func quiet() {
        var world = row(4)
        world.pass(.seconds(30))
        let before = world.sent.count
        let relayed = world.sides.map(\.relayed)
        world.pass(.seconds(120))
        #expect(world.sent.count == before)
        #expect(world.sides.map(\.relayed) == relayed)
    }

    @Test("is told to a member whose link with the owner broke, by one who has a link with both")
    func onePath() {
        var world = DomainWorld(3)
        for side in 0..<3 { world.offer(side, "r\(side)") }
        for side in 0..<3 { world.join(side, world.member()) }
        world.connect(0, 1)
        world.connect(1, 2)
        world.pass(.seconds(1))
        #expect(world.seen(by: 2, of: 0) == names("r0"))
        world.offer(0, "other")
        world.pass(.seconds(1))
        #expect(world.seen(by: 2, of: 0) == names("other"))
        // What is for the pair alone stays on the pair's link.
        world.tell(0, .offersChanged(world.node(2), [Samples.resource("secret")]))
        world.tell(0, .offersChanged(world.node(1), [Samples.resource("ours")]))
        world.pass(.seconds(1))
        #expect(world.sides[1].gossip.resources(of: world.node(0), at: world.now.wall).count == 2)
        #expect(
            world.sides[2].gossip.resources(of: world.node(0), at: world.now.wall).map(\.name)
                == names("other"))
    }

    @Test("comes by anti-entropy though every second message is lost, for many seeds", arguments: 1...12)
    func lossy(seed: Int) {
        var world = row(5, seed: UInt64(seed))
        world.lossPerMille = 500
        world.pass(.seconds(20))
        world.offer(0, "late")
        world.pass(.seconds(20))
        world.lossPerMille = 0
        world.pass(.seconds(60))
        for side in 1..<5 { #expect(world.seen(by: side, of: 0) == names("late"), "\(side)") }
    }

    @Test("is not served past its owner's word, nor past its owner's membership")
    func ends() {
        var world = row(3)
        world.join(0, world.member(for: .seconds(120)))
        world.pass(.seconds(1))
        world.vouch(0, to: 2)
        #expect(world.seen(by: 2, of: 0) == names("r0"))
        world.pass(.seconds(120))
        #expect(world.seen(by: 2, of: 0) == [])
        #expect(world.seen(by: 1, of: 0) == [])
    }

    @Test("is put away with the owner's proof, and counts again with the next one")
    func proofs() {
        var world = row(3)
        world.pass(.seconds(1))
        let owner = world.sides[0].key
        world.tell(2, .memberVouched(owner.node, owner.publicKey, nil))
        #expect(world.seen(by: 2, of: 0) == [])
        #expect(world.registry(2)?.quarantined[owner.node] != nil)
        world.pass(.seconds(10))
        #expect(world.seen(by: 2, of: 0) == names("r0"))
    }

    @Test("survives the holder's restart as a place below which nothing counts, and shows once it is proved")
    func restart() throws {
        var world = row(3)
        world.pass(.seconds(1))
        let old = try #require(world.registry(1)?.push(of: world.node(0), using: Samples.suite))
        world.offer(0, "new")
        world.pass(.seconds(1))
        world.restart(2)
        #expect(world.seen(by: 2, of: 0) == [])
        world.vouch(0, to: 2)
        world.connect(1, 2)
        world.tell(2, .relayed(old, by: world.node(1)))
        #expect(world.seen(by: 2, of: 0) == names("new"))
    }

    @Test("is renewed at members that missed a renewal, though all summaries stay equal")
    func missedRenewal() {
        var world = row(3)
        world.pass(.seconds(1))
        world.silent = 1
        // Signed anew at ten minutes; what tells of it is lost.
        world.pass(.seconds(610))
        world.silent = nil
        world.pass(.seconds(240))
        #expect(world.seen(by: 2, of: 0) == names("r0"))
        world.pass(.seconds(60))
        #expect(world.seen(by: 2, of: 0) == names("r0"))
    }

    @Test("crosses a hundred and fifty owners in pages, within ten seconds and a minute's bytes")
    func pages() throws {
        var world = DomainWorld(3, strangers: [(0, 2)])
        for side in 0..<3 { world.join(side, world.member()) }
        for number in 0..<150 {
            let key = SimulatedKey(UInt64(500 + number))
            world.absent[key.node] = key
        }
        try world.hold(0..<150, at: 1)
        world.connect(0, 1)
        world.pass(.seconds(10))
        #expect(world.held(at: 0) == 150)
        #expect(!world.sides[1].records.contains { if case .answerWithheld = $0 { true } else { false } })
    }

    @Test("is asked for in portions whose proofs a second's share of signatures covers")
    func portions() throws {
        var world = DomainWorld(3, strangers: [(0, 2)])
        for side in 0..<3 { world.join(side, world.member()) }
        try world.hold(0..<128, at: 1)
        world.connect(0, 1)
        world.pass(.milliseconds(500))
        let proofs = world.sent.compactMap { sent -> Int? in
            guard case .ask(let request) = sent.message, sent.from == 0 else { return nil }
            return request.wanted.count { !$0.isProved }
        }
        #expect(proofs.reduce(0, +) * 3 <= Limits.signatureChecksPerSecond * 3 / 2)
        #expect(proofs.reduce(0, +) > Limits.signatureChecksPerSecond / 4)
    }

    @Test("though neither side takes what the other holds, lists do not answer lists without end")
    func inVain() throws {
        var world = DomainWorld(3, strangers: [(0, 2)])
        for side in 0..<3 { world.join(side, world.member()) }
        world.latency = .milliseconds(250)
        try world.hold(0..<1, at: 1)
        try world.hold(1..<2, at: 0)
        world.connect(0, 1)
        world.pass(.seconds(120))
        #expect(world.held(at: 0) == 1 && world.held(at: 1) == 1)
        let lists = world.sent.count { if case .list = $0.message { true } else { false } }
        // Two a side when the link comes up; then pauses of two seconds to a minute.
        #expect(lists > 4 && lists < 40, "\(lists) lists")
    }
}
