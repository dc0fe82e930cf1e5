import MeshBase
import Testing

@testable import MeshDiscovery

@Suite("Sighting book")
final class SightingBookTests {
    var book = SightingBook()

    @discardableResult
    func admit(
        _ sighting: Sighting, of owner: NodeID? = nil, failed: [Endpoint] = [], _ seconds: Double = 1
    ) -> SightingBook.Admission {
        book.admit(sighting, of: owner, failed: failed, at: at(seconds).instant)
    }

    func count(_ witness: Witness) -> Int { book.strangers.filter { $0.0.witness == witness }.count }

    @Test("a repeated sighting is not fresh, and keeps the time of the first")
    func repeats() {
        #expect(admit(.heard("a", tag: nil, 1), 1) == .admitted(fresh: [endpoint(1)], evicted: nil))
        #expect(admit(.heard("a", tag: nil, 1, 2), 5) == .admitted(fresh: [endpoint(2)], evicted: nil))
        let entry = book.strangers.values.first
        #expect(entry?.firstSeen == at(1).instant)
        #expect(entry?.lastSeen == at(5).instant)
        #expect(book.strangers.count == 1)
    }

    @Test("one flooding witness pays for itself and nobody else does")
    func floodPaysItself() {
        for number in 0..<50 { admit(.heard("quiet\(number)", tag: nil, number, interface: "eth1")) }
        for number in 0..<50 { admit(.fixed(nil, number, source: "static\(number)")) }
        for number in 0..<1_300 { admit(.heard("loud\(number)", tag: nil, number), 2 + Double(number)) }
        #expect(book.strangers.count == Limits.sightings)
        #expect(count(.mdns(interface: "eth1")) == 50)
        #expect(count(.staticList) == 50)
        #expect(book.strangers[SightingKey(witness: .mdns(interface: "eth0"), source: "loud1299")] != nil)
    }

    @Test("a newcomer takes its fair share from the loudest witness")
    func takesFairShare() {
        for number in 0..<1_100 { admit(.heard("loud\(number)", tag: nil, number)) }
        for number in 0..<1_100 { admit(.heard("late\(number)", tag: nil, number, interface: "eth1")) }
        #expect(book.strangers.count == Limits.sightings)
        #expect(count(.mdns(interface: "eth0")) == Limits.sightings / 2)
        #expect(count(.mdns(interface: "eth1")) == Limits.sightings / 2)
        admit(.fixed(nil, 1))
        #expect(count(.staticList) == 1)
    }

    @Test("each way to look pays for its own flood: Consul, each domain of DNS, each interface")
    func waysPayForThemselves() {
        let quiet: [Witness] = [.consul, .dns(domain: "a.example"), .mdns(interface: "eth0")]
        for witness in quiet {
            for number in 0..<50 { admit(.seen(by: witness, "quiet\(number)", number)) }
        }
        for loud: Witness in [.dns(domain: "b.example"), .mdns(interface: "eth1")] {
            for number in 0..<1_300 { admit(.seen(by: loud, "loud\(number)", number), 2) }
        }
        #expect(book.strangers.count == Limits.sightings)
        for witness in quiet { #expect(count(witness) == 50) }
    }

    @Test("what an operator said takes at most half of the room and is never evicted")
    func vouchedIsBounded() {
        for number in 0..<1_100 { admit(.fixed(nil, number, source: "static\(number)")) }
        #expect(count(.staticList) == Limits.sightings / 2)
        for number in 0..<1_100 { admit(.heard("loud\(number)", tag: nil, number)) }
        #expect(count(.staticList) == Limits.sightings / 2)
        #expect(count(.mdns(interface: "eth0")) == Limits.sightings / 2)
    }

    @Test("who replays a peer's tag cannot displace what the peer itself shows, until that fails")
    func replayDisplacesNothing() {
        admit(.heard("honest", tag: nil, 1), of: node(1))
        for number in 0..<100 { admit(.heard("fake\(number)", tag: nil, 100 + number), of: node(1), 2) }
        #expect(book.sightings(of: node(1)).count == SightingBook.perWitness)
        #expect(
            book.sightings(of: node(1))[.init(witness: .mdns(interface: "eth0"), source: "honest")] != nil)
        let result = admit(.heard("new", tag: nil, 200), of: node(1), failed: [endpoint(100)], 3)
        #expect(
            result
                == .admitted(
                    fresh: [endpoint(200)], evicted: .init(witness: .mdns(interface: "eth0"), source: "fake0")
                ))
    }

    @Test("many interfaces together fill no more than a node's room, and leave the static list its own")
    func boundsNode() {
        admit(.fixed(node(1), 1), of: node(1))
        for number in 0..<100 {
            admit(.heard("f", tag: nil, number, interface: "if\(number)"), of: node(1), 2)
        }
        #expect(book.sightings(of: node(1)).count == SightingBook.perNode)
        #expect(book.isExpected(node(1)))
    }

    @Test("only a static entry or an invite makes a node expected")
    func expects() {
        admit(.heard("a", tag: nil, 1), of: node(1))
        #expect(!book.isExpected(node(1)))
        admit(.fixed(node(1), 1), of: node(1))
        #expect(book.isExpected(node(1)))
        book.remove(SightingKey(witness: .staticList, source: "entry"))
        #expect(!book.isExpected(node(1)))
    }

    @Test("what is removed leaves nothing behind")
    func removesAll() {
        admit(.heard("a", tag: nil, 1), of: node(1))
        admit(.heard("b", tag: nil, 1))
        book.remove(SightingKey(witness: .mdns(interface: "eth0"), source: "a"))
        book.remove(SightingKey(witness: .mdns(interface: "eth0"), source: "b"))
        #expect(book == SightingBook())
    }
}
