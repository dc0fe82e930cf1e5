import MeshBase
import MeshSimulator
import Testing

@testable import MeshGossip

@Suite("An audience's name")
struct AudienceTests {
    private let domain = DomainID(Samples.suite.digest([1]))

    @Test("is read back as it was written")
    func roundTrip() {
        for audience in [Audience.pair(Samples.alice.node, Samples.bob.node), .domain(domain)] {
            #expect(Audience(audience.description) == audience)
        }
        #expect(Audience.pair(Samples.bob.node, Samples.alice.node).description.hasPrefix("pair:"))
        #expect(Audience.domain(domain).description == "domain:\(domain)")
    }

    @Test("has one form: others are none")
    func strict() {
        let (one, other) = (
            min(Samples.alice.node, Samples.bob.node), max(Samples.alice.node, Samples.bob.node)
        )
        for text in [
            "", "pair", "pair:", "pair:\(one)", "pair:\(other):\(one)", "pair:\(one):\(one)",
            "pair:\(one):\(other):", "Pair:\(one):\(other)", " pair:\(one):\(other)", "domain",
            "domain:", "domain:\(one)", "domain:\(domain):", "domain:\(domain):\(domain)",
            "DOMAIN:\(domain)", "domain:\(domain) ", "federation:\(domain)",
        ] { #expect(Audience(text) == nil, "\(text)") }
    }

    @Test("is told by a tag that differs from link to link, and is the same at both ends of one")
    func tags() {
        let audience = Audience.domain(domain)
        func tag(_ one: SimulatedKey, _ other: SimulatedKey) -> AudienceTag {
            audience.tag(between: one.node, and: other.node, using: Samples.suite)
        }
        #expect(tag(Samples.alice, Samples.bob) == tag(Samples.bob, Samples.alice))
        #expect(tag(Samples.alice, Samples.bob) != tag(Samples.alice, Samples.carol))
        let another = Audience.domain(DomainID(Samples.suite.digest([2])))
        let two = another.tag(between: Samples.alice.node, and: Samples.bob.node, using: Samples.suite)
        #expect(two != tag(Samples.alice, Samples.bob))
    }
}
