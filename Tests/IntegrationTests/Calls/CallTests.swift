import Foundation
import MeshAudit
import MeshBase
import NIOHTTP1
import Testing

@testable import MeshAgent

@Suite("A call through two gateways", .timeLimit(.minutes(1)))
struct CallTests {
    @Test("of the built-in echo works as soon as there is trust, and both sides remember it")
    func echo() async throws {
        try await TestMesh.with { mesh in
            let (alice, bob) = try await mesh.pair()
            let answer = try await eventually("echo is agreed") {
                let answer = try await bob.application.invoke("alice/echo", #"{"hi":1}"#)
                return answer.status == 200 ? answer : nil
            }
            #expect(answer.text == #"{"hi":1}"#)
            let id = try #require(answer.correlation)
            let here = try await bob.events(AuditQuery(correlation: id))
            let there = try await alice.events(AuditQuery(correlation: id))
            #expect(here.map(\.event.type).sorted { $0.rawValue < $1.rawValue } == [.attempt, .call])
            #expect(there.map(\.event.type) == [.service])
            for entry in here + there {
                #expect(entry.stage == .ended && entry.event.success)
                #expect(entry.event.source == bob.node && entry.event.target == alice.node)
            }
        }
    }

    @Test("reaches the capability that was declared, with what the backend is to know and nothing else")
    func capability() async throws {
        try await Market.with { market in
            let answer = try await market.bob.application.invoke(
                "alice/orders/list", #"{"limit":2}"#,
                headers: ["comity-caller": "mallory", "x-own": "kept", "connection": "x-hop", "x-hop": "1"])
            #expect(answer.status == 200)
            #expect(answer.headers["x-saw"] == "GET /list?limit=2")
            let seen = try #require(market.backend.seen.last)
            #expect(seen.header("comity-caller") == market.bob.node.description)
            #expect(seen.header("comity-caller-name") == "bob")
            #expect(seen.header("comity-principal") == "local")
            #expect(seen.header("comity-correlation-id") == answer.correlation?.description)
            #expect(seen.header("traceparent") != nil)
            #expect(seen.header("comity-agreement") != nil)
            #expect(seen.header("x-own") == "kept")
            #expect(seen.header("x-hop") == nil)
            #expect(market.backend.url.hasSuffix(seen.header("host") ?? "none"))
        }
    }

    @Test("of a capability that is HEAD by `/invoke` ends, though its answer's head promises a body's length")
    func head() async throws {
        try await TestMesh.with { mesh in
            let (alice, bob) = try await mesh.pair()
            let backend = try await Backend.start()
            try await alice.provide("orders", at: backend.url, ["info=HEAD /info safe"])
            try await alice.offer("orders", to: bob)
            let answer = try await eventually("it is agreed") {
                let answer = try await bob.application.invoke("alice/orders/info", "{}")
                return answer.status == 200 ? answer : nil
            }
            #expect(answer.text.isEmpty && backend.seen.last?.method == "HEAD")
            #expect(answer.headers["x-saw"] == "HEAD /info")
        }
    }

    @Test("reaches a service at a Unix socket, and tells a caller no path of it")
    func unixSocket() async throws {
        try await TestMesh.with { mesh in
            let (alice, bob) = try await mesh.pair()
            let path = NSTemporaryDirectory() + "orders-\(UUID().uuidString.prefix(8)).sock"
            defer { unlink(path) }
            let backend = try await Backend.start(at: path)
            try await alice.provide("orders", at: backend.url + ":/v1", ["list=GET /list safe"])
            try await alice.offer("orders", to: bob)
            let answer = try await bob.application.invoke("alice/orders/list", "{}")
            #expect(answer.status == 200 && answer.headers["x-saw"] == "GET /v1/list")
            #expect(backend.seen.last?.header("host") == "localhost")
            await backend.stop()

            try await alice.provide("bills", at: "http://unix:\(path).none", ["list=GET /list safe"])
            try await alice.offer("bills", to: bob)
            let refused = try await bob.application.invoke("alice/bills/list", "{}")
            #expect(refused.code == .resourceUnreachable)
            #expect(!refused.text.contains(path), "where it is is nobody else's to know")
        }
    }

    @Test("carries a mebibyte there and a mebibyte back", .timeLimit(.minutes(1)))
    func large() async throws {
        try await Market.with { market in
            let bytes = (0..<Limits.callBody).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let mirrored = try await market.bob.application.send(.POST, "/mesh/alice/orders/store", bytes)
            #expect(mirrored.status == 200)
            #expect(mirrored.body == bytes)
            let fetched = try await market.bob.application.send(.GET, "/mesh/alice/orders/bytes/1048576")
            #expect(fetched.body.count == 1_048_576)
            let id = try #require(mirrored.correlation)
            let events = try await market.alice.events(AuditQuery(correlation: id))
            #expect(events.first?.event.requestLength == 1_048_576)
            #expect(events.first?.event.answerLength == 1_048_576)
            let over = try await market.bob.application.send(.POST, "/invoke/alice/orders/store", bytes + [1])
            #expect(over.code == .bodyTooLarge)
        }
    }

    @Test("passes any method through /mesh, with its path and query")
    func methods() async throws {
        try await Market.with { market in
            for method in [HTTPMethod.GET, .PUT, .POST, .DELETE, .PATCH, .OPTIONS] {
                let body: [UInt8] = [.GET, .OPTIONS, .DELETE].contains(method) ? [] : Array("{\"a\":1}".utf8)
                let answer = try await market.bob.application.send(
                    method, "/mesh/alice/orders/any/where?x=1&y=%20z", body)
                #expect(answer.status == 200)
                #expect(answer.headers["x-saw"] == "\(method.rawValue) /any/where?x=1&y=%20z")
                #expect(answer.body == body)
            }
            let head = try await market.bob.application.send(.HEAD, "/mesh/alice/orders/any/where")
            #expect(head.status == 200 && head.body.isEmpty)
        }
    }

    @Test("of this node's own resource is done once under one key, and answered twice")
    func repeatedHere() async throws {
        try await Market.with { market in
            var answers: [Application.Answer] = []
            for _ in 0..<2 {
                answers.append(
                    try await market.alice.application.invoke(
                        "alice/orders/store", #"{"loaves":3}"#, headers: ["idempotency-key": "once"]))
            }
            #expect(answers.map(\.status) == [200, 200] && answers[0].body == answers[1].body)
            #expect(market.backend.seen.count == 1)
        }
    }

    @Test("gives the resource's own errors as they are")
    func statuses() async throws {
        try await Market.with { market in
            for status in [201, 204, 301, 404, 418, 500, 503] {
                let answer = try await market.bob.application.send(
                    .GET, "/mesh/alice/orders/status/\(status)")
                #expect(answer.status == status)
                #expect(answer.code == nil)
            }
        }
    }

    @Test(
        "leaves a trail of the refusal on the side that refused",
        arguments: [
            Refused("alice/nothing", .resourceUnknown), Refused("nobody/echo", .peerNotFound),
            Refused("alice/orders/nothing", .capabilityUnknown), Refused("alice/orders", .capabilityUnnamed),
            Refused("alice/orders/secret", .capabilityNotAgreed),
            Refused("alice/private/list", .resourceUnknown),
        ])
    func refused(_ refused: Refused) async throws {
        try await Market.with { market in
            let before = market.backend.seen.count
            let answer = try await market.bob.application.invoke(refused.target)
            #expect(answer.code == refused.code)
            #expect(market.backend.seen.count == before)
            guard let id = answer.correlation else { return }
            let events = try await market.bob.events(AuditQuery(correlation: id))
            #expect(events.contains { $0.event.refusals.contains { $0.code == refused.code } })
        }
    }

    @Test("is refused by the provider when the consumer's agent does not refuse it, and both sides hold why")
    func refusedByProvider() async throws {
        try await Market.with { market in
            // The resource is gone at the provider, and the consumer still believes in it.
            await market.backend.stop()
            let answer = try await market.bob.application.invoke("alice/orders/list")
            #expect(answer.code == .resourceUnreachable)
            let id = try #require(answer.correlation)
            for agent in [market.alice, market.bob] {
                let events = try await agent.events(AuditQuery(correlation: id))
                #expect(!events.isEmpty)
                #expect(events.allSatisfy { !$0.event.success && $0.stage == .ended })
                #expect(events.contains { $0.event.refusals.contains { $0.code == .resourceUnreachable } })
            }
        }
    }
}

/// A call that must be refused.
struct Refused: Sendable, CustomTestStringConvertible {
    let target: String
    let code: RefusalCode
    var testDescription: String { "\(target): \(code.rawValue)" }

    init(_ target: String, _ code: RefusalCode) {
        self.target = target
        self.code = code
    }
}

/// Alice provides `orders` (of which Bob may use all but `secret`) and `private`; Bob calls.
struct Market {
    let mesh: TestMesh
    let alice: RunningAgent
    let bob: RunningAgent
    let backend: Backend

    static func with(_ body: (Market) async throws -> Void) async throws {
        try await TestMesh.with { mesh in
            let backend = try await Backend.start()
            mesh.atEnd { await backend.stop() }
            let (alice, bob) = try await mesh.pair()
            let capabilities = [
                "list=GET /list safe", "store=POST /store unsafe", "secret=GET /secret safe",
                "look=GET,HEAD,OPTIONS / safe", "change=PUT,POST,DELETE,PATCH / idempotent",
            ]
            try await alice.provide("orders", at: backend.url, capabilities)
            try await alice.provide("private", at: backend.url, capabilities)
            try await alice.offer("orders", ["list", "store", "look", "change"], to: bob)
            try await body(Market(mesh: mesh, alice: alice, bob: bob, backend: backend))
        }
    }
}
