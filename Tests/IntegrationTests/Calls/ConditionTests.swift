import MeshAgreements
import MeshAudit
import MeshBase
import NIOHTTP1
import Testing

@testable import MeshAgent
@testable import MeshNode

@Suite("Calls under conditions", .serialized, .timeLimit(.minutes(2)))
struct ConditionTests {
    /// What Alice lets Bob do with `ledger`.
    private func conditions(
        _ access: AccessLevel = .full, principals: [String]? = nil, roles: [String]? = nil,
        networks: [String]? = nil
    ) throws -> AgreementConditions {
        AgreementConditions(
            access: access, principals: try principals?.map { try #require(Principal($0)) },
            roles: try roles?.map { try #require(DomainRole($0)) },
            networks: try networks?.map { try #require(IPNetwork($0)) })
    }

    private func with(
        _ conditions: AgreementConditions, _ body: @escaping @Sendable (Market) async throws -> Void
    ) async throws {
        try await Market.with { market in
            let capabilities = [
                "look=GET,HEAD,OPTIONS / safe", "change=PUT,POST,DELETE,PATCH / idempotent",
            ]
            try await market.alice.provide("ledger", at: market.backend.url, capabilities)
            try await market.alice.offer("ledger", to: market.bob, under: conditions)
            try await body(market)
        }
    }

    @Test(
        "metadata_only gives heads and no data, read_only nothing that changes; the consumer refuses the rest"
    )
    func access() async throws {
        for (access, permitted) in [
            (AccessLevel.metadataOnly, [HTTPMethod.HEAD, .OPTIONS]), (.readOnly, [.HEAD, .OPTIONS, .GET]),
        ] {
            try await with(try conditions(access)) { market in
                for method in [HTTPMethod.HEAD, .OPTIONS, .GET, .PUT] {
                    let before = market.backend.seen.count
                    let answer = try await market.bob.application.send(method, "/mesh/alice/ledger/any/where")
                    let isPermitted = permitted.contains(method)
                    #expect(answer.code == (isPermitted ? nil : .accessLevelExceeded), "\(access) \(method)")
                    #expect(market.backend.seen.count == before + (isPermitted ? 1 : 0))
                }
            }
        }
    }

    @Test("a purpose that is agreed must be stated, and the service behind the resource learns it")
    func purpose() async throws {
        try await with(AgreementConditions(purposes: [try #require(Purpose("invoicing"))])) { market in
            for (headers, code) in [
                ([:], RefusalCode.purposeNotAgreed), (["comity-purpose": "marketing"], .purposeNotAgreed),
                (["comity-purpose": "invoicing"], nil), (["comity-purpose": "No Purpose"], .requestMalformed),
            ] as [([String: String], RefusalCode?)] {
                let answer = try await market.bob.application.send(
                    .GET, "/mesh/alice/ledger/any", headers: headers)
                #expect(answer.code == code, "\(headers)")
            }
            #expect(market.backend.seen.map { $0.header("comity-purpose") } == ["invoicing"])
            let trail = try await market.alice.events(AuditQuery(type: .service))
            #expect(trail.contains { $0.event.metadata.contains(Fact("purpose", "invoicing")) })
        }
    }

    @Test("principals and roles that are not named are refused before anything leaves")
    func consumer() async throws {
        try await with(try conditions(principals: ["billing"], roles: ["supplier"])) { market in
            let answer = try await market.bob.application.send(.GET, "/mesh/alice/ledger/any")
            #expect(answer.code == .principalNotAgreed)
            let events = try await market.bob.events(
                AuditQuery(correlation: answer.correlation))
            #expect(
                events.flatMap { $0.event.refusals.map(\.code) } == [.principalNotAgreed, .roleNotAgreed])
            #expect(market.backend.seen.isEmpty)
            // It never came to the provider, who asks its peers.
            let id = try #require(answer.correlation)
            for words in [["explain", "\(id)"], ["audit", "trace", "\(id)"]] {
                let told = try await Command.run(
                    Program.path, words + ["--home", market.alice.home.path])
                #expect(told.status == 0 && told.output.contains("principal-not-agreed"), "\(told)")
                // With what was compared, where that is shown.
                #expect(words[0] == "audit" || told.output.contains("principals agreed"), "\(told)")
            }
            let nobody = try await Command.run(
                Program.path,
                ["explain", "\(CorrelationID(high: 1, low: 2))", "--home", market.alice.home.path])
            #expect(nobody.status == 1 && nobody.errors.contains("peers asked"), "\(nobody)")
        }
    }

    @Test("a link from another network is refused by the provider, and both sides hold why")
    func network() async throws {
        try await with(try conditions(networks: ["203.0.113.0/24", "2001:db8::/32"])) { market in
            let answer = try await market.bob.application.send(.GET, "/mesh/alice/ledger/any")
            #expect(answer.code == .networkNotAgreed && market.backend.seen.isEmpty)
            let id = try #require(answer.correlation)
            for agent in [market.alice, market.bob] {
                let events = try await agent.events(AuditQuery(correlation: id))
                let refusals = events.flatMap(\.event.refusals).filter { $0.code == .networkNotAgreed }
                #expect(!refusals.isEmpty)
                #expect(
                    refusals.allSatisfy {
                        $0.facts.contains(Fact("networks agreed", "203.0.113.0/24, 2001:db8::/32"))
                    })
            }
        }
        try await with(try conditions(networks: ["127.0.0.0/8", "::1"])) { market in
            let answer = try await market.bob.application.send(.GET, "/mesh/alice/ledger/any")
            #expect(answer.code == nil && market.backend.seen.count == 1)
        }
    }
}
