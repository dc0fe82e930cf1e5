import MeshBase
import Testing

@testable import MeshRouting

@Suite("Answers that are kept")
struct ResponseCacheTests {
    private let one = agreement(1)
    private let two = agreement(2)

    private static func agreement(_ number: UInt8) -> Digest {
        Digest([UInt8](repeating: number, count: 32)) ?? .zero
    }

    private func at(_ milliseconds: Int64) -> Instant { .zero + .milliseconds(milliseconds) }
    private func both(_ milliseconds: Int64) -> Moment {
        Moment(instant: at(milliseconds), wall: WallTime(milliseconds: 1_000_000 + milliseconds))
    }

    private func key(
        _ path: String = "/a", principal: Principal = .local, purpose: Purpose? = nil, node: UInt8 = 1,
        resource: ResourceName = .echo, capability: ResourceName = .echo, query: String? = nil,
        headers: [HeaderField] = []
    ) -> ResponseCache.Key {
        ResponseCache.Key(
            node: NodeID(Self.agreement(node)), principal: principal, purpose: purpose, resource: resource,
            capability: capability, method: "GET", path: path, query: query, headers: headers)
    }

    private func answer(
        _ text: String, asked: Int64 = 0, headers: [HeaderField] = []
    ) -> ResponseCache.Kept {
        ResponseCache.Kept(
            status: 200, headers: headers, body: Octets(Array(text.utf8)), digest: nil,
            fetchedBy: CorrelationID(high: 0, low: 7), asked: both(asked))
    }

    private func found(
        _ cache: ResponseCache, _ key: ResponseCache.Key, under agreement: Digest? = nil,
        headers: [HeaderField] = [], at now: Int64
    ) -> String {
        let found = cache.find(key, under: agreement ?? one, headers: headers, at: both(now))
        return found.map { "\($0.result.rawValue) \(String(decoding: $0.kept.body.bytes, as: UTF8.self))" }
            ?? "none"
    }

    @Test("an answer is fresh for its time since it was asked for, then stale as long, five minutes at most")
    func life() {
        var cache = ResponseCache()
        cache.keep(
            answer("x", asked: 100), for: .init(.seconds(2)), as: key(), under: one, headers: [], at: at(600))
        #expect(found(cache, key(), at: 2_099) == "hit x" && found(cache, key(), at: 2_100) == "stale x")
        #expect(found(cache, key(), at: 4_099) == "stale x" && found(cache, key(), at: 4_100) == "none")
        cache.keep(
            answer("y"), for: .init(.seconds(3_600)), as: key("/b"), under: one, headers: [], at: at(0))
        #expect(found(cache, key("/b"), at: 3_900_000 - 1) == "stale y")
        #expect(found(cache, key("/b"), at: 3_900_000) == "none")
        cache.forget(before: both(3_900_000))
        #expect(cache.isEmpty && cache.bytes == 0 && cache.agreements.isEmpty)
        // What comes when its time is over is not kept.
        cache.keep(answer("z"), for: .init(.seconds(1)), as: key(), under: one, headers: [], at: at(1_000))
        #expect(cache.isEmpty)
    }

