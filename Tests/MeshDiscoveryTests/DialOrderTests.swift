import MeshBase
import Testing

@testable import MeshDiscovery

@Suite("Dial order")
struct DialOrderTests {
    func entry(_ sighting: Sighting, _ seconds: Double) -> SightingBook.Entry {
        .init(sighting: sighting, firstSeen: at(0).instant, lastSeen: at(seconds).instant)
    }

    @Test("what was proven comes first, the latest before the others")
    func provenFirst() {
        var proven = ProvenEndpoints()
        proven.prove(node(1), at: endpoint(1), when: at(1).instant)
        proven.prove(node(1), at: endpoint(2), when: at(2).instant)
        let order = DialOrder.endpoints(
            proven: proven.endpoints(of: node(1)), sightings: [entry(.fixed(node(1), 3, 1), 9)],
            failures: OrderedTable())
        #expect(order == [endpoint(2), endpoint(1), endpoint(3)])
    }

    @Test("the fresher of two sightings comes first, and one that failed comes after one that did not")
    func freshestFirst() {
        var failures = OrderedTable<Endpoint, Int>()
        let sightings = [
            entry(.heard("a", tag: nil, 1), 5), entry(.heard("b", tag: nil, 2), 8),
            entry(.heard("c", tag: nil, 3), 2),
        ]
        #expect(
            DialOrder.endpoints(proven: [], sightings: sightings, failures: failures) == [
                endpoint(2), endpoint(1), endpoint(3),
            ])
        failures[endpoint(2)] = 1
        #expect(
            DialOrder.endpoints(proven: [], sightings: sightings, failures: failures) == [
                endpoint(1), endpoint(3), endpoint(2),
            ])
    }

    @Test("the families of addresses take turns among what failed equally often, in the sighting's order")
    func familiesTakeTurns() {
        let six = (1...3).map { Endpoint(host: "2001:db8::\($0)", port: 7410) }
        let key = SightingKey(witness: .dns(domain: "m"), source: "a")
        let sighting = Sighting(
            key: key, endpoints: [six[2], six[0], six[1], endpoint(2), endpoint(1)], claim: .nobody,
            life: nil)
        var failures = OrderedTable<Endpoint, Int>()
        let order = DialOrder.endpoints(proven: [], sightings: [entry(sighting, 1)], failures: failures)
        #expect(order == [six[2], endpoint(2), six[0], endpoint(1), six[1]])
        failures[six[2]] = 1
        let later = DialOrder.endpoints(proven: [], sightings: [entry(sighting, 1)], failures: failures)
        #expect(later == [six[0], endpoint(2), six[1], endpoint(1), six[2]])
    }

    @Test("witnesses take turns, so that a talkative one crowds out nobody")
    func takesTurns() {
        let loud = (0..<20).map { entry(.heard("l\($0)", tag: nil, 100 + $0), 50) }
        let order = DialOrder.endpoints(
            proven: [],
            sightings: loud + [
                entry(.fixed(node(1), 1), 1), entry(.heard("q", tag: nil, 2, interface: "eth1"), 1),
            ],
            failures: OrderedTable())
        #expect(order.prefix(3).contains(endpoint(1)))
        #expect(order.prefix(3).contains(endpoint(2)))
    }
}

@Suite("Proven endpoints")
struct ProvenEndpointsTests {
    @Test("an endpoint belongs to whoever proved it last")
    func lastProofWins() {
        var proven = ProvenEndpoints()
        proven.prove(node(1), at: endpoint(1), when: at(1).instant)
        proven.prove(node(2), at: endpoint(1), when: at(2).instant)
        #expect(proven.owner(of: endpoint(1)) == node(2))
        #expect(proven.endpoints(of: node(1)).isEmpty)
    }

    @Test("keeps few a node and forgets the oldest")
    func isBounded() {
        var proven = ProvenEndpoints()
        for number in 1...10 { proven.prove(node(1), at: endpoint(number), when: at(Double(number)).instant) }
        #expect(proven.endpoints(of: node(1)).map(\.endpoint) == [10, 9, 8, 7].map(endpoint))
        #expect(proven.owner(of: endpoint(6)) == nil)
        proven.forget(node(1))
        #expect(proven == ProvenEndpoints())
    }

    @Test("this node's own endpoints lapse, and are few")
    func ownLapses() {
        var own = OwnEndpoints()
        own.remember(endpoint(1), until: at(300).instant)
        #expect(own.lapse(of: endpoint(1), at: at(299).instant) == at(300).instant)
        #expect(own.lapse(of: endpoint(1), at: at(300).instant) == nil)
        for number in 2...100 { own.remember(endpoint(number), until: at(300 + Double(number)).instant) }
        let kept = (1...100).filter { own.lapse(of: endpoint($0), at: at(0).instant) != nil }
        #expect(kept == Array(37...100))
    }
}
