import Glibc
import MeshBase
import Testing

@Suite("IP addresses and networks")
struct IPNetworkTests {
    @Test(
        "an address is read as the C library reads it, and written in the form of RFC 5952",
        arguments: [
            ("10.1.2.3", "10.1.2.3"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
            ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:db8::1", "2001:db8::1"),
            ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            ("::ffff:10.1.2.3", "10.1.2.3"), ("fe80::1%eth0", "fe80::1"),
            ("64:ff9b::10.1.2.3", "64:ff9b::a01:203"),
            ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
        ])
    func read(text: String, form: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.description == form)
        #expect(IPAddress(form) == address)
    }

    @Test(
        "a name, and whatever two readers could read differently, is no address",
        arguments: [
            "", "localhost", "10.1.2", "10.1.2.3.4", "010.1.2.3", "10.1.2.256", "10.1.2.-3", "10.1.2.+3",
            "1..2.3",
            ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", ":::",
            "::12345",
            "::g", "::10.1.2.3:1", "1:2:3:4:5:6:7:8::", "::+1", "0x7f.0.0.1", "1:2:3:4:5:6:7::8",
        ])
    func refused(text: String) { #expect(IPAddress(text) == nil) }

    @Test("agrees with the C library about every text that chance makes", arguments: 1...20)
    func agrees(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        let pieces = [":", "::", ".", "1", "0", "ff", "10", "db8", "255", "256", "%", "/", "g", "ffff"]
        for _ in 0..<2_000 {
            let text = (0..<chance.number(below: 12)).map { _ in
                pieces[Int(chance.number(below: UInt64(pieces.count)))]
            }.joined()
            guard !text.contains("%"), !text.contains("/") else { continue }
            var four = in_addr()
            var six = in6_addr()
            let isAddress = inet_pton(AF_INET, text, &four) == 1 || inet_pton(AF_INET6, text, &six) == 1
            #expect((IPAddress(text) != nil) == isAddress, "\(text)")
        }
    }

    @Test("a network holds what its prefix covers and nothing else")
    func contains() throws {
        for (network, address, isIn) in [
            ("10.1.0.0/16", "10.1.255.255", true), ("10.1.0.0/16", "10.2.0.0", false),
            ("10.1.2.0/23", "10.1.3.9", true), ("10.1.2.0/23", "10.1.4.0", false),
            ("0.0.0.0/0", "203.0.113.9", true), ("0.0.0.0/0", "::1", false), ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1/32", "10.0.0.2", false), ("10.0.0.0/8", "::ffff:10.9.9.9", true),
            ("2001:db8::/33", "2001:db8:7fff::1", true), ("2001:db8::/33", "2001:db8:8000::1", false),
            ("::/0", "2001:db8::1", true), ("::1", "::1", true),
        ] {
            let (network, address) = (try #require(IPNetwork(network)), try #require(IPAddress(address)))
            #expect(network.contains(address) == isIn, "\(network) \(address)")
        }
    }

    @Test(
        "one network has one form",
        arguments: [
            "10.1.0.1/16", "10.1.0.0/33", "10.1.0.0/-1", "10.1.0.0/016", "10.1.0.0/", "/16", "10.1.0.0/16/16",
            "fe80::1%eth0/64", "2001:db8::/129", "host/8", "10.1.0.0/+8",
        ])
    func malformed(text: String) { #expect(IPNetwork(text) == nil) }
}
