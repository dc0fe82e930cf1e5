import MeshBase
import MeshSimulator
import Testing

@testable import MeshGossip

@Suite("A domain that is too large for lists")
struct LargeAudienceTests {
    /// Two that have met, and hold what `shared` others told.
    static func pair(_ shared: Int, seed: UInt64 = 1, listMost: Int = 4) throws -> DomainWorld {
        var world = DomainWorld(2, seed: seed, listMost: listMost)
        for side in 0..<2 { world.join(side, world.member()) }
        for side in 0..<2 { try world.give(0..<shared, at: side) }
        return world
    }

    static func requests(_ message: GossipMessage) -> SymbolRequest? {
        if case .symbolsWanted(let request) = message { request } else { nil }
    }

    static func batches(_ message: GossipMessage) -> SymbolBatch? {
        if case .symbols(let batch) = message { batch } else { nil }
    }

    static func elements(_ message: GossipMessage) -> ElementRequest? {
        if case .elementsWanted(let request) = message { request } else { nil }
    }

    /// Pages that are no news.
    static func pages(_ message: GossipMessage) -> HeadPage? {
        switch message {
        case .list(let list): list.held
        case .places(let told): told.page.span == nil ? nil : told.page
        case .head, .want, .records, .ask, .contradiction, .symbolsWanted, .symbols, .elementsWanted: nil
        }
    }

    @Test(
        "both sides end with the same, whatever each held, in one session and without a page",
        arguments: 0..<24)
    func findsTheDifference(seed: UInt64) throws {
        var chance = SeededGenerator(seed: seed)
        func draw(_ bound: UInt64) -> Int { Int(chance.number(below: bound)) }
        let shared = 20 + draw(60)
        var world = try Self.pair(shared, seed: seed, listMost: 1 + draw(16))
        let (one, other) = (draw(8), draw(8))
        try world.give(1_000..<1_000 + one, at: 0)
        try world.give(2_000..<2_000 + other, at: 1)
        // And what changed while one of them was away.
        for number in 0..<draw(8) { try world.give([number], at: draw(2), version: 2) }
        world.connect(0, 1)
        world.pass(.seconds(30))
        #expect(world.places(at: 0).map(\.root) == world.places(at: 1).map(\.root))
        #expect(world.places(at: 0).count == shared + one + other)
        #expect(world.summary(0, with: 1) == world.summary(1, with: 0))
        for side in 0..<2 {
            #expect(world.sent(by: side, Self.requests).count { $0.first == 0 } <= 1)
            #expect(world.sent(by: side, Self.pages).isEmpty)
            #expect(world.sides[side].gossip.comparisons.isEmpty, "something is remembered of what is over")
        }
    }

    @Test("both end with the same though every tenth message is lost", arguments: 0..<6)
    func losses(seed: UInt64) throws {
        var world = try Self.pair(40, seed: seed, listMost: 16)
        world.lossPerMille = 100
        try world.give(1_000..<1_012, at: 0)
        try world.give(2_000..<2_009, at: 1)
        world.connect(0, 1)
        world.pass(.seconds(600))
        #expect(world.places(at: 0).count == 61)
        #expect(world.summary(0, with: 1) == world.summary(1, with: 0))
    }

    @Test("a hundred and twenty-eight heads are compared by a list, and one more by symbols")
    func threshold() throws {
        for (count, isBySymbols) in [(128, false), (129, true)] {
            var world = try Self.pair(count - 1, listMost: HeadPage.most)
            try world.give([1_000], at: 0)
            try world.give([2_000], at: 1)
            world.connect(0, 1)
            world.pass(.seconds(10))
            #expect(world.places(at: 0).count == count + 1)
            let batches = (0..<2).flatMap { world.sent(by: $0, Self.batches) }
            #expect(batches.isEmpty != isBySymbols, "\(count)")
        }
    }

