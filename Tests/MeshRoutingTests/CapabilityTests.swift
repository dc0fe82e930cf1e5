import MeshBase
import Testing

@testable import MeshRouting

@Suite("Capabilities")
struct CapabilityTests {
    @Test(
        "a path is covered by whole segments",
        arguments: [
            ("/", "/", true), ("/", "/a/b", true), ("/list", "/list", true), ("/list", "/list/", true),
            ("/list", "/list/5", true), ("/list", "/listing", false), ("/list", "/", false),
            ("/list/", "/list", true),
            ("/list/", "/listing", false), ("/a/b", "/a", false),
        ])
    func covers(base: String, path: String, isCovered: Bool) {
        #expect(CapabilityMatcher.covers(base, path) == isCovered)
    }

    @Test("the first that covers method and path is the request's")
    func first() throws {
        let all = [
            try declared("list=GET /list"), try declared("all=GET /"), try declared("put=PUT,POST /list"),
        ]
        #expect(CapabilityMatcher.match(all, method: "GET", path: "/list/1")?.name.description == "list")
        #expect(CapabilityMatcher.match(all, method: "GET", path: "/other")?.name.description == "all")
        #expect(CapabilityMatcher.match(all, method: "POST", path: "/list")?.name.description == "put")
        #expect(CapabilityMatcher.match(all, method: "DELETE", path: "/list") == nil)
    }

    @Test("a resource that declares none reads with GET, HEAD and OPTIONS and writes with the rest")
    func standard() {
        let standard = CapabilityMatcher.standard
        #expect(CapabilityMatcher.match(standard, method: "HEAD", path: "/x")?.safety == .safe)
        #expect(CapabilityMatcher.match(standard, method: "PUT", path: "/x")?.safety == .unsafe)
    }

    @Test(
        "a declaration says what repeating does, or the methods say it",
        arguments: [
            ("list=GET /list", Safety.safe), ("list=GET,HEAD /list", .safe), ("put=PUT /x", .idempotent),
            ("mix=GET,DELETE /x", .idempotent), ("post=POST /x", .unsafe),
            ("post=POST /x idempotent", .idempotent),
            ("get=GET /x unsafe", .unsafe), ("patch=PATCH / safe", .safe),
        ])
    func declares(text: String, safety: Safety) throws { #expect(try declared(text).safety == safety) }

    @Test(
        "a declaration that can be misread is refused",
        arguments: [
            "", "x", "x=", "x=GET", "=GET /", "X=GET /", "x=get /", "x=GET,,PUT /", "x=GET,GET /",
            "x=GET list",
            "x=GET /../y", "x=GET / maybe", "x=GET / safe safe", "x=GET /a%2fb", "x=GET / cache",
            "x=GET / cache 0s", "x=GET / cache 86401s", "x=GET / cache 25h", "x=GET / cache -1s",
            "x=GET / cache 1d", "x=GET / cache 030s", "x=GET / cache 30s cache 30s", "x=GET / cache Range",
            "x=POST / cache 30s", "x=POST / safe cache 30s", "x=GET,POST / safe cache 30s",
            "x=GET / idempotent cache 30s", "x=GET / cache 99999999999999999999h",
        ])
    func refuses(text: String) {
        guard case .refused = CapabilityDeclaration.read(text) else {
            Issue.record("allowed \(text)")
            return
        }
    }

    @Test("a declaration says for how long answers may be kept, within a day")
    func keeps() throws {
        let declared: [(String, KeepTime?)] = [
            ("x=GET /", nil), ("x=GET / cache 1s", .seconds(1)),
            ("x=GET,HEAD / safe cache 5m", .seconds(300)),
            ("x=GET / cache 24h", .seconds(86_400)), ("x=GET / cache range", .byRange),
        ]
        for (text, time) in declared {
            guard case .allowed(let found) = CapabilityDeclaration.read(text) else { throw Refused() }
            #expect(found.keep == time && found.capability.safety == .safe)
            if let time { #expect(KeepTime(time.description) == time) }
        }
    }

    @Test("a declaration survives any bytes")
    func fuzz() {
        var generator = SeededGenerator(seed: 9)
        let parts = [
            "x", "=", "GET", "PUT", ",", " ", "/", "list", "safe", "..", "%2f", "\u{202e}", "é", "\0",
        ]
        var allowed = 0
        for _ in 0..<10_000 {
            let start = ["", "x=", "x=GET ", "x=GET /"][Int(generator.number(below: 4))]
            let text =
                start
                + (0..<generator.number(below: 9)).map { _ in
                    parts[Int(generator.number(below: UInt64(parts.count)))]
                }.joined()
            if case .allowed(let declared) = CapabilityDeclaration.read(text) {
                allowed += 1
                #expect(!declared.capability.methods.isEmpty && declared.capability.path.hasPrefix("/"))
            }
        }
        #expect(allowed > 5)
    }

    @Test("a capability left out is the only one, else refused with the list")
    func named() throws {
        let one = CapabilityMatcher.echo
        #expect(CapabilityMatcher.named(nil, of: one) == .allowed(one.capabilities[0]))
        let two = ResourceDescription(
            name: .echo, protocol: .http, capabilities: CapabilityMatcher.standard, labels: [])
        guard case .refused(let refusal) = CapabilityMatcher.named(nil, of: two) else {
            Issue.record("named")
            return
        }
        #expect(
            refusal.code == .capabilityUnnamed && refusal.facts.last?.value.contains("read = GET") == true)
    }

    @Test("a header that concerns one connection, or speaks for Comity, does not pass")
    func filters() {
        let plain = [HeaderField("accept", "x"), HeaderField("content-type", "y")]
        #expect(HeaderFilter.passing(plain) == plain)
        let mixed =
            plain + [
                HeaderField("connection", "close, X-Mine"), HeaderField("x-mine", "1"),
                HeaderField("comity-caller", "me"),
                HeaderField("host", "h"), HeaderField("bad\r", "x"), HeaderField("x", "a\nb"),
                HeaderField("te", "trailers"),
            ]
        #expect(HeaderFilter.passing(mixed) == plain)
    }

    private func declared(_ text: String) throws -> Capability {
        guard case .allowed(let declared) = CapabilityDeclaration.read(text) else { throw Refused() }
        return declared.capability
    }

    private struct Refused: Error {}
}
