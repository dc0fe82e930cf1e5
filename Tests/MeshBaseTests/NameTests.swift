import MeshBase
import Testing

@Suite("Names")
struct NameTests {
    @Test(
        "a resource is named in lower case, from a letter or digit on",
        arguments: ["a", "0", "orders.v2_x-1"])
    func resourceNames(text: String) {
        #expect(ResourceName(text)?.description == text)
    }

    @Test(
        "no resource is named otherwise",
        arguments: [
            "", "Orders", ".a", "-a", "_a", "a b", "a/b", "é", "a\n", String(repeating: "a", count: 65),
        ])
    func otherResourceNames(text: String) {
        #expect(ResourceName(text) == nil)
    }

    @Test("a node's name may have capitals and has at most 63 characters")
    func nodeNames() {
        #expect(NodeName("Bakery-2")?.description == "Bakery-2")
        #expect(NodeName(String(repeating: "a", count: 63)) != nil)
        #expect(NodeName(String(repeating: "a", count: 64)) == nil)
        for text in ["", "-a", "a b", "bäckerei", "a\u{202e}b"] { #expect(NodeName(text) == nil) }
    }

    @Test("a number behind a node's name never makes it too long")
    func numbered() throws {
        let long = try #require(NodeName(String(repeating: "a", count: 63)))
        let numbered = long.numbered(12)
        #expect(numbered.description.hasSuffix("a-12"))
        #expect(NodeName(numbered.description) == numbered)
        #expect(try #require(NodeName("B")).numbered(2).description == "B-2")
    }

    @Test("a principal is any plain text of at most 256 bytes")
    func principals() {
        #expect(Principal("Jörg (night shift)") != nil)
        #expect(Principal("") == nil)
        #expect(Principal(String(repeating: "a", count: 257)) == nil)
        #expect(Principal("a\u{0}") == nil)
        #expect(Principal("a\u{202e}b") == nil)
        #expect(Principal("a\r\nX: b") == nil)
    }

    @Test(
        "text is plain without control and bidirectional characters",
        arguments: [0x00, 0x1f, 0x7f, 0x9f, 0x61c, 0x200e, 0x200f, 0x202a, 0x202e, 0x2066, 0x2069] as [UInt32]
    )
    func plainText(scalar: UInt32) throws {
        let character = Character(try #require(Unicode.Scalar(scalar)))
        #expect(!"a\(character)b".isPlain)
        #expect("ab é 漢字 🙂".isPlain)
    }

    @Test("visible ASCII is told apart at every place of a text, eight bytes at once or one")
    func visibleASCII() {
        for length in 0...17 {
            for place in 0..<length {
                for byte in UInt8.min ... .max {
                    var bytes = [UInt8](repeating: UInt8(ascii: "~"), count: length)
                    bytes[place] = byte
                    let isVisible = bytes.withUnsafeBytes { $0.isVisibleASCII }
                    if isVisible != (0x20...0x7e).contains(byte) {
                        Issue.record("byte \(byte) at \(place) of \(length)")
                    }
                }
            }
        }
        #expect("".isVisibleASCII && "a b~".isVisibleASCII && !"é".isVisibleASCII)
    }
}

@Suite("Endpoints")
struct EndpointTests {
    @Test(
        "are read back from what they print",
        arguments: ["127.0.0.1:7410", "[::1]:0", "[fe80::1%eth0]:65535", "bakery.example:7410"])
    func roundTrip(text: String) {
        #expect(Endpoint(text)?.description == text)
    }

    @Test("an address of IPv6 loses its brackets, and only there")
    func brackets() {
        #expect(Endpoint("[::1]:80") == Endpoint(host: "::1", port: 80))
        #expect(Endpoint("::1:80") == nil)
    }

    @Test(
        "are refused without port or host, with foreign characters, or too long",
        arguments: [
            "", ":", "a", "a:", ":80", "a:65536", "a:-1", "a:+", "a b:80", "a/b:80", "[]:80", "a@b:80",
            "é:80",
            String(repeating: "a", count: 256) + ":80",
        ])
    func strict(text: String) {
        #expect(Endpoint(text) == nil)
    }

    @Test("know loopback")
    func loopback() {
        #expect(Endpoint("127.9.9.9:1")?.isLoopback == true)
        #expect(Endpoint("[::1]:1")?.isLoopback == true)
        #expect(Endpoint("10.0.0.1:1")?.isLoopback == false)
    }
}
