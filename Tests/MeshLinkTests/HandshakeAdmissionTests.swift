import MeshBase
import Testing

@testable import MeshLink

@Suite struct HandshakeAdmissionTests {
    private func blocks(_ hosts: [String]) -> Set<AddressBlock> { Set(hosts.map(AddressBlock.init(of:))) }

    private func filled(_ admission: inout HandshakeAdmission, unknown count: Int) {
        for number in 0..<count {
            _ = admission.arrived(ConnectionID(UInt64(1 + number)), from: "192.0.2.\(number / 4)")
        }
    }

    @Test func `gives an unknown address four places and no more`() {
        var admission = HandshakeAdmission()
        for number in 1...4 {
            #expect(
                admission.arrived(ConnectionID(UInt64(number)), from: "192.0.2.1") == .admitted(yielding: nil)
            )
        }
        guard case .refused(let refusal) = admission.arrived(ConnectionID(5), from: "192.0.2.1") else {
            Issue.record("the fifth was admitted")
            return
        }
        #expect(refusal.code == .handshakeLimit)
        admission.finished(ConnectionID(2))
        #expect(admission.arrived(ConnectionID(6), from: "192.0.2.1") == .admitted(yielding: nil))
    }

    @Test func `gives an address with a trusted peer sixteen places`() {
        var admission = HandshakeAdmission()
        admission.knownAddresses = blocks(["192.0.2.1"])
        for number in 1...16 {
            #expect(
                admission.arrived(ConnectionID(UInt64(number)), from: "192.0.2.1") == .admitted(yielding: nil)
            )
        }
        guard case .refused = admission.arrived(ConnectionID(17), from: "192.0.2.1") else {
            Issue.record("the seventeenth was admitted")
            return
        }
    }

    @Test func `counts all addresses of one IPv6 network as one, for places and for pairing`() {
        var admission = HandshakeAdmission()
        for number in 1...4 {
            let verdict = admission.arrived(ConnectionID(UInt64(number)), from: "2001:db8:0:7::\(number)")
            #expect(verdict == .admitted(yielding: nil))
        }
        guard case .refused(let refusal) = admission.arrived(ConnectionID(5), from: "2001:db8:0:7:a:b:c:d")
        else { return #expect(Bool(false), "the fifth of the network was admitted") }
        #expect(refusal.facts.first?.value == "2001:db8:0:7::/64")
        #expect(admission.arrived(ConnectionID(6), from: "2001:db8:0:8::1") == .admitted(yielding: nil))
        for number in 1...5 {
            #expect(admission.pairingAttempted(from: "2001:db8::\(number)", at: .zero) == nil)
        }
        #expect(admission.pairingAttempted(from: "2001:db8::6", at: .zero)?.code == .pairingLimit)
        #expect(admission.pairingAttempted(from: "2001:db8:1::6", at: .zero) == nil)
    }

    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("::1", "0:0:0:0::/64"),
        ("2001:db8::1", "2001:db8:0:0::/64"), ("2001:0DB8:0:0:ffff::", "2001:db8:0:0::/64"),
        ("fe80::1%eth0", "fe80::1%eth0"), ("fe80::2", "fe80::2"), ("a.example", "a.example"),
        ("febf::1", "febf::1"), ("fec0::1", "fec0:0:0:0::/64"),
    ])
    func `an address counts by itself or by its network`(host: String, block: String) {
        #expect(AddressBlock(of: host).description == block)
    }

    @Test func `lets the oldest unknown yield to a newer unknown once half of the places are taken`() {
        var admission = HandshakeAdmission()
        filled(&admission, unknown: 32)
        #expect(admission.count == 32)
        #expect(
            admission.arrived(ConnectionID(100), from: "198.51.100.1") == .admitted(yielding: ConnectionID(1))
        )
        #expect(
            admission.arrived(ConnectionID(101), from: "198.51.100.2") == .admitted(yielding: ConnectionID(2))
        )
        #expect(admission.count == 32)
    }

    @Test func `keeps half of the places for addresses with a trusted peer`() {
        var admission = HandshakeAdmission()
        admission.knownAddresses = blocks(["10.0.0.1", "10.0.0.2", "10.0.0.3"])
        filled(&admission, unknown: 32)
        for number in 0..<32 {
            let verdict = admission.arrived(
                ConnectionID(UInt64(100 + number)), from: "10.0.0.\(1 + number / 16)")
            #expect(verdict == .admitted(yielding: nil))
        }
        #expect(
            admission.arrived(ConnectionID(200), from: "10.0.0.3") == .admitted(yielding: ConnectionID(1)))
        #expect(admission.count == 64)
    }

    @Test func `refuses even a known address when all places belong to known ones`() {
        var admission = HandshakeAdmission()
        admission.knownAddresses = blocks((1...5).map { "10.0.0.\($0)" })
        for number in 0..<64 {
            _ = admission.arrived(ConnectionID(UInt64(1 + number)), from: "10.0.0.\(1 + number / 16)")
        }
        guard case .refused = admission.arrived(ConnectionID(200), from: "10.0.0.5") else {
            Issue.record("the sixty-fifth was admitted")
            return
        }
        guard case .refused = admission.arrived(ConnectionID(201), from: "192.0.2.9") else {
            Issue.record("an unknown one was admitted")
            return
        }
    }

    @Test func `lets an address try to pair five times a minute, and all together thirty times`() {
        var admission = HandshakeAdmission()
        for second in 0..<5 {
            #expect(admission.pairingAttempted(from: "192.0.2.1", at: .zero + .seconds(second)) == nil)
        }
        #expect(
            admission.pairingAttempted(from: "192.0.2.1", at: .zero + .seconds(30))?.code == .pairingLimit)
        for number in 0..<25 {
            #expect(admission.pairingAttempted(from: "198.51.100.\(number)", at: .zero + .seconds(31)) == nil)
        }
        #expect(
            admission.pairingAttempted(from: "203.0.113.1", at: .zero + .seconds(40))?.code == .pairingLimit)
        #expect(admission.pairingAttempted(from: "192.0.2.1", at: .zero + .seconds(61)) == nil)
    }

    @Test(arguments: UInt64(1)...20) func `never exceeds its places whatever comes`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var admission = HandshakeAdmission()
        admission.knownAddresses = blocks((1...5).map { "known.\($0)" })
        let knownShare = generator.number(below: 100)
        var open: [ConnectionID: String] = [:]
        for number in 1...2_000 {
            if generator.number(below: 10) < 3, let gone = open.keys.sorted().first {
                admission.finished(gone)
                open[gone] = nil
            }
            let isKnown = generator.number(below: 100) < knownShare
            let address =
                isKnown ? "known.\(1 + generator.number(below: 5))" : "unknown.\(generator.number(below: 30))"
            if case .admitted(let yielding) = admission.arrived(ConnectionID(UInt64(number)), from: address) {
                open[ConnectionID(UInt64(number))] = address
                if let yielding {
                    #expect(open[yielding]?.hasPrefix("unknown") == true)
                    open[yielding] = nil
                }
            }
            #expect(admission.count == open.count)
            #expect(open.count <= 64)
            #expect(open.values.count { $0.hasPrefix("unknown") } <= 32)
        }
    }
}
