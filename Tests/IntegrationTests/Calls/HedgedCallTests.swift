import MeshAudit
import MeshBase
import MeshRouting
import Testing

@testable import MeshAgent
@testable import MeshNode

@Suite("Slow calls that are sent to a second provider as well", .timeLimit(.minutes(1)))
struct HedgedCallTests {
    /// One who calls, and two who provide `prices`, of whom `near` is asked first.
    private struct Two: Sendable {
        let caller: RunningAgent
        let near: RunningAgent
        let far: RunningAgent
        let nearby: Backend
        let faraway: Backend

        /// How the attempts of the last call ended at its caller, by their numbers, and all that was noted.
        func attempts() async throws -> [AuditEvent] {
            let entries = try await caller.events(AuditQuery(type: .attempt, limit: 2))
            return entries.map(\.event).sorted { $0.attempt < $1.attempt }
        }

        /// Waits until the provider has heard that nobody waits for its answer.
        func isTold(_ provider: RunningAgent) async throws {
            try await until("\(provider.identity.name) hears that its answer is not awaited") {
                try await provider.events(AuditQuery(resource: ResourceName("prices"), limit: 20))
                    .contains { $0.stage == .ended && $0.event.refusals.first?.code == .cancelled }
            }
        }
    }

    private static let capabilities = [
        "get=GET /price safe", "search=POST /search safe", "set=PUT /price idempotent",
    ]

    private func withTwo(
        _ hedge: HedgeTime?, sealed: Bool = false, _ body: (Two) async throws -> Void
    ) async throws {
        try await TestMesh.with { mesh in
            let (nearby, faraway) = (try await Backend.start(), try await Backend.start())
            mesh.atEnd {
                await nearby.stop()
                await faraway.stop()
            }
            let caller = try await mesh.start("caller")
            let near = try await mesh.start("near")
            let far = try await mesh.start("far")
            for (provider, backend) in [(near, nearby), (far, faraway)] {
                try await provider.join(caller)
                try await provider.provide("prices", at: backend.url, Self.capabilities)
                if sealed {
                    try await provider.offerSealed("prices", to: caller)
                } else {
                    try await provider.offer("prices", to: caller)
                }
            }
            try await caller.route("prices", via: [near, far], .preferNode(near.node), .hedge(hedge))
            try await until("the desk knows the route") {
                caller.calls.desk.withLock { $0.view }.routes.values.contains { $0.preferred == near.node }
            }
            try await body(Two(caller: caller, near: near, far: far, nearby: nearby, faraway: faraway))
        }
    }

    @Test("are answered by the quick one, the slow one is told, and the trail says why there were two")
    func secondWins() async throws {
        try await withTwo(.milliseconds(100)) { two in
            two.nearby.hesitate(.seconds(8))
            let began = ContinuousClock.now
            let answer = try await two.caller.application.invoke("any/prices/get")
            #expect(answer.status == 200)
            #expect(ContinuousClock.now - began < .seconds(6))
            #expect(two.nearby.seen.count == 1 && two.faraway.seen.count == 1)
            let attempts = try await two.attempts()
            #expect(attempts.map(\.target) == [two.near.node, two.far.node])
            #expect(attempts.map(\.success) == [false, true])
            #expect(attempts[0].refusals.map(\.code) == [.cancelled])
            #expect(attempts[1].metadata.contains(Fact("hedge of attempt", 1)))
            try await two.isTold(two.near)
        }
    }

    @Test("are answered by the first after all, where that begins before the second")
    func firstWins() async throws {
        try await withTwo(.milliseconds(50)) { two in
            two.nearby.hesitate(.milliseconds(800))
            two.faraway.hesitate(.seconds(8))
            let answer = try await two.caller.application.invoke("any/prices/get")
            #expect(answer.status == 200)
            let attempts = try await two.attempts()
            #expect(attempts.map(\.success) == [true, false])
            #expect(attempts[1].refusals.map(\.code) == [.cancelled])
            try await two.isTold(two.far)
        }
    }

    @Test("bring their whole body to both, and the whole of one answer back", arguments: [false, true])
    func bodies(sealed: Bool) async throws {
        try await withTwo(.milliseconds(30), sealed: sealed) { two in
            two.nearby.hesitate(.milliseconds(400))
            let body = "{\"words\":\"" + String(repeating: "w", count: 600_000) + "\"}"
            for _ in 0..<5 {
                let answer = try await two.caller.application.invoke("any/prices/search", body)
                #expect(answer.status == 200 && answer.text == body, "\(answer.body.count) bytes")
            }
            #expect(two.nearby.seen.allSatisfy { $0.length == body.utf8.count })
            #expect(two.faraway.seen.count == 5)
            #expect(two.faraway.seen.allSatisfy { $0.length == body.utf8.count })
        }
    }

    @Test("go from a peer to this node, and from this node to a peer")
    func own() async throws {
        try await withTwo(.milliseconds(50)) { two in
            let caller = two.caller
            two.nearby.hesitate(.seconds(8))
            try await caller.provide("prices", at: two.faraway.url, Self.capabilities)
            try await until("the desk knows its own resource") {
                !caller.calls.desk.withLock { $0.view }.resources.isEmpty
            }
            let first = try await caller.application.invoke("any/prices/search", "[1]")
            #expect(first.status == 200 && first.text == "[1]")
            let there = try await two.attempts()
            #expect(there.map(\.target) == [two.near.node, caller.node])
            #expect(there.map(\.success) == [false, true])
            try await two.isTold(two.near)
            two.nearby.hesitate(.zero)
            two.faraway.hesitate(.seconds(8))
            try await caller.route("prices", via: [two.near], .preferNode(nil))
            try await until("the desk knows that nobody is preferred") {
                caller.calls.desk.withLock { $0.view }.routes.values.allSatisfy { $0.preferred == nil }
            }
            let second = try await caller.application.invoke("any/prices/search", "[2]")
            #expect(second.status == 200 && second.text == "[2]")
            let here = try await two.attempts()
            #expect(here.map(\.target) == [caller.node, two.near.node])
            #expect(here.map(\.success) == [false, true])
        }
    }

    @Test("go nowhere else when they may change something, or nobody said so")
    func only() async throws {
        try await withTwo(.milliseconds(30)) { two in
            two.nearby.hesitate(.milliseconds(300))
            let answer = try await two.caller.application.invoke("any/prices/set")
            #expect(answer.status == 200)
            #expect(two.nearby.seen.count == 1 && two.faraway.seen.isEmpty)
        }
        try await withTwo(nil) { two in
            two.nearby.hesitate(.milliseconds(300))
            let answer = try await two.caller.application.invoke("any/prices/get")
            #expect(answer.status == 200)
            #expect(two.nearby.seen.count == 1 && two.faraway.seen.isEmpty)
        }
    }
}
