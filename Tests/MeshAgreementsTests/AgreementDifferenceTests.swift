import MeshBase
import Testing

@testable import MeshAgreements

@Suite("What two agreements say differently")
struct AgreementDifferenceTests {
    private let provider = Party(1).node
    private let consumer = Party(2).node
    private let now = WallTime(milliseconds: 1_000_000_000_000)

    private func agreement(
        version: Int64 = 1, _ grants: [Grant] = [Grant(resource: .echo, capabilities: nil)],
        _ conditions: AgreementConditions = .none, from: WallTime? = nil, life: Duration = days(30),
        isReversed: Bool = false, approvals: ApprovalRules? = nil,
        commitments: AgreementCommitments? = nil
    ) -> Agreement {
        var generator = SeededGenerator(seed: 1)
        return Agreement(
            id: AgreementID(using: &generator), version: version, source: isReversed ? consumer : provider,
            target: isReversed ? provider : consumer, grants: grants, conditions: conditions,
            approvals: approvals, commitments: commitments, validFrom: from,
            validUntil: now + life, createdBy: isReversed ? consumer : provider, created: now)
    }

    private func lines(_ first: Agreement, _ second: Agreement) -> [String] {
        first.differences(from: second) { $0 == provider ? "mill" : "bakery" }
            .map { "\($0.subject): \($0.first) | \($0.second)" }
    }

    @Test("two that say the same differ in nothing; the other way round each line is turned")
    func same() {
        #expect(lines(agreement(), agreement()) == [])
        let narrow = agreement([Grant(resource: .echo, capabilities: [name("read")])])
        let there = agreement().differences(from: narrow) { _ in "" }
        let back = narrow.differences(from: agreement()) { _ in "" }
        #expect(there.map(\.first) == back.map(\.second) && there.map(\.second) == back.map(\.first))
    }

    @Test("every field that can differ is told, in words")
    func fields() throws {
        let conditions = AgreementConditions(
            access: .readOnly, principals: [.local], roles: [.relay],
            networks: [try #require(IPNetwork("10.0.0.0/8"))], purposes: [try #require(Purpose("audit"))])
        let other = agreement(
            version: 2,
            [
                Grant(resource: .echo, capabilities: [name("read"), name("list")]),
                Grant(
                    resource: name("orders"), capabilities: nil,
                    namespaces: [try #require(ShortText("eu"))]),
            ], conditions, from: now, life: days(60), isReversed: true,
            approvals: ApprovalRules(consumer: [.accountable]),
            commitments: AgreementCommitments(frameworks: [try #require(ShortText("gdpr"))]))
        #expect(
            lines(agreement(), other) == [
                "version: 1 | 2", "provider: mill | bakery", "consumer: bakery | mill",
                "capabilities of echo: all | list, read", "capabilities of orders: not covered | all",
                "namespaces of orders: any | eu",
                "access: full | read_only", "principals: any | local", "roles: any | relay",
                "networks: any | 10.0.0.0/8", "purposes: any | audit",
                "approvals of the consumer: none | responsible, accountable",
                "frameworks: none | gdpr", "from: its activation | \(RFC3339.text(now))",
                "until: \(RFC3339.text(now + days(30))) | \(RFC3339.text(now + days(60)))",
                "offered by: mill | bakery",
            ])
    }
}
