import MeshBase
import Testing

@testable import MeshDiscovery

@Suite("Who waits to be paired with")
struct PairingSightingTests {
    private func sighting(_ source: String, _ name: String?, _ number: Int, tag: SightingTag?) -> Sighting {
        Sighting(
            key: SightingKey(witness: .mdns(interface: "eth\(number)"), source: source),
            endpoints: [endpoint(number)], claim: tag.map { .tag($0) } ?? .nobody, life: .seconds(150),
            pairing: name.flatMap { NodeName($0) })
    }

    @Test("is listed by name, once though it is seen on two interfaces, and gone when it is withdrawn")
    func listed() {
        let bench = Bench()
        let tag = SightingTag(of: node(7), hour: 1, using: CheapSuite())
        let other = SightingTag(of: node(8), hour: 1, using: CheapSuite())
        for shown in [
            sighting("x/ipv4", "bakery", 1, tag: tag), sighting("x/ipv4", "bakery", 2, tag: tag),
            sighting("y/ipv4", "attic", 3, tag: other), sighting("z/ipv4", nil, 4, tag: nil),
        ] { _ = bench.handle(.sighted(shown), at(1)) }
        #expect(bench.discovery.pairingSightings.map(\.name.description) == ["attic", "bakery"])
        #expect(Set(bench.discovery.pairingSightings[1].endpoints) == [endpoint(1), endpoint(2)])
        // Two that say one name are two.
        _ = bench.handle(.sighted(sighting("w/ipv4", "attic", 5, tag: tag)), at(2))
        #expect(bench.discovery.pairingSightings.map(\.name.description) == ["attic", "attic", "bakery"])
        // The window is over: the same service says no name any more.
        _ = bench.handle(.sighted(sighting("y/ipv4", nil, 3, tag: other)), at(3))
        #expect(bench.discovery.pairingSightings.map(\.name.description) == ["attic", "bakery"])
        _ = bench.handle(.withdrawn(SightingKey(witness: .mdns(interface: "eth5"), source: "w/ipv4")), at(4))
        #expect(bench.discovery.pairingSightings.map(\.name.description) == ["bakery"])
    }

    @Test("is never dialled by discovery")
    func notDialled() {
        let bench = Bench()
        let shown = sighting(
            "x/ipv4", "bakery", 1, tag: SightingTag(of: node(7), hour: 1, using: CheapSuite()))
        #expect(bench.dials(.sighted(shown), at(1)).isEmpty && bench.nextDial(before: 60) == nil)
    }
}
