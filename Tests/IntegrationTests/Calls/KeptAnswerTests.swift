import MeshAgreements
import MeshAudit
import MeshBase
import MeshRouting
import Testing

@testable import MeshAgent
@testable import MeshNode

@Suite("Answers that callers keep", .serialized, .timeLimit(.minutes(1)))
struct KeptAnswerTests {
    private static let capabilities = ["list=GET /list safe", "sum=GET /bytes safe", "add=POST /list unsafe"]

    private func withKept(
        _ time: KeepTime, _ body: @escaping @Sendable (Market) async throws -> Void
    ) async throws {
        try await Market.with { market in
            try await market.alice.provide(
                "prices", at: market.backend.url, Self.capabilities,
                kept: [("list", time), ("sum", time)])
            try await market.alice.offer("prices", to: market.bob)
            try await body(market)
        }
    }

    private func seen(_ market: Market) -> Int { market.backend.seen.count }

    @Test("ten calls are one request; the answer is the same, and each call is one event that leads to it")
    func once() async throws {
        try await withKept(.seconds(60)) { market in
            let first = try await market.bob.application.send(.GET, "/mesh/alice/prices/list?a=1")
            #expect(first.status == 200 && first.headers["comity-cache"] == "miss")
            #expect(first.headers["comity-keep-for"] == nil)
            for _ in 0..<9 {
                let again = try await market.bob.application.send(.GET, "/mesh/alice/prices/list?a=1")
                #expect(again.status == 200 && again.headers["comity-cache"] == "hit")
                #expect(again.body == first.body && again.headers["x-saw"] == first.headers["x-saw"])
                #expect(again.headers["content-length"] == first.headers["content-length"])
                let events = try await market.bob.events(
                    AuditQuery(correlation: again.correlation))
                let fact = Fact("brought by the call", try #require(first.correlation))
                #expect(events.count == 1 && events[0].event.metadata.contains(fact))
            }
            #expect(seen(market) == 1)
            let other = try await market.bob.application.send(.GET, "/mesh/alice/prices/list?a=2")
            #expect(other.headers["comity-cache"] == "miss" && seen(market) == 2)
            let forced = try await market.bob.application.send(
                .GET, "/mesh/alice/prices/list?a=1", headers: ["cache-control": "no-cache"])
            #expect(forced.headers["comity-cache"] == "miss" && seen(market) == 3)
            // At its provider nothing is kept: there it is a call like any other.
            let own = try await market.alice.application.send(.GET, "/mesh/alice/prices/list?a=1")
            #expect(own.headers["comity-cache"] == nil && seen(market) == 4)
        }
    }

    @Test("64 KiB are kept, byte for byte, and a byte more is not")
    func long() async throws {
        try await withKept(.seconds(60)) { market in
            for (length, result) in [(65_536, "hit"), (65_537, "miss"), (0, "hit")] {
                let path = "/mesh/alice/prices/bytes/\(length)"
                let first = try await market.bob.application.send(.GET, path)
                let again = try await market.bob.application.send(.GET, path)
                #expect(first.body.count == length && again.body == first.body)
                #expect(again.headers["comity-cache"] == result, "\(length) bytes")
            }
            let plane = market.bob.calls
            let held = try await plane.loop.submit { plane.tables.value.keeping }.get()
            #expect(held == 0)
        }
    }

    @Test("a write ends what is kept; an agreement that is revoked refuses although its answer is there")
    func ends() async throws {
        try await withKept(.seconds(60)) { market in
            for _ in 0..<2 {
                #expect(try await market.bob.application.send(.GET, "/mesh/alice/prices/list").status == 200)
            }
            #expect(seen(market) == 1)
            #expect(
                try await market.bob.application.send(.POST, "/mesh/alice/prices/list", [1]).status == 200)
            let after = try await market.bob.application.send(.GET, "/mesh/alice/prices/list")
            #expect(after.headers["comity-cache"] == "miss" && seen(market) == 3)
            let record = try #require(
                await market.bob.plane.node.agreements.records.first { record in
                    record.agreement.grants.contains { $0.resource.description == "prices" }
                })
            try await market.alice.order(
                .revoke(
                    RevocationOrder(contentID: record.contentID, orderedBy: .local, reason: "enough")))
            try await until("bob's desk knows that it is over") {
                market.bob.calls.desk.withLock { $0.cache }.isEmpty
            }
            let refused = try await market.bob.application.send(.GET, "/mesh/alice/prices/list")
            #expect(refused.code == .agreementEnded && seen(market) == 3)
        }
    }

    @Test("where the provider is gone, what is over is given for a while, and says so")
    func stale() async throws {
        try await withKept(.seconds(2)) { market in
            let first = try await market.bob.application.send(.GET, "/mesh/alice/prices/list")
            #expect(first.headers["comity-cache"] == "miss")
            await market.alice.stop()
            let fresh = try await market.bob.application.send(.GET, "/mesh/alice/prices/list")
            #expect(fresh.headers["comity-cache"] == "hit" && fresh.body == first.body)
            try await Task.sleep(for: .milliseconds(2_050))
            let stale = try await market.bob.application.send(.GET, "/mesh/alice/prices/list")
            #expect(stale.status == 200 && stale.headers["comity-cache"] == "stale")
            #expect(stale.headers["age"].flatMap { Int($0) } ?? 0 >= 2)
            try await Task.sleep(for: .milliseconds(2_000))
            let gone = try await market.bob.application.send(
                .GET, "/mesh/alice/prices/list", headers: ["comity-deadline": "500ms"])
            #expect(gone.code == .deadlineExceeded || gone.code == .peerUnreachable)
        }
    }

    @Test("each principal is told what it was told itself")
    func principals() async throws {
        try await TestMesh.with { mesh in
            let backend = try await Backend.start()
            mesh.atEnd { await backend.stop() }
            let alice = try await mesh.start("alice")
            let bob = try await mesh.start("bob", environment: ["COMITY_GATEWAY_PRINCIPALS": "port=ann+ben"])
            try await bob.join(alice)
            try await alice.provide(
                "prices", at: backend.url, Self.capabilities, kept: [("list", .seconds(60))])
            try await alice.offer("prices", to: bob)
            for (name, result) in [("ann", "miss"), ("ben", "miss"), ("ann", "hit"), ("ben", "hit")] {
                let answer = try await bob.application.send(
                    .GET, "/mesh/alice/prices/list", headers: ["comity-principal": name])
                #expect(answer.headers["comity-cache"] == result, "\(answer.text)")
            }
            #expect(backend.seen.compactMap { $0.header("comity-principal") } == ["ann", "ben"])
        }
    }
}
