import Foundation
import MeshAudit
import MeshBase
import Testing

@testable import MeshAgent

@Suite("A call to all providers of a resource", .timeLimit(.minutes(1)))
struct FanOutCallTests {
    /// One provider's part, as an application reads it.
    private struct Part: Decodable {
        struct Refused: Decodable {
            let code: String
        }
        let node: String
        let name: String
        let correlation: String?
        let status: Int?
        let text: String?
        let refused: Refused?
    }

    /// A caller with three providers by route: two that offer it, and one that takes it back.
    private func mesh(
        _ body: (RunningAgent, [RunningAgent], [Backend]) async throws -> Void
    ) async throws {
        try await TestMesh.with { mesh in
            let caller = try await mesh.start("caller")
            var providers: [RunningAgent] = []
            var backends: [Backend] = []
            for name in ["east", "north", "west"] {
                let backend = try await Backend.start()
                mesh.atEnd { await backend.stop() }
                let provider = try await mesh.start(name)
                try await provider.join(caller)
                try await provider.provide(
                    "prices", at: backend.url,
                    ["get=GET /price idempotent", "put=POST /price unsafe"])
                try await provider.offer("prices", to: caller)
                providers.append(provider)
                backends.append(backend)
            }
            try await caller.route("prices", via: providers)
            try await body(caller, providers, backends)
        }
    }

    private func parts(_ answer: Application.Answer) throws -> [Part] {
        try JSONDecoder().decode([Part].self, from: Data(answer.body))
    }

    @Test("reaches each once, and says of each what became of it, in one trace with a call of its own each")
    func all() async throws {
        try await mesh { caller, providers, backends in
            let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            let answer = try await caller.application.invoke(
                "*/prices/put", #"{"a":1}"#, headers: ["traceparent": trace])
            #expect(answer.status == 200 && answer.headers["comity-fan-out"] == "3/3", "\(answer.text)")
            let parts = try parts(answer)
            #expect(parts.map(\.name) == ["east", "north", "west"])
            #expect(parts.map(\.node) == providers.map { "\($0.node)" })
            #expect(parts.allSatisfy { $0.status == 200 && $0.refused == nil })
            #expect(Set(parts.compactMap(\.correlation)).count == 3)
            for backend in backends {
                #expect(backend.seen.count == 1 && backend.seen.first?.length == 7)
                // A provider's own span stands in it, of the same trace.
                #expect(
                    backend.seen.first?.header("traceparent")?.contains("0af7651916cd43dd8448eb211c80319c")
                        == true)
            }
            // Each side has each call in its audit, under the name that the answer gives.
            for (part, provider) in zip(parts, providers) {
                let correlation = try #require(part.correlation.flatMap { CorrelationID($0) })
                for agent in [caller, provider] {
                    try await until("the audit of \(part.name)") {
                        try await agent.events(AuditQuery(correlation: correlation)).contains {
                            $0.stage == .ended && $0.event.success
                        }
                    }
                }
            }
        }
    }

    @Test("names who refused, who is gone and who is too late, and keeps the others' answers")
    func some() async throws {
        try await mesh { caller, providers, backends in
            await providers[1].stop()
            await backends[2].stop()
            try await until("its link is down") { await caller.link(with: providers[1].node) == nil }
            let answer = try await caller.application.send(
                .GET, "/mesh/*/prices/price", headers: ["comity-deadline": "2s"])
            #expect(answer.status == 200 && answer.headers["comity-fan-out"] == "1/3", "\(answer.text)")
            let parts = try parts(answer)
            #expect(parts.map { $0.status == 200 } == [true, false, false])
            #expect(parts[0].refused == nil)
            #expect(["deadline-exceeded", "peer-unreachable"].contains(parts[1].refused?.code))
            #expect(parts[2].refused?.code == "resource-unreachable")
        }
    }

    @Test("is refused as a call is when nobody answers, and when nobody provides it")
    func none() async throws {
        try await mesh { caller, _, _ in
            let refused = try await caller.application.invoke("*/prices/nothing")
            #expect(refused.status == 404 && refused.headers["comity-fan-out"] == "0/3", "\(refused.text)")
            #expect(try parts(refused).allSatisfy { $0.refused?.code == "capability-unknown" })
            let unknown = try await caller.application.invoke("*/tools/get")
            #expect(unknown.code == .resourceUnknown && unknown.headers["comity-fan-out"] == nil)
        }
    }

    @Test("gives up an answer that is too long, and every call when the application goes away")
    func givenUp() async throws {
        try await Stall.with { market in
            try await market.bob.route("orders", via: [market.alice])
            let answer = try await market.bob.application.send(.GET, "/mesh/*/orders/zeros/\(1 << 40)")
            #expect(answer.status == 200 && answer.headers["comity-fan-out"] == "0/1", "\(answer.text)")
            #expect(try parts(answer).map(\.refused?.code) == ["body-too-large"])
            #expect(try parts(answer).map(\.status) == [200])
            try await until("the resource is rid of what is too long") { market.backend.openConnections == 0 }
            try await market.bob.stream(.get("/mesh/*/orders/slowly/1000")) { _ in _ = usleep(300_000) }
            let plane = market.bob.agent.ground.calls
            // Well before its time would be over.
            try await until("nothing is left of either", within: .seconds(5)) {
                try await plane.loop.submit {
                    plane.tables.value.fanOuts.isEmpty && plane.tables.value.requests.isEmpty
                }.get()
            }
            try await until("both are written down as given up") {
                let ends = try await market.bob.events(AuditQuery(type: .call)).flatMap(\.event.refusals)
                return ends.map(\.code) == [.cancelled, .cancelled]
            }
        }
    }
}