    @Test(
        "a machine that slept, and a clock that was put back, make it old; leave for fresh alone is kept to")
    func clocks() {
        var cache = ResponseCache()
        cache.keep(answer("x"), for: .init(.seconds(60)), as: key(), under: one, headers: [], at: at(0))
        func found(_ instant: Int64, _ wall: Int64) -> String {
            let now = Moment(instant: at(instant), wall: WallTime(milliseconds: 1_000_000 + wall))
            return cache.find(key(), under: one, headers: [], at: now)?.result.rawValue ?? "none"
        }
        #expect(found(5_000, 5_000) == "hit" && found(5_000, 60_000) == "stale")
        #expect(
            found(5_000, 120_000) == "none" && found(5_000, -999) == "hit" && found(5_000, -1_001) == "none")
        #expect(found(60_000, 5_000) == "stale" && found(120_000, 5_000) == "none")
        cache.keep(
            answer("x"), for: .init(.seconds(60), mayBeStale: false), as: key(), under: one, headers: [],
            at: at(0))
        #expect(found(59_999, 0) == "hit" && found(60_000, 0) == "none")
    }

    @Test("it is given to the same agreement, principal, purpose, node, resource, path and query only")
    func apart() throws {
        var cache = ResponseCache()
        let other = try #require(Principal("ann"))
        cache.keep(answer("x"), for: .init(.seconds(9)), as: key(), under: one, headers: [], at: at(0))
        #expect(found(cache, key(), at: 1) == "hit x")
        #expect(found(cache, key(), under: two, at: 1) == "none")
        let name = try #require(ResourceName("other"))
        let purpose = try #require(Purpose("billing"))
        for key in [
            key(principal: other), key(purpose: purpose), key(node: 2), key(resource: name), key("/b"),
            key(query: ""), key(capability: name), key(query: "a=b"),
            key(headers: [HeaderField("accept", "x")]),
            key(headers: [HeaderField("accept-language", "de")]),
        ] {
            #expect(found(cache, key, at: 1) == "none", "\(key)")
        }
    }

    @Test("what Vary names has to be the same, and an answer that varies with too much is not kept")
    func varies() {
        var cache = ResponseCache()
        let answer = answer("x", headers: [HeaderField("vary", "X-Tenant, accept")])
        let tenant = [HeaderField("x-tenant", "a"), HeaderField("x-other", "1")]
        cache.keep(answer, for: .init(.seconds(9)), as: key(), under: one, headers: tenant, at: at(0))
        #expect(found(cache, key(), headers: [HeaderField("x-tenant", "a")], at: 1) == "hit x")
        #expect(found(cache, key(), headers: [HeaderField("x-tenant", "b")], at: 1) == "none")
        #expect(found(cache, key(), headers: [], at: 1) == "none")
        let twice = [HeaderField("x-tenant", "a"), HeaderField("x-tenant", "a")]
        #expect(found(cache, key(), headers: twice, at: 1) == "none")
        let many = (0..<9).map { "x-\($0)" }.joined(separator: ",")
        cache.keep(
            self.answer("y", headers: [HeaderField("vary", many)]), for: .init(.seconds(9)), as: key("/b"),
            under: one, headers: [], at: at(0))
        #expect(found(cache, key("/b"), at: 1) == "none" && cache.count == 1)
    }

    @Test("a write ends what is kept of its resource, and what was asked before it is not kept any more")
    func writes() throws {
        var cache = ResponseCache()
        let name = try #require(ResourceName("other"))
        cache.keep(answer("x"), for: .init(.seconds(9)), as: key(), under: one, headers: [], at: at(0))
        cache.keep(
            answer("y"), for: .init(.seconds(9)), as: key(resource: name), under: one, headers: [], at: at(0))
        cache.wrote(to: .echo, at: at(50))
        #expect(found(cache, key(), at: 60) == "none" && found(cache, key(resource: name), at: 60) == "hit y")
        cache.keep(
            answer("old", asked: 50), for: .init(.seconds(9)), as: key(), under: one, headers: [], at: at(70))
        #expect(found(cache, key(), at: 80) == "none")
        cache.keep(
            answer("new", asked: 51), for: .init(.seconds(9)), as: key(), under: one, headers: [], at: at(70))
        #expect(found(cache, key(), at: 80) == "hit new")
    }

    @Test("so many resources that were written to are remembered; one more, and nothing older is kept")
    func manyWrites() throws {
        var cache = ResponseCache()
        cache.keep(answer("x"), for: .init(.seconds(900)), as: key(), under: one, headers: [], at: at(0))
        for number in 0..<4_096 {
            cache.wrote(to: try #require(ResourceName("r\(number)")), at: at(10))
        }
        #expect(found(cache, key(), at: 11) == "hit x")
        cache.wrote(to: try #require(ResourceName("one-more")), at: at(20))
        #expect(cache.isEmpty)
        cache.keep(
            answer("x", asked: 20), for: .init(.seconds(900)), as: key(), under: one, headers: [], at: at(30))
        #expect(cache.isEmpty)
        cache.keep(
            answer("x", asked: 21), for: .init(.seconds(900)), as: key(), under: one, headers: [], at: at(30))
        #expect(cache.count == 1)
    }

    @Test("one agreement has an eighth of the room; what was used lately stays")
    func shares() {
        var cache = ResponseCache()
        cache.keep(answer("other"), for: .init(.seconds(900)), as: key(), under: two, headers: [], at: at(0))
        for number in 0..<3_000 {
            if number > 0 { cache.note(.hit, key("/0"), under: one) }
            cache.keep(
                answer("x"), for: .init(.seconds(900)), as: key("/\(number)"), under: one, headers: [],
                at: at(0))
        }
        #expect(cache.count == Limits.keptAnswers / 8 + 1)
        #expect(found(cache, key(), under: two, at: 1) == "hit other")
        #expect(found(cache, key("/0"), at: 1) == "hit x" && found(cache, key("/1"), at: 1) == "none")
        #expect(found(cache, key("/2999"), at: 1) == "hit x")
        #expect(cache.times(.hit) == 2_999)
        cache.forget { $0 == one }
        #expect(cache.count == 1 && cache.agreements == [two])
        cache.forget { _ in true }
        #expect(cache.count == 0 && cache.bytes == 0)
    }

    @Test(
        "all agreements together have all of the room, by number and bytes; a body beyond 64 KiB is not kept"
    )
    func room() {
        var cache = ResponseCache()
        for shelf in 1...12 as ClosedRange<UInt8> {
            for number in 0..<1_000 {
                cache.keep(
                    answer("x"), for: .init(.seconds(900)), as: key("/\(number)"),
                    under: Self.agreement(shelf),
                    headers: [], at: at(0))
            }
        }
        #expect(cache.count == Limits.keptAnswers)
        var heavy = ResponseCache()
        let long = String(repeating: "x", count: Limits.keptBody)
        for shelf in 1...10 as ClosedRange<UInt8> {
            for number in 0..<150 {
                heavy.keep(
                    answer(long), for: .init(.seconds(900)), as: key("/\(number)"),
                    under: Self.agreement(shelf),
                    headers: [], at: at(0))
                #expect(heavy.bytes <= Limits.keptBytes)
            }
        }
        #expect(heavy.bytes > Limits.keptBytes * 9 / 10)
        let before = heavy.count
        heavy.keep(
            answer(long + "x"), for: .init(.seconds(9)), as: key("/long"), under: one, headers: [], at: at(0))
        #expect(heavy.count == before)
    }

    @Test("the same key kept again and again takes the room of one")
    func again() {
        var cache = ResponseCache()
        for number in 0..<10_000 {
            cache.keep(
                answer("\(number)"), for: .init(.seconds(900)), as: key(), under: one, headers: [], at: at(0))
        }
        #expect(cache.count == 1 && cache.bytes < 1_000 && found(cache, key(), at: 1) == "hit 9999")
        #expect(cache.placesHeld < 200)
    }

    @Test(
        "whatever is kept, written, forgotten: what is found is the last answer kept for it, within its time")
    func property() {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<20 {
            var cache = ResponseCache()
            var model: [Int: (text: String, asked: Int64, time: Int64)] = [:]
            var now: Int64 = 0
            for step in 0..<400 {
                now += Int64(generator.number(below: 400))
                let place = Int(generator.number(below: 12))
                let (key, shelf) = (key("/\(place % 4)"), place < 8 ? one : two)
                let index = place % 4 + (place < 8 ? 0 : 100)
                switch generator.number(below: 10) {
                case 0...3:
                    let time = 1_000 + Int64(generator.number(below: 5_000))
                    let asked = now - Int64(generator.number(below: 300))
                    let isLate = model[-1].map { asked <= $0.asked } ?? false
                    cache.keep(
                        answer("\(step)", asked: asked), for: .init(.milliseconds(time)), as: key,
                        under: shelf,
                        headers: [], at: at(now))
                    if !isLate { model[index] = ("\(step)", asked, time) }
                case 4:
                    cache.wrote(to: .echo, at: at(now))
                    model = [-1: ("", now, 0)]
                case 5: cache.forget(before: both(now))
                default:
                    let expected = model[index].map { entry in
                        let age = now - entry.asked
                        return age < entry.time
                            ? "hit \(entry.text)" : age < 2 * entry.time ? "stale \(entry.text)" : "none"
                    }
                    #expect(found(cache, key, under: shelf, at: now) == expected ?? "none")
                }
            }
        }
    }
}
