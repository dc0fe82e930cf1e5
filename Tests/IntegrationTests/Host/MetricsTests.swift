import Foundation
import MeshBase
import Testing

@testable import MeshAgent

@Suite("The page of metrics of an agent", .timeLimit(.minutes(1)))
struct MetricsTests {
    @Test("counts trust that was made and handshakes that were proved, and names nobody but by node ID")
    func trust() async throws {
        try await TestMesh.with { mesh in
            let (alice, bob) = try await mesh.pair()
            let page = try await alice.metrics()
            #expect(page["federation_trust_establishment_total{status=\"success\"}"] == 1)
            #expect(page["federation_trust_establishment_total{status=\"failure\"}"] == 0)
            #expect((page["federation_trust_verification_total{status=\"success\"}"] ?? 0) >= 1)
            for node in [alice.node, bob.node] {
                let days = page["federation_certificate_expiry_days{node_id=\"\(node)\"}"] ?? -1
                #expect((0.9...1).contains(days), "\(node) \(days)")
            }
            // A line that is used again by somebody else is an establishment that failed.
            let carol = try await mesh.start("carol")
            let line = try await alice.invite()
            try await carol.order(.join(line))
            let dora = try await mesh.start("dora")
            _ = await dora.plane.command(.join(line))
            try await until("the failure is counted") {
                try await alice.metrics()["federation_trust_establishment_total{status=\"failure\"}"] == 1
            }
            #expect(
                (try await alice.metrics()["federation_trust_verification_total{status=\"failure\"}"] ?? 0)
                    >= 1)
        }
    }

    @Test("counts calls as their caller saw them, says how long they took, and shows links and breakers")
    func calls() async throws {
        try await TestMesh.with { mesh in
            let backend = try await Backend.start()
            mesh.atEnd { await backend.stop() }
            let (alice, bob) = try await mesh.pair()
            try await bob.provide("prices", at: backend.url, ["get=GET /price idempotent"])
            try await bob.offer("prices", to: alice)
            for _ in 0..<3 {
                #expect(try await alice.application.invoke("bob/prices/get").status == 200)
            }
            #expect(try await alice.application.invoke("bob/secrets/get").status != 200)
            let page = try await alice.metrics()
            let node = "node=\"\(bob.node)\""
            #expect(page["federation_invocation_requests_total{\(node),status=\"success\"}"] == 3)
            #expect(page["federation_invocation_requests_total{\(node),status=\"refused\"}"] == 1)
            #expect(page["federation_invocation_requests_total{\(node),status=\"failure\"}"] == 0)
            #expect(page["federation_invocation_duration_seconds_count{\(node)}"] == 3)
            #expect((page["federation_invocation_duration_seconds_sum{\(node)}"] ?? 0) > 0)
            #expect(page["federation_route_lookups_total{resource_id=\"prices\"}"] == 3)
            #expect(page["federation_circuit_breaker_state{\(node)}"] == 0)
            #expect(page["federation_node_health_status{\(node)}"] == 2)
            // The provider's own page counts what its applications call, and it has none.
            let other = try await bob.metrics()
            #expect(!other.keys.contains { $0.hasPrefix("federation_invocation_requests_total") })
            await bob.stop()
            try await until("the link is gone") {
                try await alice.metrics()["federation_node_health_status{\(node)}"] == 0
            }
            #expect(try await alice.metrics()["federation_circuit_breaker_state{\(node)}"] == 1)
        }
    }

    @Test("is told to who may call, and to nobody else")
    func access() async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.start("alice", environment: ["COMITY_GATEWAY_ACCESS": "token"])
            let refused = try await alice.application.send(.GET, "/metrics")
            #expect(refused.status == 401 && !refused.text.contains("federation_"))
            let token = try String(contentsOfFile: alice.home.gatewayToken, encoding: .utf8)
                .trimmingCharacters(in: .whitespacesAndNewlines)
            let told = try await alice.application.send(
                .GET, "/metrics", headers: ["authorization": "Bearer \(token)"])
            #expect(told.status == 200)
            #expect(told.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            let open = try await mesh.start("bob")
            #expect(try await open.application.send(.POST, "/metrics").status == 404)
            let browser = try await open.application.send(
                .GET, "/metrics", headers: ["origin": "http://example.org"])
            #expect(browser.status == 403)
        }
    }

    @Test("is one that promtool takes, under the names of the original federation")
    func names() async throws {
        try await TestMesh.with { mesh in
            let (alice, _) = try await mesh.pair()
            let text = try await alice.application.send(.GET, "/metrics").text
            for name in [
                "federation_discovery_requests_total", "federation_discovery_duration_seconds",
                "federation_trust_establishment_total", "federation_trust_verification_total",
                "federation_certificate_expiry_days", "federation_route_lookups_total",
                "federation_invocation_requests_total", "federation_invocation_duration_seconds",
                "federation_circuit_breaker_state", "federation_node_health_status",
            ] {
                #expect(text.contains("# TYPE \(name) "))
            }
            guard let promtool = Command.tool("promtool") ?? Command.fetched("prometheus/usr/bin/promtool")
            else {
                return print("SKIPPED: promtool is not here to check the page; Scripts/setup fetches it")
            }
            let checked = try await Command.run(promtool, ["check", "metrics"], input: text)
            // The federation's name says days, which the checker's taste would have be seconds.
            let complaints = checked.errors.split(separator: "\n").filter {
                !$0.hasPrefix("federation_certificate_expiry_days use base unit")
            }
            #expect(complaints.isEmpty && [0, 3].contains(checked.status), "\(checked)")
        }
    }
}

extension RunningAgent {
    /// The numbers of the page, by name and labels.
    fileprivate func metrics() async throws -> [String: Double] {
        let text = try await application.send(.GET, "/metrics").text
        let samples = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap { line in
            line.lastIndex(of: " ").map {
                (String(line[..<$0]), Double(line[line.index(after: $0)...]) ?? .nan)
            }
        }
        return Dictionary(uniqueKeysWithValues: samples)
    }
}
