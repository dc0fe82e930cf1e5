import MeshBase
import MeshSimulator
import Testing

@testable import MeshGossip

@Suite("Coded symbols of a liar")
struct SymbolHostilityTests {
    private func decoder(_ count: Int = 200, key: SessionKey = SymbolSession.key(1)) -> SymbolDecoder {
        var chance = SeededGenerator(seed: 77)
        let ids = (0..<count).map { _ in SaltedID(chance.next()) }
        return SymbolDecoder(SymbolEncoder(ids, key: key)!)
    }

    private func batch(_ first: Int, size: Int = 200, _ symbols: [CodedSymbol]) -> SymbolBatch {
        SymbolBatch(
            salt: SymbolSession.salt, nonce: SymbolSession.salt, setSize: size, first: first, symbols: symbols
        )
    }

    /// Answers whatever is asked with what `symbol` makes, until it ends; how many symbols that took.
    private func feed(
        _ decoder: inout SymbolDecoder, size: Int = 200, _ symbol: (Int) -> CodedSymbol
    ) -> Int {
        var sent = 0
        while case .wants(let range) = decoder.progress {
            _ = decoder.receive(batch(range.lowerBound, size: size, range.map(symbol)))
            sent += range.count
        }
        return sent
    }

    private func isRefused(_ progress: SymbolDecoder.Progress) -> Bool {
        if case .refused = progress { true } else { false }
    }

    @Test("random symbols end in a refusal, after no more of them than the bound", arguments: 0..<20)
    func randomSymbols(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        var decoder = decoder()
        let sent = feed(&decoder) { _ in
            CodedSymbol(
                idSum: chance.next(), checkSum: UInt32(truncatingIfNeeded: chance.next()),
                count: Int32(truncatingIfNeeded: chance.next()))
        }
        #expect(decoder.progress == .refused(.exhausted))
        #expect(sent == SymbolDecoder.symbolsLimit(200, 200))
    }

    @Test("symbols that each name an element, wherever they stand, end in a refusal", arguments: 0..<40)
    func namingSymbols(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        let key = SymbolSession.key(1)
        var decoder = decoder(key: key)
        // What a liar who knows the salt and this side's set can send: pure after the subtraction.
        var own = decoder.own
        own.extend(to: 4_096)
        let pool = (0..<(1 + chance.number(below: 400))).map { _ in chance.next() }
        let sent = feed(&decoder) { index in
            let id = pool[Int(chance.number(below: UInt64(pool.count)))]
            let sign: Int32 = chance.number(below: 2) == 0 ? 1 : -1
            var symbol = own.symbols[index]
            symbol.apply(id: id, check: UInt32(key.check(of: id) >> 32), sign: sign)
            return symbol
        }
        #expect(isRefused(decoder.progress))
        #expect(sent <= SymbolDecoder.symbolsLimit(200, 200))
    }

    @Test("an element that is named in a symbol where it is not goes round no cycle")
    func cycle() {
        let key = SymbolSession.key(1)
        var decoder = decoder(key: key)
        var own = decoder.own
        own.extend(to: 32)
        // Each symbol names the same element, now put in, now taken out.
        let symbols = (0..<32).map { index in
            var symbol = own.symbols[index]
            symbol.apply(id: 7, check: UInt32(key.check(of: 7) >> 32), sign: index % 2 == 0 ? 1 : -1)
            return symbol
        }
        #expect(decoder.receive(batch(0, symbols)) == .refused(.contradictory))
    }

    @Test("what was taken out must have been there, and what was put in must not")
    func membership() {
        let key = SymbolSession.key(1)
        for (sign, size) in [(-1, 199), (1, 201)] as [(Int32, Int)] {
            var decoder = decoder(key: key)
            var row = decoder.own
            // A row over one's own set with an element twice, or with a stranger taken away.
            let id = sign > 0 ? row.original.first! : 12_345
            row.apply(id, sign: sign) { _ in }
            row.extend(to: 32)
            let answer = decoder.receive(batch(0, size: size, Array(row.symbols[..<32])))
            #expect(answer == .refused(.contradictory))
        }
    }

    @Test("a row whose size is another than it says is none")
    func wrongSize() {
        var session = SymbolSession(seed: 4, shared: 100, theirs: 3, mine: 2)
        let good = session.encoder.batch(0..<32, salt: SymbolSession.salt, nonce: SymbolSession.salt)
        let lie = SymbolBatch(
            salt: SymbolSession.salt, nonce: SymbolSession.salt, setSize: 104, first: 0, symbols: good.symbols
        )
        #expect(session.decoder.receive(lie) == .refused(.contradictory))
    }

    @Test("symbol 0 alone does not make sets equal")
    func firstSymbolAlone() {
        var decoder = decoder()
        var own = decoder.own
        own.extend(to: 32)
        var symbols = Array(own.symbols[..<32])
        symbols[31].apply(id: 1, check: 2, sign: 2)
        #expect(decoder.receive(batch(0, symbols)) == .refused(.contradictory))
    }

    @Test("a batch must follow the one before, be of one set, and have no more symbols than were asked for")
    func order() {
        let symbols = [CodedSymbol](repeating: .empty, count: 32)
        for bad in [batch(1, symbols), batch(0, []), batch(0, symbols + symbols)] {
            var decoder = decoder()
            #expect(decoder.receive(bad) == .refused(.outOfOrder))
        }
        for bad in [batch(0, symbols), batch(33, symbols), batch(32, size: 201, [.empty])] {
            var decoder = decoder()
            #expect(decoder.receive(batch(0, symbols)) == .wants(32..<64))
            #expect(decoder.receive(bad) == .refused(.outOfOrder))
        }
    }

    @Test("what comes after the end changes nothing")
    func afterTheEnd() {
        var session = SymbolSession(seed: 4, shared: 100, theirs: 3, mine: 2)
        #expect(session.run() == session.truth)
        let before = session.decoder
        #expect(session.decoder.receive(batch(32, size: 103, [.empty])) == session.truth)
        #expect(session.decoder == before)
    }

    @Test("an honest session needs no more symbols than the bound, however small the sets")
    func boundIsAmple() {
        for seed in 0..<300 as Range<UInt64> {
            let count = 1 + Int(seed % 30)
            var session = SymbolSession(seed: seed, shared: 0, theirs: count, mine: count / 2)
            #expect(session.run() == session.truth)
        }
        #expect(SymbolDecoder.symbolsLimit(1 << 20, 1 << 20) == SymbolEncoder.symbolsMax)
    }
}
