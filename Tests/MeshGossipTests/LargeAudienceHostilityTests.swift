import MeshBase
import MeshSimulator
import Testing

@testable import MeshGossip

/// Side 1 is the liar. What it can bring about is that side 0 compares with it by pages.
@Suite("Who lies about a large domain")
struct LargeAudienceHostilityTests {
    private func world(_ shared: Int = 40) throws -> DomainWorld {
        var world = try LargeAudienceTests.pair(shared)
        try world.give(1_000..<1_006, at: 0)
        try world.give(2_000..<2_006, at: 1)
        return world
    }

    private func dropped(_ world: DomainWorld) -> Int {
        world.sides[0].records.count { if case .messageDropped = $0 { true } else { false } }
    }

    private func asked(by side: Int, in world: DomainWorld) -> Int {
        world.sent(by: side, LargeAudienceTests.requests).count
    }

    private func tag(_ world: DomainWorld) throws -> AudienceTag {
        try #require(world.sides[1].gossip.tag(of: world.audience, with: world.node(0)))
    }

    @Test("with symbols of no set is turned from, for ten minutes, counted, not blamed, and reached by pages")
    func wrongSymbols() throws {
        var world = try world()
        world.alters = { from, message in
            // It never asks by itself either.
            if from == 1, LargeAudienceTests.requests(message) != nil { return nil }
            guard from == 1, case .symbols(let batch) = message else { return message }
            return .symbols(
                SymbolBatch(
                    salt: batch.salt, nonce: batch.nonce, setSize: batch.setSize, first: batch.first,
                    symbols: batch.symbols.map {
                        CodedSymbol(idSum: $0.idSum ^ 1, checkSum: 0, count: $0.count)
                    }))
        }
        world.connect(0, 1)
        world.pass(.seconds(120))
        #expect(dropped(world) == 1)
        #expect(asked(by: 0, in: world) <= SymbolDecoder.symbolsLimit(46, 46) / SymbolDecoder.firstBatch + 1)
        #expect(!world.sent(by: 0, LargeAudienceTests.pages).isEmpty)
        #expect(world.summary(0, with: 1) == world.summary(1, with: 0))
        #expect(world.places(at: 0).count == 52)
        #expect(!world.sides[0].records.contains { if case .messageInvalid = $0 { true } else { false } })
        // Another link changes nothing of that, ten minutes do.
        let before = asked(by: 0, in: world)
        for (number, wait) in [(3_000, 60), (3_001, 600)] {
            world.disconnect(0)
            try world.give([number], at: 1)
            world.connect(0, 1)
            world.pass(.seconds(wait))
            #expect(world.summary(0, with: 1) == world.summary(1, with: 0))
            if wait == 60 { #expect(asked(by: 0, in: world) == before) }
        }
        world.disconnect(0)
        try world.give([3_002], at: 1)
        world.connect(0, 1)
        world.pass(.seconds(60))
        #expect(asked(by: 0, in: world) > before)
    }

    @Test("with another nonce in a later batch is turned from")
    func changedNonce() throws {
        var world = try world()
        try world.give(4_000..<4_025, at: 0)
        world.alters = { from, message in
            if from == 1, LargeAudienceTests.requests(message) != nil { return nil }
            guard from == 1, case .symbols(let batch) = message, batch.first > 0 else { return message }
            return .symbols(
                SymbolBatch(
                    salt: batch.salt, nonce: Octets([UInt8](repeating: 9, count: 12)), setSize: batch.setSize,
                    first: batch.first, symbols: batch.symbols))
        }
        world.connect(0, 1)
        world.pass(.seconds(60))
        #expect(dropped(world) == 1)
        #expect(world.summary(0, with: 1) == world.summary(1, with: 0))
    }

    @Test("and who does not answer at all, is asked once in ten minutes, and compared with by pages")
    func silence() throws {
        var world = try world()
        world.alters = { from, message in
            switch message {
            case .symbolsWanted, .symbols, .elementsWanted: from == 1 ? nil : message
            case .head, .want, .records, .list, .places, .ask, .contradiction: message
            }
        }
        world.connect(0, 1)
        world.pass(.seconds(60))
        #expect(world.places(at: 0).count == 52 && world.places(at: 1).count == 52)
        #expect(asked(by: 0, in: world) == 1)
        #expect(dropped(world) == 0)
        // Also what differs later is found by pages, at once.
        try world.give([3_000], at: 1)
        world.pass(.seconds(70))
        #expect(world.places(at: 0).count == 53)
        #expect(asked(by: 0, in: world) == 1)
    }

    @Test(
        "and drips one symbol every nine seconds is waited for no longer than a minute, or asks so for five")
    func dripping() throws {
        var world = try world()
        let tag = try tag(world)
        world.connect(0, 1)
        world.pass(.seconds(60))
        let request = SymbolRequest(audience: tag, salt: Octets(Array(1...12)), wanted: 0..<1)
        for _ in 0..<34 {
            world.tell(0, .messageArrived(world.node(1), .symbolsWanted(request)))
            world.pass(.seconds(9))
            if world.sides[0].gossip.comparisons.isEmpty { break }
        }
        #expect(world.sides[0].gossip.comparisons.isEmpty)
        var session = AskedSession(salt: request.salt, at: world.now.instant)
        session.time.goOn(at: world.now.instant + .seconds(55))
        #expect(session.time.until == world.now.instant + LinkComparison.askingMost)
    }

    @Test("of symbols further on than the row was asked for gets none")
    func skipping() throws {
        var world = try world()
        world.connect(0, 1)
        world.pass(.seconds(60))
        let tag = try tag(world)
        func ask(_ wanted: Range<Int>) -> Int {
            let before = world.sent(by: 0, LargeAudienceTests.batches).count
            let request = SymbolRequest(audience: tag, salt: Octets(Array(1...12)), wanted: wanted)
            world.tell(0, .messageArrived(world.node(1), .symbolsWanted(request)))
            return world.sent(by: 0, LargeAudienceTests.batches).count - before
        }
        #expect([ask(0..<32), ask(60_000..<60_032), ask(32..<64)] == [1, 0, 1])
    }

    @Test(
        "holds what nobody else takes is compared with ever more rarely, by symbols and by pages",
        arguments: [true, false])
    func inVain(areSymbolsKnown: Bool) throws {
        var world = try LargeAudienceTests.pair(40)
        try world.give([2_000], at: 1, areProvable: false)
        if !areSymbolsKnown { world.alters = { LargeAudienceTests.requests($1) == nil ? $1 : nil } }
        world.connect(0, 1)
        world.pass(.seconds(120))
        let before = world.sent.count
        world.pass(.seconds(240))
        #expect(world.places(at: 0).count == 40 && world.places(at: 1).count == 41)
        // Four minutes in which each side compares four times, or five.
        let most = areSymbolsKnown ? 60 : 400
        #expect(world.sent.count - before < most, "\(world.sent.count - before) messages")
    }

    @Test(
        "and asks without end, is answered from sixteen walks over the set, and four more a second"
    )
    func walks() throws {
        var world = try world()
        world.connect(0, 1)
        world.pass(.seconds(60))
        let tag = try tag(world)
        func ask(_ count: Int, in world: inout DomainWorld) -> Int {
            let before = world.sent(by: 0, LargeAudienceTests.batches).count
            for number in 0..<count {
                let salt = Octets([UInt8](repeating: UInt8(number), count: 12))
                let request = SymbolRequest(audience: tag, salt: salt, wanted: 0..<32)
                world.tell(0, .messageArrived(world.node(1), .symbolsWanted(request)))
            }
            return world.sent(by: 0, LargeAudienceTests.batches).count - before
        }
        // A session's ids are one walk, the first stretch of its row another.
        #expect(ask(50, in: &world) == Limits.setWalksAtOnce / 2)
        #expect(world.sides[0].gossip.comparisons.count == 1)
        world.pass(.seconds(1))
        #expect(ask(50, in: &world) == Limits.setWalksPerSecond / 2)
        #expect(world.sides[0].records.contains { if case .answerWithheld = $0 { true } else { false } })
        // And it is forgotten.
        world.pass(.seconds(11))
        #expect(world.sides[0].gossip.comparisons.isEmpty)
    }

    @Test("sets are kept for thirty-two links at once, and for not one more")
    func places() throws {
        var world = DomainWorld(35, listMost: 1)
        for side in world.sides.indices { world.join(side, world.member()) }
        for side in 1..<35 { world.connect(0, side) }
        world.pass(.seconds(60))
        for side in 1..<35 {
            let tag = try #require(world.sides[side].gossip.tag(of: world.audience, with: world.node(0)))
            let request = SymbolRequest(audience: tag, salt: Octets(Array(1...12)), wanted: 0..<32)
            world.tell(0, .messageArrived(world.node(side), .symbolsWanted(request)))
        }
        #expect(world.sides[0].gossip.comparisons.count == Limits.reconciliationsAtOnce)
    }

    @Test("gets nothing for symbols that nobody asked for, and nothing by ids of no session")
    func unasked() throws {
        var world = try world()
        world.connect(0, 1)
        world.pass(.seconds(60))
        let before = (world.sent.count, world.sides[0].relayed, world.sides[0].gossip.comparisons.count)
        let salt = Octets(Array(1...12))
        let batch = SymbolBatch(salt: salt, nonce: salt, setSize: 52, first: 0, symbols: [.empty])
        let elements = ElementRequest(salt: salt, ids: [SaltedID(1)])
        let late = SymbolRequest(audience: try tag(world), salt: salt, wanted: 32..<64)
        for message in [GossipMessage.symbols(batch), .elementsWanted(elements), .symbolsWanted(late)] {
            world.tell(0, .messageArrived(world.node(1), message))
        }
        let after = (world.sent.count, world.sides[0].relayed, world.sides[0].gossip.comparisons.count)
        #expect(before == after)
    }

    @Test("is told no head any more once its membership is over, though its session is open")
    func membershipOver() throws {
        var world = try world()
        world.connect(0, 1)
        world.pass(.seconds(60))
        let salt = Octets(Array(1...12))
        let request = SymbolRequest(audience: try tag(world), salt: salt, wanted: 0..<32)
        world.tell(0, .messageArrived(world.node(1), .symbolsWanted(request)))
        let key = try #require(world.sides[0].gossip.comparisons[world.node(1)]?.answering?.key)
        let ids = world.places(at: 0).map { key.id(of: $0) }.sorted()
        let before = world.sides[0].relayed
        world.join(1, nil)
        world.tell(0, .messageArrived(world.node(1), .elementsWanted(ElementRequest(salt: salt, ids: ids))))
        #expect(world.sides[0].relayed == before)
        #expect(world.sides[0].gossip.comparisons.isEmpty)
    }

    @Test("knows ids only: of one session none means anything in another")
    func otherSession() throws {
        var world = try world()
        world.connect(0, 1)
        world.pass(.seconds(60))
        let tag = try tag(world)
        func open(_ salt: UInt8) -> Octets {
            let salt = Octets([UInt8](repeating: salt, count: 12))
            let request = SymbolRequest(audience: tag, salt: salt, wanted: 0..<1)
            world.tell(0, .messageArrived(world.node(1), .symbolsWanted(request)))
            return salt
        }
        let first = open(1)
        let key = try #require(world.sides[0].gossip.comparisons[world.node(1)]?.answering?.key)
        let ids = world.places(at: 0).map { key.id(of: $0) }.sorted()
        let before = world.sides[0].relayed
        world.tell(0, .messageArrived(world.node(1), .elementsWanted(ElementRequest(salt: first, ids: ids))))
        #expect(world.sides[0].relayed - before == 52)
        let second = open(2)
        world.tell(0, .messageArrived(world.node(1), .elementsWanted(ElementRequest(salt: second, ids: ids))))
        #expect(world.sides[0].relayed - before == 52)
    }
}
