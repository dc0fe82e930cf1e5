import Testing

@testable import MeshAgent

@Suite("How Consul serves a node")
struct CatalogStandingTests {
    private func standing(
        _ listing: CatalogStanding.Listing, _ holding: CatalogStanding.Holding = .held
    ) -> CatalogStanding {
        var standing = CatalogStanding(service: "comity", server: "http://c:1", announces: true)
        standing.listing = listing
        standing.holding = holding
        return standing
    }

    @Test("is said in one line, while it works")
    func works() {
        #expect(standing(.notYet, .notYet).report.detail == "asking http://c:1, not registered yet")
        let census = CatalogStanding.Census(peers: 2, others: 1, isOwnThere: true, isOwnDue: true)
        let report = standing(.had(census)).report
        #expect(report.state == .working)
        #expect(report.detail == "2 others in comity at http://c:1, 1 passed over, registered")
        let quiet = CatalogStanding(service: "comity", server: "http://c:1", announces: false)
        #expect(quiet.report.detail.hasSuffix("not registered (discovery.consul.announce is off)"))
    }

    @Test("is failing when either half fails, and says both")
    func fails() {
        let both = standing(.failed("does not answer"), .failed("does not answer")).report
        #expect(both.state == .failing)
        #expect(both.detail == "http://c:1 does not answer; registering: does not answer")
        let one = standing(.had(.init(peers: 1, isOwnDue: false)), .failed("denies")).report
        #expect(one.state == .failing && one.detail == "http://c:1, registering: denies")
    }

    @Test("is failing when an empty list may mean no permission: said by the server, or shown by our absence")
    func withheld() {
        let said = standing(.had(.init(isWithheld: true))).report
        #expect(said.state == .failing && said.detail.contains("service:read on comity and node:read"))
        let absent = standing(.had(.init(isOwnThere: false, isOwnDue: true))).report
        #expect(absent.state == .failing && absent.detail.contains("may lack service:read"))
        // Just registered: the list may have been made before.
        #expect(standing(.had(.init(isOwnThere: false, isOwnDue: false))).report.state == .working)
    }
}
