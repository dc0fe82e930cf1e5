import MeshBase
import Testing

@testable import MeshRouting

@Suite("Rates of partners and principals")
struct RateBookTests {
    /// Two at once, and one a second.
    private let slow = CallRate(calls: 1, seconds: 1, burst: 2)
    private let first = RateBook.Caller.partner(partner(1))
    private let second = RateBook.Caller.partner(partner(2))

    private func book(peer: CallRate? = nil, principal: CallRate? = nil) throws -> RateBook {
        try #require(RateBook(CallRates(perPeer: peer, perPrincipal: principal)))
    }

    private func name(_ number: Int) -> Principal { Principal("p\(number)")! }
    private func at(_ milliseconds: Int) -> Instant { Instant(nanoseconds: Int64(milliseconds) * 1_000_000) }

    /// Whether a call passes.
    private func passes(
        _ book: inout RateBook, _ caller: RateBook.Caller, _ number: Int, _ milliseconds: Int = 0
    ) -> Bool {
        book.take(caller, name(number), at: at(milliseconds)) == nil
    }

    /// How many of `numbers` pass, one call each.
    private func passing(_ book: inout RateBook, _ numbers: Range<Int>, _ milliseconds: Int = 0) -> Int {
        numbers.reduce(0) { $0 + (passes(&book, first, $1, milliseconds) ? 1 : 0) }
    }

    @Test("a partner has its burst, then its rate, whomever it calls for, and no other pays")
    func partners() throws {
        var book = try book(peer: slow)
        #expect(passing(&book, 0..<5) == 2)
        let isOther = passes(&book, second, 1)
        let late = [999, 1_000, 1_001].map { passes(&book, first, 1, $0) }
        #expect(isOther && late == [false, true, false])
    }

    @Test("partners without end reset nobody's count, and a span lets no call more through than it says")
    func crowd() throws {
        var book = try book(peer: slow)
        let last = RateBook.Caller.partner(Digest(Array(0..<32))!)
        func round() -> [Bool] {
            (0...255).map { passes(&book, .partner(partner($0)), 1) } + [passes(&book, last, 1)]
        }
        let rounds = (0..<3).map { _ in Set(round()) }
        #expect(rounds == [[true], [true], [false]] && book.count == 257)
        #expect(CallRate(calls: 3, seconds: 1, burst: 1).interval == .nanoseconds(333_333_334))
    }

