import Foundation
import MeshAudit
import MeshBase
import MeshControl
import Testing

@testable import MeshAgent
@testable import MeshNode

@Suite(
    "Calls held against Rego", .serialized, .timeLimit(.minutes(3)),
    .enabled(if: PolicyServer.python != nil, "regopy cannot be had: Scripts/python-with regopy says why"))
struct ExternalPolicyMeshTests {
    /// Alice lets Bob read, by this rule; Bob lets everything out but what is called `change`.
    private static let policy = """
        package comity

        default allow := {"allow": false, "reasons": ["no rule lets it pass"]}

        allow := true if {
            input.side == "consumer"
            input.capability != "change"
        }

        allow := {"allow": true} if {
            input.side == "provider"
            input.method == "GET"
            input.caller.name == "bob"
            startswith(input.caller.address, "127.")
            input.principal == "local"
        }

        nothing := true if input.resource == "never"
        """

    private struct Ground {
        let alice: RunningAgent
        let bob: RunningAgent
        let backend: Backend
        let server: PolicyServer
    }

    private func with(
        _ settings: [String: String] = [:], token: String? = nil,
        _ body: @escaping @Sendable (Ground) async throws -> Void
    ) async throws {
        try await TestMesh.with { mesh in
            let server = try await PolicyServer.start(in: mesh, Self.policy, token: token)
            let backend = try await Backend.start()
            mesh.atEnd { await backend.stop() }
            let environment = settings.merging(["COMITY_POLICY_URL": server.url]) { $1 }
            let alice = try await mesh.start("alice", environment: environment)
            let bob = try await mesh.start("bob", environment: environment)
            try await bob.join(alice)
            try await alice.provide(
                "orders", at: backend.url,
                ["list=GET /list safe", "store=POST /store unsafe", "change=PUT /change idempotent"])
            try await alice.offer("orders", to: bob)
            try await body(Ground(alice: alice, bob: bob, backend: backend, server: server))
        }
    }

    @Test(
        "what both engines allow passes; each no stands on both sides with its reason and its decision's id")
    func decides() async throws {
        try await with { ground in
            let allowed = try await ground.bob.application.invoke("alice/orders/list")
            #expect(allowed.status == 200 && ground.backend.seen.count == 1)
            for agent in [ground.alice, ground.bob] {
                let events = try await agent.events(AuditQuery(correlation: allowed.correlation))
                let facts = events.flatMap(\.event.metadata)
                #expect(facts.contains(Fact("external policy", "allowed")))
                let decision = facts.first { $0.name == "decision" }?.value ?? ""
                #expect(UUID(uuidString: decision) != nil)
            }
            let denied = try await ground.bob.application.invoke("alice/orders/store", "{}")
            #expect(denied.code == .externalPolicyDenied && denied.status == 403)
            for agent in [ground.alice, ground.bob] {
                let events = try await agent.events(AuditQuery(correlation: denied.correlation))
                let refusals = events.flatMap(\.event.refusals).filter { $0.code == .externalPolicyDenied }
                #expect(!refusals.isEmpty)
                #expect(refusals.allSatisfy { $0.facts.contains(Fact("reason", "no rule lets it pass")) })
                #expect(refusals.allSatisfy { $0.facts.contains(Fact("decided at", "provider")) })
            }
            let kept = try await ground.bob.application.send(.PUT, "/mesh/alice/orders/change", [])
            #expect(kept.code == .externalPolicyDenied && ground.backend.seen.count == 1)
            let there = try await ground.alice.events(AuditQuery(correlation: kept.correlation))
            #expect(there.isEmpty, "the consumer's engine kept it here")
        }
    }

    @Test("an engine that errs, babbles, is late or gone refuses, and what it is asked stays small")
    func failsClosed() async throws {
        try await with(["COMITY_POLICY_TIMEOUT": "300ms", "COMITY_POLICY_ASKS": "provider"]) { ground in
            for fault in ["error", "garbage", "oversized", "text", "redirect", "late"] {
                try await ground.server.order(fault)
                let answer = try await ground.bob.application.invoke("alice/orders/list")
                #expect(answer.code == .externalPolicyFailed, "\(fault)")
                #expect(answer.status == 503)
            }
            // More of them than the client has connections: each must be let go.
            try await ground.server.order("stuck")
            try await withThrowingTaskGroup(of: RefusalCode?.self) { calls in
                for _ in 0..<80 {
                    calls.addTask { try await ground.bob.application.invoke("alice/orders/list").code }
                }
                for try await code in calls { #expect(code == .externalPolicyFailed) }
            }
            try await ground.server.order("none")
            let well = try await ground.bob.application.invoke("alice/orders/list")
            #expect(well.status == 200 && ground.backend.seen.count == 1)
            #expect(try await engineAttention(of: ground.alice) == nil)
            ground.server.kill()
            for _ in 0..<2 {
                let gone = try await ground.bob.application.invoke("alice/orders/list")
                #expect(gone.code == .externalPolicyFailed)
            }
            let said = try #require(try await engineAttention(of: ground.alice))
            #expect(said.contains(ground.server.url) && said.contains("(2 so far): it could not be asked"))
            #expect(try await engineAttention(of: ground.bob) == nil, "it asks none")
        }
    }

    /// What the status of `agent` says of its engine.
    private func engineAttention(of agent: RunningAgent) async throws -> String? {
        let status = try await ControlClient.with(home: agent.home.path) {
            client throws(ControlFailure) in try await client.ask(ShowStatus.self)
        }
        return status.attention.first { $0.what.hasPrefix("the policy engine ") }?.what
    }

    @Test("a rule that is undefined refuses, and so does a wrong token")
    func undefined() async throws {
        try await with(["COMITY_POLICY_RULE": "comity/nothing"]) { ground in
            let answer = try await ground.bob.application.invoke("alice/orders/list")
            #expect(answer.code == .externalPolicyFailed)
        }
        try await with(token: "a-secret") { ground in
            let answer = try await ground.bob.application.invoke("alice/orders/list")
            #expect(answer.code == .externalPolicyFailed && ground.backend.seen.isEmpty)
        }
    }

    @Test("an answer counts as long as is configured")
    func cache() async throws {
        try await with(["COMITY_POLICY_CACHE": "1h"]) { ground in
            for _ in 0..<5 {
                let answer = try await ground.bob.application.invoke("alice/orders/list")
                #expect(answer.status == 200)
            }
            // Once for the consumer, once for the provider.
            let asked = try await ground.server.count()
            #expect(asked == 2)
        }
    }
}
