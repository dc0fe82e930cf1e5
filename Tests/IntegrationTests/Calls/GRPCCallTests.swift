import Foundation
import MeshAudit
import MeshBase
import Testing

@testable import MeshAgent

@Suite(
    "gRPC by PyPI's grpcio through two agents", .timeLimit(.minutes(3)),
    .enabled(if: GRPCClient.python != nil, "no Python with grpcio: Scripts/python-with grpcio says why"))
struct GRPCCallTests {
    /// Alice provides the server as `desk` to Bob.
    private func with(
        _ capabilities: [String] = ["all=POST / unsafe"], granted: [String]? = nil,
        sealed isSealed: Bool = false,
        _ body: (TestMesh, RunningAgent, RunningAgent, StandIn) async throws -> Void
    ) async throws {
        try await TestMesh.with { mesh in
            let server = try await GRPCClient.server(in: mesh)
            let (alice, bob) = try await mesh.pair()
            try await alice.provide("desk", at: "grpc://\(server.address)", capabilities)
            if isSealed {
                try await alice.offerSealed("desk", to: bob)
            } else {
                try await alice.offer("desk", granted, to: bob)
            }
            try await body(mesh, alice, bob, server)
        }
    }

    private let shapes = [
        "echo", "fail", "fail-at-once", "count=0", "count=50", "sum=0", "sum=20", "talk=20", "stop",
        "missing",
        "foreign",
    ]

    @Test(
        "says the same as directly in all four shapes, metadata and statuses included",
        arguments: [false, true])
    func same(isSealed: Bool) async throws {
        try await with(sealed: isSealed) { _, alice, bob, server in
            let direct = try await GRPCClient.take(shapes, at: server.address)
            #expect(
                direct.map(\.code) == [
                    "OK", "FAILED_PRECONDITION", "RESOURCE_EXHAUSTED", "OK", "OK", "OK", "OK", "OK", "OK",
                    "UNIMPLEMENTED", "UNIMPLEMENTED",
                ])
            for agent in [alice, bob] {
                let seen = try await GRPCClient.take(shapes, at: "\(agent.gateway)", "desk.alice.mesh")
                #expect(seen == direct, "at \(agent.identity.name)")
            }
            let named = try await GRPCClient.take(
                ["echo"], at: "\(bob.gateway)", with: ["comity-target=alice/desk"])
            #expect(named == [direct[0]])
            let local = try await GRPCClient.take(
                ["echo"], at: "unix:\(bob.home.path)/gateway.sock", with: ["comity-target=alice/desk"])
            #expect(local == [direct[0]])
        }
    }

    @Test("carries messages of many mebibytes both ways, as fast as they are taken")
    func large() async throws {
        try await with { _, _, bob, _ in
            let seen = try await GRPCClient.take(
                ["sum-big=24", "give=24"], at: "\(bob.gateway)", "desk.alice.mesh")
            #expect(seen.map(\.code) == ["OK", "OK"])
            #expect(seen[0].said == .one("24 \(24 << 20)"))
            #expect(seen[1].said == .several(["\(24 << 20)"]))
        }
    }

    @Test("passes on who calls, and the time less what was spent; cancels what is given up or late")
    func times() async throws {
        try await with { _, alice, bob, _ in
            let seen = try await GRPCClient.take(
                ["left=8000", "left=0", "who", "wait=400", "cancel"], at: "\(bob.gateway)", "desk.alice.mesh")
            guard case .one(let text)? = seen[0].said, let left = Int(text) else {
                return #expect(Bool(false), "\(seen[0])")
            }
            #expect((4_000...8_100).contains(left))
            #expect(seen[1].said == .one("0"))
            #expect(
                seen[2].said == .one("comity-caller-name=bob comity-principal=local grpc-timeout= te= host="))
            #expect(seen[3].code == "DEADLINE_EXCEEDED" && seen[4].code == "CANCELLED")
            try await until("the server has heard of both") {
                try await GRPCClient.take(["waited"], at: "\(bob.gateway)", "desk.alice.mesh")[0].said
                    == .one("2")
            }
            try await until("both have written down that one was given up") {
                for agent in [alice, bob] {
                    let events = try await agent.events().map(\.event)
                    let isThere = events.contains { $0.refusals.contains { $0.code == .cancelled } }
                    if !isThere { return false }
                }
                return true
            }
        }
    }

    @Test("a refusal is a status that says why, and the server hears nothing")
    func refused() async throws {
        let capabilities = ["say=POST /tests.Desk/Echo safe", "rest=POST /tests.Desk unsafe"]
        try await with(capabilities, granted: ["say"]) { _, _, bob, _ in
            func one(_ step: String, _ authority: String) async throws -> GRPCClient.Step {
                try await GRPCClient.take([step], at: "\(bob.gateway)", authority)[0]
            }
            #expect(try await one("echo", "desk.alice.mesh").code == "OK")
            let agreed = try await one("who", "desk.alice.mesh")
            #expect(agreed.code == "PERMISSION_DENIED" && agreed.refusal == "capability-not-agreed")
            let details = try #require(agreed.details)
            #expect(details.hasPrefix("capability-not-agreed: "))
            #expect(details.contains(". Next: comity explain "))
            for (step, authority, code, refusal) in [
                ("foreign", "desk.alice.mesh", "UNIMPLEMENTED", "capability-unknown"),
                ("echo", "desk.nobody.mesh", "NOT_FOUND", "peer-not-found"),
                ("echo", "other.alice.mesh", "NOT_FOUND", "resource-unknown"),
                ("echo", "a.b.c.mesh", "INVALID_ARGUMENT", "request-malformed"),
                ("echo", "evil.example", "PERMISSION_DENIED", "host-refused"),
            ] {
                let seen = try await one(step, authority)
                #expect(seen.code == code && seen.refusal == refusal, "\(seen)")
            }
        }
    }

    @Test("a server that is dead is unavailable; one that dies in a call leaves its outcome unknown")
    func dead() async throws {
        try await with { mesh, _, bob, server in
            async let waiting = GRPCClient.take(["wait=15000"], at: "\(bob.gateway)", "desk.alice.mesh")
            try await Task.sleep(for: .seconds(2))
            server.kill()
            let lost = try await waiting[0]
            #expect(lost.code == "UNKNOWN" && lost.refusal == "outcome-unknown", "\(lost)")
            let gone = try await GRPCClient.take(["echo"], at: "\(bob.gateway)", "desk.alice.mesh")[0]
            #expect(gone.code == "UNAVAILABLE", "\(gone)")
        }
    }

    @Test("is called over HTTP/1.1 as well, as an older gateway does")
    func older() async throws {
        try await with { _, _, bob, _ in
            let message: [UInt8] = [0, 0, 0, 0, 2] + Array("hi".utf8)
            let answer = try await bob.stream(
                HandmadeRequest(
                    head: "POST /mesh/alice/desk/tests.Desk/Echo HTTP/1.1\r\nHost: localhost\r\n"
                        + "Content-Type: application/grpc\r\nContent-Length: \(message.count)\r\n\r\n"
                        + String(decoding: message, as: UTF8.self))
            ) { wire -> (line: String, body: [UInt8], trailers: [String: String])? in
                guard let head = wire.head() else { return nil }
                var body: [UInt8] = []
                let trailers = wire.body(head.fields) { body += $0 }
                return (head.line, body, trailers)
            }
            #expect(answer?.line.hasPrefix("HTTP/1.1 200 ") == true && answer?.body == message)
            #expect(answer?.trailers["grpc-status"] == "0" && answer?.trailers["x-behind"] != nil)
        }
    }
}
