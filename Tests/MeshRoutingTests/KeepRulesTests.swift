import MeshBase
import Testing

@testable import MeshRouting

@Suite("What of an answer may be kept")
struct KeepRulesTests {
    private let now = WallTime(milliseconds: 1_800_000_000_000)

    @Test(
        "an answer is kept as long as declared, no longer than it says itself, not at all where it forbids",
        arguments: [
            (200, [], 60), (404, [], 60), (500, [], nil), (206, [], nil), (304, [], nil), (302, [], nil),
            (200, [("cache-control", "max-age=5")], 5), (200, [("cache-control", "max-age=500")], 60),
            (200, [("cache-control", "public, Max-Age=5, s-maxage=3")], 3),
            (200, [("cache-control", "no-store")], nil), (200, [("cache-control", "public,Private")], nil),
            (200, [("cache-control", "no-cache=\"x\"")], nil), (200, [("cache-control", "max-age=0")], nil),
            (200, [("cache-control", "max-age=-1")], nil), (200, [("cache-control", "max-age")], nil),
            (200, [("cache-control", "must-revalidate")], 60), (200, [("age", "55")], 5),
            (200, [("age", "60")], nil),
            (200, [("age", "x")], nil), (200, [("age", "3"), ("cache-control", "max-age=10")], 7),
            (200, [("vary", String(repeating: "a", count: 1_025))], nil),
            (200, [("cache-control", String(repeating: "a", count: 1_025))], nil),
            (200, [("set-cookie", "a=b")], nil), (200, [("vary", "accept, *")], nil),
            (200, [("vary", "accept")], 60), (200, [("expires", "0")], nil),
            (200, [("expires", "0"), ("cache-control", "max-age=7")], 7),
            (200, [("content-range", "bytes 0-1/2")], nil),
        ] as [(UInt16, [(String, String)], Int64?)])
    func answers(status: UInt16, fields: [(String, String)], seconds: Int64?) {
        let headers = fields.map { HeaderField($0.0, $0.1) }
        let leave = KeepRules.leave(.seconds(60), ofStatus: status, headers: headers)
        #expect(leave?.time == seconds.map { .seconds($0) })
        let strict = fields.contains { $0.1.contains("revalidate") || $0.1.contains("s-maxage") }
        if let leave { #expect(leave.mayBeStale == !strict) }
    }

    @Test("a request whose answer is of it alone is not answered from memory, nor kept of")
    func requests() {
        func mayKeep(_ fields: [(String, String)], method: String = "GET", body: RequestBody = .none) -> Bool
        {
            KeepRules.mayKeep(
                method: method, body: body, headers: fields.map { HeaderField($0.0, $0.1) })
        }
        #expect(mayKeep([]) && mayKeep([("accept", "x"), ("cache-control", "max-age=3")]))
        for name in ["range", "authorization", "cookie", "if-none-match", "if-match", "if-range"] {
            #expect(!mayKeep([(name, "x")]), "\(name)")
        }
        #expect(!mayKeep([("cache-control", "max-age=3, No-Store")]))
        #expect(!mayKeep([], method: "HEAD") && !mayKeep([], method: "POST"))
        #expect(
            !mayKeep([], body: .whole(length: 2, digest: .zero)) && !mayKeep([], body: .streamed(length: nil))
        )
        #expect(KeepRules.wantsNew([HeaderField("cache-control", "no-cache")]))
        #expect(KeepRules.wantsNew([HeaderField("pragma", "no-cache")]))
        #expect(!KeepRules.wantsNew([HeaderField("cache-control", "max-age=60")]))
    }

    @Test("the provider's word counts where it stands last, as a number, and a day at most")
    func word() {
        let said = KeepRules.saying(.init(.seconds(5)))
        let strict = KeepRules.saying(.init(.seconds(5), mayBeStale: false))
        #expect(KeepRules.leave(saidIn: [HeaderField("a", "b"), said]) == .init(.seconds(5)))
        #expect(KeepRules.leave(saidIn: [strict]) == .init(.seconds(5), mayBeStale: false))
        #expect(KeepRules.leave(saidIn: [said, HeaderField("a", "b")]) == nil)
        for value in [
            "", "0", "-5", "+5", "5.0", "1e3", " fresh", "5fresh", String(repeating: "9", count: 16),
        ] {
            #expect(KeepRules.leave(saidIn: [HeaderField(KeepRules.field, value)]) == nil, "\(value)")
        }
        let long = HeaderField(KeepRules.field, String(repeating: "9", count: 15))
        #expect(KeepRules.leave(saidIn: [long])?.time == Limits.keptLife)
    }

    @Test(
        "a span of time is kept the longer the longer it is; while it grows, a minute",
        arguments: [
            ("from=1799900000&to=1799903600", 60), ("from=1799900000&to=1799903601", 300),
            ("start=1799900000&end=1799986400", 300), ("start=1799000000&end=1799086401", 1_800),
            ("a=b&from=1799000000000&to=1799604800000", 1_800), ("from=0&to=1799604800", 7_200),
            // Ends in the future, or so lately that what is kept could miss its end.
            ("from=0&to=1800000001", 60), ("from=0&to=1799999000", 60), ("from=0&to=1799992800", 7_200),
            ("from=2026-01-01T00:00:00Z&to=2026-01-01T12:00:00%2B01:00", 300),
            ("from=2026-01-01T00%3a00%3A00Z&to=2026-01-09T00:00:00.5Z", 7_200),
            ("from=5", nil), ("to=5", nil), ("from=9&to=8", nil), ("from=a&to=b", nil), ("", nil),
            ("from=0&to=1" + String(repeating: "0", count: 70), nil),
            ("from=0&to=1&x=" + String(repeating: "0", count: 1_024), nil), ("from=1&from=2&to=3", nil),
            ("from=-1&to=3", nil), ("from=&to=", nil),
        ] as [(String, Int64?)])
    func spans(query: String, seconds: Int64?) {
        #expect(KeepRules.time(.byRange, for: query, at: now) == seconds.map { .seconds($0) })
    }

    @Test("any query is a span or none")
    func fuzz() {
        var generator = SeededGenerator(seed: 5)
        let parts = ["from", "to", "=", "&", "1", "20", "26-01-01T00:00:00", "Z", "%3A", "+01:00", "é", "-"]
        for _ in 0..<20_000 {
            let query = (0..<generator.number(below: 12)).map { _ in
                parts[Int(generator.number(below: UInt64(parts.count)))]
            }.joined()
            let time = KeepRules.time(.byRange, for: query, at: now)
            #expect(time.map { (.seconds(60) ... .seconds(7_200)).contains($0) } ?? true)
        }
    }
}
