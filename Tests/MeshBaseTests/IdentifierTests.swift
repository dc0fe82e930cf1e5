import MeshBase
import Testing

@Suite("Digests, pins and node IDs")
struct IdentifierTests {
    private let counting = Array(UInt8(0)..<32)

    @Test("a digest is 32 bytes and nothing else")
    func digestLength() {
        #expect(Digest(counting)?.bytes == counting)
        #expect(Digest(counting.dropLast()) == nil)
        #expect(Digest(counting + [0]) == nil)
        #expect(Digest.zero.bytes == [UInt8](repeating: 0, count: 32))
    }

    @Test("two digests differ wherever one bit of them does")
    func everyBitCounts() throws {
        let digest = try #require(Digest(counting))
        for bit in 0..<256 {
            var bytes = counting
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(Digest(bytes) != digest)
        }
        #expect(Digest(counting) == digest)
    }

    @Test("digests are ordered as their bytes are")
    func digestOrder() throws {
        let low = try #require(Digest([0] + [UInt8](repeating: 255, count: 31)))
        let high = try #require(Digest([1] + [UInt8](repeating: 0, count: 31)))
        #expect(low < high)
        #expect(!(high < low))
    }

    @Test("a node ID is read back from what it prints: n and 52 characters")
    func nodeIDRoundTrip() throws {
        let node = NodeID(try #require(Digest(counting)))
        #expect(node.description.utf8.count == 53)
        #expect(NodeID(node.description) == node)
        #expect(node.brief == String(node.description.prefix(8)))
    }

    @Test("a node ID is refused in upper case, cut, lengthened, under another letter or with stray bits")
    func nodeIDIsStrict() throws {
        let text = NodeID(try #require(Digest(counting))).description
        #expect(NodeID(text.uppercased()) == nil)
        #expect(NodeID(String(text.dropLast())) == nil)
        #expect(NodeID(text + "a") == nil)
        #expect(NodeID("d" + text.dropFirst()) == nil)
        #expect(NodeID(String(text.dropLast()) + "b") == nil)
    }

    @Test("a domain ID is read back from what it prints, and a node ID is none")
    func domainIDRoundTrip() throws {
        let domain = DomainID(try #require(Digest(counting)))
        #expect(domain.description.utf8.count == 53)
        #expect(DomainID(domain.description) == domain)
        #expect(DomainID(NodeID(domain.digest).description) == nil)
        #expect(DomainID(String(domain.description.dropLast()) + "b") == nil)
    }

    @Test("a membership holds each of its roles once, and no other")
    func membershipRoles() throws {
        let membership = Membership(
            domain: DomainID(try #require(Digest(counting))), roles: [.member, .issue, .member],
            until: WallTime(milliseconds: 1))
        #expect(membership.roles == [.issue, .member])
        #expect(membership.holds(.issue))
        #expect(!membership.holds(.agree))
        #expect(DomainRole("Member") == nil)
    }

    @Test("a boot with a higher number is the later one, whatever its random bytes")
    func bootOrder() {
        #expect(BootID(number: 1, random: .max) < BootID(number: 2, random: 0))
        #expect(BootID(number: 1, random: 1) != BootID(number: 1, random: 2))
    }
}

@Suite("Correlation ids")
struct CorrelationIDTests {
    @Test("are UUIDs of version 7 that begin with the time")
    func isVersionSeven() {
        var generator = SeededGenerator(seed: 1)
        let id = CorrelationID(at: WallTime(milliseconds: 0x0192_3456_789a), using: &generator)
        let text = Array(id.description)
        #expect(id.description.hasPrefix("01923456-789a-7"))
        #expect("89ab".contains(text[19]))
    }

    @Test("are read back from what they print, in either case")
    func roundTrip() {
        var generator = SeededGenerator(seed: 4)
        for _ in 0..<100 {
            let id = CorrelationID(high: generator.next(), low: generator.next())
            #expect(CorrelationID(id.description) == id)
            let digits = Hexadecimal.encode(id.high.bigEndianBytes + id.low.bigEndianBytes)
            #expect(id.description.split(separator: "-").map(\.count) == [8, 4, 4, 4, 12])
            #expect(id.description.filter { $0 != "-" } == digits)
            #expect(CorrelationID(id.description.uppercased()) == id)
        }
    }

    @Test(
        "are refused in any other form",
        arguments: [
            "", "0192345678907abc8def0123456789ab", "01923456-7890-7abc-8def-0123456789a",
            "01923456-7890-7abc-8def-0123456789abc", "01923456-78907-abc-8def-0123456789ab",
            "0192345g-7890-7abc-8def-0123456789ab", "{1923456-7890-7abc-8def-0123456789a}",
        ])
    func strict(text: String) {
        #expect(CorrelationID(text) == nil)
    }

    @Test("of a later millisecond come later")
    func order() {
        var generator = SeededGenerator(seed: 8)
        let early = CorrelationID(at: WallTime(milliseconds: 1_000), using: &generator)
        let late = CorrelationID(at: WallTime(milliseconds: 1_001), using: &generator)
        #expect(early < late)
    }
}