    @Test("of two that ask at once the smaller node ID's goes on, and the other answers")
    func crossing() throws {
        var world = try Self.pair(40)
        try world.give([1_000], at: 0)
        try world.give([2_000], at: 1)
        world.connect(0, 1)
        world.pass(.seconds(2))
        let smaller = world.node(0) < world.node(1) ? 0 : 1
        for side in 0..<2 { #expect(world.sent(by: side, Self.requests).count == 1) }
        #expect(world.sent(by: smaller, Self.elements).count == 1)
        #expect(world.sent(by: 1 - smaller, Self.elements).isEmpty)
        #expect(world.sent(by: smaller, Self.batches).isEmpty)
        #expect(world.summary(0, with: 1) == world.summary(1, with: 0))
    }

    @Test("each session has a salt and a nonce of its own, and each batch of one session the same")
    func freshNonces() throws {
        var world = try Self.pair(60)
        var salts: [[Octets]] = []
        for round in 1...3 {
            world.disconnect(0)
            try world.give((round * 1_000)..<(round * 1_000 + 30), at: 0)
            let before = world.sent.count
            world.connect(0, 1)
            world.pass(.seconds(20))
            let batches = world.sent[before...].compactMap { Self.batches($0.message) }
            #expect(batches.count > 1 && Set(batches.map(\.nonce)).count == 1)
            salts.append([batches[0].salt, batches[0].nonce])
        }
        #expect(Set(salts.flatMap { $0 }).count == 6)
        #expect(world.places(at: 1).count == 150)
    }

    @Test("says what differs in portions that a second's share of signatures covers")
    func portions() throws {
        var world = try Self.pair(400)
        try world.give(1_000..<1_150, at: 0)
        try world.give(2_000..<2_150, at: 1)
        world.connect(0, 1)
        world.pass(.seconds(12))
        #expect(world.places(at: 0).count == 700 && world.places(at: 1).count == 700)
        for side in 0..<2 {
            #expect(world.sent(by: side, Self.elements).allSatisfy { $0.ids.count <= HeadPage.most })
            #expect(
                !world.sides[side].records.contains { if case .messageDropped = $0 { true } else { false } })
        }
    }

    @Test("what changes while a session is open is the next one's, and nothing is lost")
    func changesMeanwhile() throws {
        var world = try Self.pair(40)
        try world.give(1_000..<1_060, at: 0)
        world.latency = .milliseconds(200)
        world.connect(0, 1)
        world.pass(.milliseconds(700))
        try world.give(3_000..<3_005, at: 1)
        try world.give([1_059], at: 0, version: 2)
        world.pass(.seconds(40))
        #expect(world.places(at: 0).count == 105)
        #expect(world.summary(0, with: 1) == world.summary(1, with: 0))
    }

    @Test(
        "whose membership ends by the clock alone is told nothing more, whatever was under way",
        arguments: [2, 6])
    func membershipEnds(after seconds: Int) throws {
        var world = try Self.pair(40)
        try world.give(1_000..<1_400, at: 0)
        try world.give(2_000..<2_400, at: 1)
        // One side asks in vain, or both have more to say than they have time for.
        if seconds == 6 { world.alters = { Self.requests($1) == nil ? $1 : nil } }
        for side in 0..<2 { world.join(side, world.member(for: .seconds(seconds))) }
        world.connect(0, 1)
        world.pass(.milliseconds(seconds * 1_000 - 1))
        #expect(world.sides.contains { !$0.gossip.comparisons.isEmpty })
        // That nothing of the domain leaves is looked at by the world.
        world.pass(.seconds(60))
        #expect(world.sides.allSatisfy { $0.gossip.comparisons.isEmpty })
        #expect(world.places(at: 0).count < 840)
    }

    @Test("a newcomer reads pages, and goes on where it stopped when its link broke")
    func resumes() throws {
        var world = try Self.pair(0)
        try world.give(0..<60, at: 1)
        world.latency = .milliseconds(100)
        world.connect(0, 1)
        world.pass(.seconds(2))
        let known = world.places(at: 0).count
        #expect(known > 8 && known < 60, "\(known) before the link broke")
        let reached = try #require(world.registry(0)?.present[world.node(1)]?.pageReached)
        // Symbols would find what is left.
        world.alters = { _, message in
            if Self.requests(message) != nil { nil } else { message }
        }
        world.disconnect(0)
        let before = world.sent.count
        world.connect(0, 1)
        world.pass(.seconds(60))
        #expect(world.places(at: 0).count == 60)
        let asked = world.sent[before...].compactMap { sent -> NodeID? in
            guard case .ask(let request) = sent.message, sent.from == 0 else { return nil }
            return request.after
        }
        #expect(try #require(asked.first) >= reached, "it began again")
        #expect(world.registry(0)?.present[world.node(1)]?.pageReached == nil, "all pages were read")
    }
}
