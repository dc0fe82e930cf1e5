import MeshBase
import Testing

@testable import MeshRouting

@Suite("Request path")
struct RequestPathTests {
    @Test(
        "has one normal form",
        arguments: [
            ("/", "/"), ("/list", "/list"), ("/list/", "/list/"), ("/a/b.c/~d", "/a/b.c/~d"), ("/%61", "/a"),
            ("/a%20b", "/a%20b"), ("/%c3%a9", "/%C3%A9"), ("/...", "/..."), ("/a;v=1", "/a;v=1"),
            ("/100%25", "/100%25"),
        ])
    func normal(path: String, expected: String) {
        #expect(RequestPath.normalised(path) == .allowed(expected))
    }

    @Test(
        "is refused where two readers could read it differently",
        arguments: [
            "", "list", "//list", "/a//b", "/..", "/a/../b", "/.", "/a/./b", "/%2e%2e/b", "/%2E/b", "/a/.%2e",
            "/a%2fb", "/a%5Cb", "/a\\b", "/a%00b", "/a%0ab", "/a%7f", "/a%", "/a%4", "/a%zz", "/%252e",
            "/a%252fb",
            "/..;x/b", "/%2e%2e;/b", "/..%3bx/b", "/a/.%3B",
            "http://host/x", "/a b", "/a?b", "/a#b", "/\u{e9}", "/%c0%af", "/%ff",
            "/" + String(repeating: "a", count: 9000),
        ])
    func refused(path: String) {
        guard case .refused(let refusal) = RequestPath.normalised(path) else {
            Issue.record("allowed \(path.prefix(20))")
            return
        }
        #expect(refusal.code == .pathRefused)
    }

    @Test("survives any bytes, and a normal form is its own normal form")
    func fuzz() {
        var generator = SeededGenerator(seed: 3)
        let alphabet = Array("/.%25aAfFeE2c;\\x00?# é~".unicodeScalars)
        var allowed = 0
        for _ in 0..<20_000 {
            var text = "/"
            for _ in 0..<generator.number(below: 12) {
                text.unicodeScalars.append(alphabet[Int(generator.number(below: UInt64(alphabet.count)))])
            }
            guard case .allowed(let normal) = RequestPath.normalised(text) else { continue }
            allowed += 1
            #expect(RequestPath.normalised(normal) == .allowed(normal))
            #expect(!normal.contains("//") && !normal.contains("/../") && !normal.hasSuffix("/.."))
        }
        #expect(allowed > 500)
    }
}
