import MeshBase
import MeshSimulator
import Testing

@testable import MeshGossip

@Suite("Reconciliation by coded symbols")
struct ReconciliationTests {
    @Test("equal sets are known to be equal after the first batch")
    func equalSets() {
        var session = SymbolSession(seed: 1, shared: 500, theirs: 0, mine: 0)
        #expect(session.run() == .complete(SetDifference(theirs: [], mine: [])))
        #expect(session.symbols == SymbolDecoder.firstBatch)
    }

    @Test("empty sets are equal, and one against nothing is all difference")
    func emptySets() {
        var nothing = SymbolSession(seed: 1, shared: 0, theirs: 0, mine: 0)
        #expect(nothing.run() == .complete(SetDifference(theirs: [], mine: [])))
        var all = SymbolSession(seed: 2, shared: 0, theirs: 300, mine: 0)
        #expect(all.run() == all.truth)
        var none = SymbolSession(seed: 3, shared: 0, theirs: 0, mine: 300)
        #expect(none.run() == none.truth)
    }

    @Test("finds exactly what differs, whatever the sets are", arguments: 0..<60)
    func findsTheDifference(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        let bound = UInt64(1) << chance.number(below: 11)
        var session = SymbolSession(
            seed: seed, shared: Int(chance.number(below: 2_000)), theirs: Int(chance.number(below: bound)),
            mine: Int(chance.number(below: bound)))
        #expect(session.run() == session.truth)
    }

    @Test("finds it from batches that are shorter than what was asked for")
    func shortBatches() {
        var session = SymbolSession(seed: 5, shared: 300, theirs: 40, mine: 30)
        #expect(session.run(batchMax: 7) == session.truth)
    }

    @Test("takes at most 1.5 symbols for each of many differences, and 32 for ten in ten thousand")
    func symbolsForDifferences() {
        for seed in 0..<5 as Range<UInt64> {
            var many = SymbolSession(seed: seed, shared: 3_000, theirs: 500, mine: 500)
            #expect(many.run(batchMax: 8) == many.truth)
            #expect(many.symbols <= 1_500, "\(many.symbols) symbols for 1 000 differences")
        }
        var kept = 0
        for seed in 0..<20 as Range<UInt64> {
            var few = SymbolSession(seed: seed, shared: 10_000, theirs: 6, mine: 4)
            #expect(few.run() == few.truth)
            if few.symbols == 32 { kept += 1 }
        }
        #expect(kept >= 18, "\(kept) of 20 sessions needed one batch only")
    }

    @Test("one session names elements unlike any other, and so does another audience or pair")
    func salts() {
        let suite = SimulatedSuite()
        let (a, b, c) = (Samples.alice.node, Samples.bob.node, Samples.carol.node)
        let root = suite.digest([1, 2, 3])
        func id(
            _ salt: UInt8, _ nonce: UInt8, _ audience: Audience, _ pair: NodePair, epoch: Int64 = 0,
            owner: NodeID? = nil, root: Digest? = nil
        ) -> SaltedID {
            SessionKey(
                salt: Octets([UInt8](repeating: salt, count: 12)),
                nonce: Octets([UInt8](repeating: nonce, count: 12)), audience: audience, nodes: pair,
                using: suite
            ).id(of: owner ?? c, epoch: epoch, root: root ?? suite.digest([1, 2, 3]))
        }
        let ids = [
            id(1, 1, .pair(a, b), NodePair(a, b)), id(2, 1, .pair(a, b), NodePair(a, b)),
            id(1, 2, .pair(a, b), NodePair(a, b)), id(1, 1, .pair(a, c), NodePair(a, b)),
            id(1, 1, .pair(a, b), NodePair(a, c)), id(1, 1, .pair(a, b), NodePair(a, b), epoch: 1),
            id(1, 1, .pair(a, b), NodePair(a, b), owner: a),
            id(1, 1, .pair(a, b), NodePair(a, b), root: .zero),
        ]
        #expect(Set(ids).count == 8)
        #expect(id(1, 1, .pair(b, a), NodePair(b, a), root: root) == ids[0], "both sides name alike")
    }

    @Test("an element is in symbol i with the chance 2 / (i + 2)")
    func indices() {
        let count = 40_000
        var hits = [Int](repeating: 0, count: 200)
        var chance = SeededGenerator(seed: 9)
        for _ in 0..<count {
            var indices = SymbolIndices(seed: chance.next())
            while indices.next < 200 {
                hits[Int(indices.next)] += 1
                indices.advance()
            }
        }
        for (index, hit) in hits.enumerated() {
            let expected = 2 * Double(count) / Double(index + 2)
            // Five standard deviations.
            let spread = 5 * (expected * (1 - expected / Double(count))).squareRoot()
            #expect(abs(Double(hit) - expected) <= spread, "symbol \(index): \(hit), not \(expected)")
        }
    }

    @Test("indices rise strictly to the end of the row, even where chance draws its extremes")
    func indicesRise() {
        var chance = SeededGenerator(seed: 10)
        for seed in [0, 1, .max] + (0..<2_000).map({ _ in chance.next() }) as [UInt64] {
            var indices = SymbolIndices(seed: seed)
            while Int(indices.next) < SymbolEncoder.symbolsMax {
                let before = indices.next
                indices.advance()
                #expect(indices.next > before)
                guard indices.next > before else { return }
            }
        }
    }

    @Test("the next index is the least that the protocol's inequality allows, whatever is drawn where")
    func nextIndex() {
        var chance = SeededGenerator(seed: 12)
        let draws = [1, 2, 3, 1 << 30, (1 << 31) - 1, 1 << 31] as [UInt64]
        let places = Array(0..<64) + [32_767, 65_534, 65_535] as [UInt64]
        for here in places + (0..<2_000).map({ _ in chance.next() >> 48 }) {
            for drawn in draws + (0..<8).map({ _ in (chance.next() >> 33) + 1 }) {
                let next = SymbolIndices.index(after: here, drawn: drawn)
                let bound = (here + 1) * (here + 2) << 31
                let isLeast = next * (next + 1) * drawn <= bound
                #expect(isLeast && (next + 1) * (next + 2) * drawn > bound, "\(here), \(drawn): \(next)")
            }
        }
    }

    @Test("a set has 2^20 elements and not one more, and a row is as long whoever asks")
    func setMax() throws {
        let key = SymbolSession.key(1)
        let ids = (0...UInt64(SymbolEncoder.setMax)).map(SaltedID.init)
        #expect(SymbolEncoder(ids, key: key) == nil)
        var few = try #require(SymbolEncoder(Array(ids.prefix(3)), key: key))
        let beyond = few.batch(
            SymbolEncoder.symbolsMax - 2..<Int.max, salt: SymbolSession.salt, nonce: SymbolSession.salt)
        #expect(beyond.symbols.count == 2)
        #expect(few.symbols.count == SymbolEncoder.symbolsMax)
        let long = few.batch(0..<5_000, salt: SymbolSession.salt, nonce: SymbolSession.salt)
        #expect(long.symbols.count == SymbolBatch.symbolsMax)
    }
}
