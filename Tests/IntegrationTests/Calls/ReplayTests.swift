import MeshAgreements
import MeshAudit
import MeshBase
import MeshControl
import Testing

@testable import MeshAgent
@testable import MeshNode

@Suite("A change of policy, tried on calls that were made", .serialized, .timeLimit(.minutes(2)))
struct ReplayTests {
    @Test("two agreements are held against the same calls by both, with one answer")
    func bothSides() async throws {
        try await Market.with { market in
            for _ in 0..<3 {
                #expect(try await market.bob.application.invoke("alice/orders/list").code == nil)
            }
            try await market.alice.offer(
                "orders", to: market.bob,
                under: AgreementConditions(principals: [try #require(Principal("billing"))]))
            let records = await market.bob.plane.node.agreements.records.filter { record in
                record.agreement.grants.contains { $0.resource.description == "orders" }
            }
            let open = try #require(records.first { $0.agreement.conditions == nil }).contentID
            let strict = try #require(records.first { $0.agreement.conditions != nil }).contentID
            var reports: [ReplayReport] = []
            for agent in [market.alice, market.bob] {
                let request = ReplayAgreements.Request(
                    first: open.description, second: strict.description, seconds: 86_400)
                var report = try await agent.agent.handlers.replayAgreements(request)
                report.since = Timestamp(WallTime(milliseconds: 0))
                reports.append(report)
            }
            #expect(reports[0].lost == 3 && reports[0].calls == 3)
            #expect(reports[0].changes.map(\.code) == [.principalNotAgreed])
            #expect(reports[0].changes.first?.examples.count == 3)
            #expect(reports[0].changes.map(\.examples) == reports[1].changes.map(\.examples))
            #expect(reports[0].changes.map(\.calls) == reports[1].changes.map(\.calls))

            let test = TestPolicy.Request(
                seconds: 86_400, peer: nil, with: [], without: [open.description, strict.description])
            for agent in [market.alice, market.bob] {
                let report = try await agent.agent.handlers.testPolicy(test)
                #expect(report.lost == 3 && report.changes.map(\.code) == [.agreementEnded])
            }
        }
    }
}
