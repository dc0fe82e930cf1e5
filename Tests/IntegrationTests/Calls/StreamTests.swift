import Foundation
import MeshAudit
import MeshBase
import NIOCore
import Testing

@testable import MeshAgent

@Suite("A stream through two agents", .timeLimit(.minutes(2)))
struct StreamTests {
    @Test("carries more than either agent keeps, there and back, and both write down how much")
    func long() async throws {
        try await Stall.with { market in
            let size = 24 << 20
            let sent = try await market.bob.stream(.put("/mesh/alice/orders/store", declared: size)) { wire in
                wire.send(zeros: size)
                return wire.answer()
            }
            #expect(sent.status == 200 && sent.body == "\(size) declared")
            let chunked = try await market.bob.stream(.put("/mesh/alice/orders/store", declared: nil)) {
                wire in
                for _ in 0..<(size >> 20) { wire.send(chunk: [UInt8](repeating: 0, count: 1 << 20)) }
                wire.sendLast()
                return wire.answer()
            }
            #expect(chunked.body == "\(size) in chunks")
            let fetched = try await market.bob.stream(.get("/mesh/alice/orders/zeros/\(size)")) {
                $0.answer()
            }
            #expect(fetched.length == size && fetched.headers["content-length"] == "\(size)")
            for (answer, request, reply) in [(sent, size, 17), (chunked, size, 18), (fetched, 0, size)] {
                let id = try #require(answer.correlation)
                for agent in [market.bob, market.alice] {
                    let events = try await agent.events(AuditQuery(correlation: id)).map(\.event)
                    #expect(!events.isEmpty && events.allSatisfy { $0.success })
                    #expect(events.allSatisfy { $0.requestLength == Int64(request) })
                    #expect(events.allSatisfy { $0.answerLength == Int64(reply) })
                }
            }
        }
    }

    @Test("lets an answer begin and go on before the request has ended: both sides speak at once")
    func conversation() async throws {
        try await Stall.with { market in
            let requests = [
                HandmadeRequest.put("/mesh/alice/orders/echo", declared: nil),
                .put("/mesh/alice/echo", declared: nil, method: "POST"),
            ]
            for request in requests {
                try await market.bob.stream(request) { wire in
                    for word in ["one", "two", "three"] {
                        wire.send(chunk: Array(word.utf8))
                        #expect(wire.receive(until: word).hasSuffix(word))
                    }
                    wire.sendLast()
                    #expect(wire.receive(until: "0\r\n\r\n").hasSuffix("0\r\n\r\n"))
                }
            }
        }
    }

    @Test("passes each piece of an answer as it comes, and what follows it")
    func events() async throws {
        try await Stall.with { market in
            try await market.bob.stream(.get("/mesh/alice/orders/slowly/3")) { wire in
                let began = ContinuousClock.now
                #expect(wire.receive(until: "event 0\n").contains("200 OK"))
                #expect(ContinuousClock.now - began < .milliseconds(1_100))
                let rest = wire.receive(until: "\r\n\r\n")
                #expect(rest.contains("event 2\n") && rest.contains("x-events: 3"))
            }
        }
    }

    @Test("carries an application's trailers to the resource")
    func trailers() async throws {
        try await Stall.with { market in
            let answer = try await market.bob.stream(.put("/mesh/alice/orders/store", declared: nil)) {
                wire in
                wire.send(chunk: Array("abc".utf8))
                usleep(50_000)
                wire.sendLast(trailers: "X-Sum: 3\r\n")
                return wire.answer()
            }
            #expect(answer.body == "3 in chunks, x-sum=3")
        }
    }

    @Test("is held up by whoever reads slowly, and holds up nobody else")
    func slow() async throws {
        try await Stall.with { market in
            try await market.bob.stream(.get("/mesh/alice/orders/zeros/\(256 << 20)")) { wire in
                _ = wire.receive(max: 1_000)
                usleep(300_000)
                let before = market.backend.bytesSent
                usleep(300_000)
                // What the sockets of four processes and both windows take, and then nothing.
                #expect(market.backend.bytesSent == before && before < 64 << 20)
            }
            let answer = try await market.bob.application.send(.GET, "/mesh/alice/orders/zeros/3")
            #expect(answer.body == [0, 0, 0])
        }
    }

