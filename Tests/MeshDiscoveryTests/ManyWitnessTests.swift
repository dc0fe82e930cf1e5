import MeshBase
import Testing

@testable import MeshDiscovery

@Suite("Several witnesses of one node")
struct ManyWitnessTests {
    private let bench = Bench()
    private static let all: [Witness] = [
        .mdns(interface: "eth0"), .staticList, .link, .invite, .consul, .dns(domain: "example.org"),
    ]

    private func witnesses(of peer: PeerSightings?) -> [Witness] { peer?.hints.map(\.key.witness) ?? [] }

    @Test("are one peer once its key is proved, whatever each of them said")
    func merged() {
        _ = bench.handle(.peerTrusted(node(1)), at(0))
        let tag = bench.tag(of: node(1), at(1))
        for (number, witness) in Self.all.enumerated() {
            let claim: Sighting.Claim = number.isMultiple(of: 2) ? .tag(tag) : .node(node(1))
            _ = bench.handle(.sighted(.seen(by: witness, "x", number, claim: claim)), at(1))
        }
        _ = bench.handle(.sighted(.seen(by: .dns(domain: "lab"), "nameless", 9)), at(2))
        let before = bench.discovery.peers(at: at(2).instant)
        #expect(before.map(\.node) == [node(1), nil])
        #expect(witnesses(of: before[0]) == Self.all)

        _ = bench.handle(.linkUp(node(1), endpoint(9)), at(3))
        let after = bench.discovery.peers(at: at(4).instant)
        #expect(after.map(\.node) == [node(1)])
        #expect(witnesses(of: after[0]) == Self.all + [.dns(domain: "lab")])
        #expect(after[0].hints.map(\.lastSeen) == Array(repeating: .seconds(3), count: 6) + [.seconds(2)])
    }

    @Test("each hold for their own time, and one that ends takes no other with it")
    func ownLives() {
        _ = bench.handle(.peerTrusted(node(1)), at(0))
        for (number, witness) in Self.all.enumerated() {
            let sighting = Sighting.seen(
                by: witness, "x", number, claim: .node(node(1)), life: .seconds(10 * (number + 1)))
            _ = bench.handle(.sighted(sighting), at(0))
        }
        for gone in Self.all.indices {
            _ = bench.handle(.timeReached, at(Double(10 * (gone + 1)) - 0.1))
            let peer = bench.discovery.peer(node(1), at: at(0).instant)
            #expect(witnesses(of: peer) == Array(Self.all[gone...]))
        }
        _ = bench.handle(.timeReached, at(60))
        #expect(witnesses(of: bench.discovery.peer(node(1), at: at(60).instant)) == [])
    }

    @Test("only the operator's list and an invite lead to a dial of somebody who is not trusted")
    func expectations() {
        for witness in Self.all {
            let bench = Bench()
            let dials = bench.dials(.sighted(.seen(by: witness, "x", 1, claim: .node(node(1)))), at(1))
            #expect(dials.isEmpty != (witness == .staticList || witness == .invite), "\(witness)")
        }
    }

    @Test("one that lies about a trusted peer costs a dial, and does not hide where the others say it is")
    func liars() {
        _ = bench.handle(.peerTrusted(node(1)), at(0))
        let tag = Sighting.Claim.tag(bench.tag(of: node(1), at(1)))
        for number in 0..<100 {
            _ = bench.handle(.sighted(.seen(by: .consul, "lie\(number)", 100 + number, claim: tag)), at(1))
        }
        _ = bench.handle(.sighted(.seen(by: .dns(domain: "lab"), "truth", 1, claim: tag)), at(1))
        let peer = bench.discovery.peer(node(1), at: at(1).instant)
        #expect(peer?.endpoints.prefix(2).contains(endpoint(1)) == true)
    }
}