    @Test("a principal has its own at each partner that names it, and the refusal says whose and how long")
    func principals() throws {
        var book = try book(principal: slow)
        #expect(passing(&book, 1..<2) == 1 && passing(&book, 1..<3) == 2 && passing(&book, 1..<3) == 1)
        let isOther = passes(&book, second, 1)
        #expect(isOther)
        let before = book
        let refusal = book.refusal(of: first, name(1), at: at(1))
        #expect(book == before, "asking changes nothing")
        #expect(
            refusal
                == Refusal(
                    .tooManyCalls,
                    [
                        Fact("decided at", "provider"), Fact("calls of", "principal p1"),
                        Fact("rate set", "1 calls in 1 s"), Fact("burst", 2), Fact("free again in ms", 999),
                    ]))
    }

    @Test("applications here are held to their principal's rate, and to no partner's")
    func own() throws {
        var both = try book(peer: slow, principal: CallRate(calls: 1, seconds: 1, burst: 3))
        let mine = (0..<4).map { _ in passes(&both, .own, 1) }
        #expect(mine == [true, true, true, false])
        #expect(both.refusal(of: .own, name(1), at: at(0))?.facts.first == Fact("decided at", "consumer"))
        var peersOnly = try book(peer: slow)
        let unheld = (0..<4).map { _ in passes(&peersOnly, .own, 1) }
        #expect(unheld == [true, true, true, true])
    }

    @Test("what one of the two refuses is counted by neither")
    func both() throws {
        var book = try book(peer: CallRate(calls: 1, seconds: 1, burst: 3), principal: slow)
        let once = (0..<12).map { _ in passes(&book, first, 1) }
        #expect(once.prefix(3) == [true, true, false] && !once.dropFirst(2).contains(true))
        // The partner has one left, and the principal that it names next loses nothing when it has none.
        #expect(passing(&book, 2..<5) == 1)
        #expect(book.refusal(of: partner(1), at: at(0))?.facts[1] == Fact("calls of", "this partner"))
        let next = (0..<2).map { _ in passes(&book, first, 4, 2_000) }
        #expect(next == [true, true])
    }

    @Test(
        "sixty-four principals of a partner have a bucket each; who comes then shares one, and none is reset")
    func many() throws {
        var book = try book(principal: slow)
        let most = Limits.principalsPerPeer
        #expect(passing(&book, 0..<most) == most && passing(&book, 0..<most) == most)
        // A thousand names more are two calls.
        #expect(passing(&book, most..<most + 1_000) == 2)
        #expect(passing(&book, 0..<most) == 0)
        let beyond = book.refusal(of: first, name(most), at: at(0))
        #expect(beyond?.facts[1] == Fact("calls of", "principals beyond 64"))
        // All are full after two seconds, and who passed among the others begins with what those took.
        for (time, count) in [(1_999, 1), (1_999, 0), (2_000, 1), (2_000, 0)] {
            #expect(passing(&book, most..<most + 1, time) == count)
        }
        #expect(passing(&book, 0..<most - 1, 2_000) == most - 1)
    }

    @Test("a thousand principals of this node have a bucket each, and the next ones share one")
    func manyOwn() throws {
        var book = try book(principal: slow)
        func pass(_ numbers: Range<Int>) -> Int {
            numbers.count { book.take(.own, name($0), at: at(0)) == nil }
        }
        let most = Limits.ownPrincipals
        #expect(pass(0..<most) == most && pass(0..<most) == most && pass(0..<most) == 0)
        #expect(pass(most..<most + 100) == 2)
        let beyond = book.refusal(of: .own, name(most), at: at(0))
        #expect(beyond?.facts[1] == Fact("calls of", "principals beyond 1024"))
    }

    @Test("a name that is refused takes no place from one that is not")
    func refusedNames() throws {
        var book = try book(principal: slow)
        let most = Limits.principalsPerPeer
        for _ in 0..<2 { #expect(passing(&book, 0..<most) == most) }
        // The others have none left when the first are full.
        #expect(passing(&book, most..<most + 9, 500) == 2 && passing(&book, most..<most + 9, 1_999) == 1)
        #expect(passing(&book, 1_000..<2_000, 2_000) == 0)
        #expect(passing(&book, 5_000..<5_001, 2_500) == 1)
        let refusal = book.refusal(of: first, name(5_000), at: at(2_500))
        #expect(refusal?.facts[1] == Fact("calls of", "principal p5000"))
    }

    @Test("a place is free as soon as one bucket is full, whichever was made when")
    func freed() throws {
        let most = Limits.principalsPerPeer
        // One is back in a second; the first of these take three, the last takes one.
        var book = try book(principal: CallRate(calls: 1, seconds: 1, burst: 3))
        for _ in 0..<3 { #expect(passing(&book, 0..<most - 1) == most - 1) }
        #expect(passing(&book, most - 1..<most) == 1)
        func isBeyond(_ number: Int, _ time: Int) -> Bool {
            for _ in 0..<3 { _ = passing(&book, number..<number + 1, time) }
            return book.refusal(of: first, name(number), at: at(time))?.facts[1].value
                != "principal p\(number)"
        }
        #expect(isBeyond(100, 0) && isBeyond(100, 999) && !isBeyond(200, 1_000) && isBeyond(300, 1_001))
        #expect(isBeyond(400, 2_999) && !isBeyond(500, 3_000))
    }

    @Test("what is full is forgotten where its place is wanted, of partners and of principals")
    func forgotten() throws {
        var book = try book(peer: slow, principal: CallRate(calls: 1_000, seconds: 1, burst: 1))
        func other(_ number: Int) -> Digest {
            let bytes = [UInt8](repeating: 1, count: 30) + [UInt8(number >> 8), UInt8(number & 255)]
            return Digest(bytes)!
        }
        for number in 0..<1_000 {
            let isThrough = passes(&book, .partner(other(number)), number, number * 10_000)
            #expect(isThrough && book.count <= 256)
        }
        book.forget { $0 == other(999) }
        #expect(book.count == 1)
        // Each name comes once, and its bucket is full a millisecond later: none is ever beyond.
        var one = try self.book(principal: CallRate(calls: 1_000, seconds: 1, burst: 1))
        for number in 0..<1_000 { #expect(passing(&one, number..<number + 1, number * 2) == 1) }
        let refusal = one.refusal(of: first, name(999), at: at(1_998))
        #expect(refusal?.facts[1] == Fact("calls of", "principal p999"))
    }

    @Test("where no rate is set there is no book")
    func none() { #expect(RateBook(CallRates()) == nil) }

    @Test(
        "in no time does more pass than burst and rate allow: of a principal, of a partner, of all names",
        arguments: 0..<40 as Range<UInt64>)
    func neverMore(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        func below(_ bound: UInt64) -> Int { Int(generator.number(below: bound)) }
        func rate() -> CallRate {
            CallRate(calls: Int64(1 + below(50)), seconds: Int64(1 + below(3)), burst: Int64(1 + below(20)))
        }
        let each = rate()
        let whole = below(2) == 0 ? rate() : nil
        var book = try book(peer: whole, principal: each)
        // Few names or many, in bursts or one by one.
        let names = UInt64([1, 3, 66, 80, 400][below(5)])
        let (pause, favourite) = (UInt64(1 + below(200)), below(4))
        var passed: [Int: [Int]] = [:]
        var all: [Int] = []
        var now = 0
        for _ in 0..<4_000 {
            if below(8) == 0 { now += below(pause) * (below(20) == 0 ? 40 : 1) }
            let number = favourite > 0 && below(UInt64(favourite) + 1) == 0 ? 0 : below(names)
            guard passes(&book, first, number, now) else { continue }
            passed[number, default: []].append(now)
            all.append(now)
        }
        #expect(!all.isEmpty)
        for (number, times) in passed { expectNoMore(times, than: each, "seed \(seed), p\(number)") }
        if let whole { expectNoMore(all, than: whole, "seed \(seed), all") }
    }

    private func expectNoMore(_ times: [Int], than rate: CallRate, _ comment: Comment) {
        for (last, end) in times.enumerated() {
            let isWithin = times[...last].enumerated().allSatisfy { begin, start in
                Int64(last - begin + 1)
                    <= rate.burst + Int64(end - start) * rate.calls / (rate.seconds * 1_000)
            }
            guard isWithin else {
                Issue.record(comment)
                return
            }
        }
    }
}