    @Test("ends at the resource when the application goes away, in either direction")
    func cancelled() async throws {
        try await Stall.with { market in
            try await market.bob.stream(.get("/mesh/alice/orders/zeros/\(1 << 40)")) { wire in
                _ = wire.receive(max: 100_000)
            }
            try await market.bob.stream(.put("/mesh/alice/orders/store", declared: 1 << 40)) { wire in
                wire.send(zeros: 1 << 20)
                usleep(100_000)
            }
            try await until("the resource is rid of both") { market.backend.openConnections == 0 }
            for agent in [market.bob, market.alice] {
                try await until("\(agent.identity.name) has written both down") {
                    try await agent.events(AuditQuery(type: agent === market.bob ? .call : .service))
                        .filter { $0.event.refusals.first?.code == .cancelled }.count == 2
                }
            }
        }
    }

    @Test("is refused before its body is read")
    func refusedEarly() async throws {
        try await Stall.with { market in
            let answer = try await market.bob.stream(
                .put("/mesh/alice/private/store", declared: 1 << 40)
            ) { $0.answer() }
            #expect(answer.headers["comity-refusal"] == "resource-unknown")
            #expect(market.backend.bytesReceived == 0)
        }
    }

    @Test("leaves nothing behind at the provider when the resource fails")
    func failing() async throws {
        try await Stall.with { market in
            market.backend.stop()
            for _ in 0..<20 {
                let answer = try await market.bob.stream(
                    .put("/mesh/alice/orders/store", declared: 3)
                ) { wire in
                    wire.send("abc")
                    return wire.answer()
                }
                #expect(answer.status >= 500)
            }
            let plane = market.alice.agent.ground.calls
            let left = try await plane.loop.submit {
                (plane.tables.value.uses.count, plane.tables.value.calls.count)
            }
            .get()
            #expect(left == (0, 0))
        }
    }

    @Test("goes on from the beginning on a new link while all of it is kept, and ends otherwise")
    func linkLost() async throws {
        try await Stall.with { market in
            for (first, rest) in [(60_000, 0), (60_000, 65_000), (200_000, 1)] {
                let answer = try await market.bob.stream(
                    .put("/mesh/alice/orders/store", declared: first + rest)
                ) { wire in
                    wire.send(zeros: first)
                    usleep(100_000)
                    Self.cut(market.bob)
                    wire.send(zeros: rest)
                    return wire.answer()
                }
                #expect([200, 502, 503].contains(answer.status))
                try await market.bob.linked(with: market.alice)
            }
        }
    }

    private static func cut(_ agent: RunningAgent) {
        let plane = agent.agent.ground.calls
        plane.loop.execute {
            for connection in plane.tables.value.links.values { agent.transport.close(connection, "a test") }
        }
    }

    @Test("is answered early by a resource that wants no more of it")
    func answeredEarly() async throws {
        try await Stall.with { market in
            let answer = try await market.bob.stream(
                .put("/mesh/alice/orders/deny", declared: 1 << 30)
            ) { wire in
                wire.send(zeros: 1 << 20)
                return wire.answer()
            }
            #expect(answer.status == 413 && answer.body == "no more")
        }
    }
}

/// Alice provides `orders`, which streams, and `private`; Bob calls.
struct Stall {
    let alice: RunningAgent
    let bob: RunningAgent
    let backend: StreamBackend

    static func with(_ body: (Stall) async throws -> Void) async throws {
        try await TestMesh.with { mesh in
            let backend = try StreamBackend()
            mesh.atEnd { backend.stop() }
            let (alice, bob) = try await mesh.pair()
            for name in ["orders", "private"] {
                try await alice.provide(name, at: backend.url, ["all=GET,PUT / idempotent"])
            }
            try await alice.offer("orders", to: bob)
            try await body(Stall(alice: alice, bob: bob, backend: backend))
        }
    }
}
