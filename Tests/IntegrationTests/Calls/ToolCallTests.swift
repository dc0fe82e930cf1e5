import Foundation
import MeshAudit
import MeshBase
import Testing

@testable import MeshAgent

@Suite("The tools of an MCP server through two agents", .timeLimit(.minutes(2)))
struct ToolCallTests {
    /// Alice provides the tools of a server; Bob may call those under some capabilities.
    private func with(
        _ granted: [String]? = ["some", "odd"],
        _ body: (RunningAgent, RunningAgent, ToolBackend) async throws -> Void
    ) async throws {
        try await TestMesh.with { mesh in
            let backend = try await ToolBackend.start(in: mesh)
            let (alice, bob) = try await mesh.pair()
            try await alice.provide(
                "tools", at: backend.url,
                [
                    "root=TOOL /admin unsafe", "some=TOOL /add idempotent", "odd=TOOL /odd safe",
                    "all=TOOL / unsafe",
                ])
            try await alice.offer("tools", granted, to: bob)
            try await body(alice, bob, backend)
        }
    }

    /// What an MCP client is told.
    private struct Told {
        let answer: Application.Answer
        let message: [String: Any]

        var result: [String: Any]? { message["result"] as? [String: Any] }
        var error: [String: Any]? { message["error"] as? [String: Any] }
        var names: [String]? { (result?["tools"] as? [[String: Any]])?.compactMap { $0["name"] as? String } }
        var text: String { ((result?["content"] as? [[String: Any]])?.first?["text"] as? String) ?? "" }
        var isError: Bool { result?["isError"] as? Bool ?? false }
    }

    private func says(
        _ agent: RunningAgent, _ body: String, to path: String = "alice/tools", _ more: [String: String] = [:]
    ) async throws -> Told {
        let headers = [
            "accept": "application/json, text/event-stream", "content-type": "application/json",
        ].merging(more) { $1 }
        let answer = try await agent.application.send(
            .POST, "/mesh/\(path)", Array(body.utf8), headers: headers)
        let read = answer.body.isEmpty ? nil : try? JSONSerialization.jsonObject(with: Data(answer.body))
        return Told(answer: answer, message: read as? [String: Any] ?? [:])
    }

    private func asks(
        _ agent: RunningAgent, _ method: String, _ params: String = "{}", to path: String = "alice/tools",
        _ more: [String: String] = [:]
    ) async throws -> Told {
        try await says(
            agent, #"{"jsonrpc":"2.0","id":"q","method":"\#(method)","params":\#(params)}"#, to: path, more)
    }

    private func calls(
        _ agent: RunningAgent, _ tool: String, _ arguments: String = "{}", _ more: [String: String] = [:]
    ) async throws -> Told {
        try await asks(agent, "tools/call", #"{"name":"\#(tool)","arguments":\#(arguments)}"#, more)
    }

    private func asks(
        _ agent: RunningAgent, _ method: String, _ params: String, _ more: [String: String]
    ) async throws -> Told {
        try await asks(agent, method, params, to: "alice/tools", more)
    }

    @Test("show whoever asks those that the agreement grants, and each call is one of both audits")
    func granted() async throws {
        try await with { alice, bob, backend in
            let begun = try await asks(bob, "initialize", #"{"protocolVersion":"2025-06-18"}"#)
            #expect(begun.answer.status == 200)
            #expect((begun.result?["serverInfo"] as? [String: Any])?["name"] as? String == "alice/tools")
            #expect(
                try await says(bob, #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).answer.status
                    == 202)
            #expect(backend.seen.isEmpty)
            let list = try await asks(bob, "tools/list")
            #expect(list.names == ["add"], "\(list.answer.text)")
            #expect(!list.answer.text.contains("admin") && !list.answer.text.contains("slow"))
            let sum = try await calls(bob, "add", #"{"a":1.50}"#)
            #expect(sum.text == #"{"a":1.5}"# && !sum.isError, "\(sum.answer.text)")
            let correlation = try #require(sum.answer.correlation)
            for agent in [bob, alice] {
                try await until("\(agent.identity.name) has written it down") {
                    try await agent.events(AuditQuery(correlation: correlation)).map(\.event).contains {
                        $0.success && $0.capability?.description == "some" && $0.status == 200
                    }
                }
            }
            // One session for all of it, which the server named, and whose it is.
            #expect(
                backend.seen.map(\.method) == [
                    "initialize", "notifications/initialized", "tools/list", "tools/list", "tools/call",
                ])
            #expect(backend.seen.map(\.session) == [nil] + Array(repeating: "session-1", count: 4))
            #expect(backend.seen.map(\.version) == [nil] + Array(repeating: "2025-03-26", count: 4))
            #expect(backend.seen.allSatisfy { $0.caller == "bob" })
        }
    }

    @Test(
        "are refused as the tool's failure, with code, reason and correlation id, and the server hears nothing"
    )
    func refused() async throws {
        try await with { alice, bob, backend in
            for tool in ["admin", "echo"] {
                let told = try await calls(bob, tool)
                #expect(told.answer.status == 200 && told.isError, "\(told.answer.text)")
                let id = try #require(told.answer.correlation)
                #expect(
                    told.text.contains("capability-not-agreed") && told.text.contains("\(id)"), "\(told.text)"
                )
            }
            // Nor by a call that names what is granted and asks for another: the provider looks for itself.
            let other = try await bob.application.send(.POST, "/mesh/alice/tools/admin", Array("{}".utf8))
            #expect(other.code == .capabilityUnknown)
            #expect(backend.seen.isEmpty)
            let none = try await asks(bob, "tools/list", "{}", to: "alice/nothing")
            #expect(none.result == nil && none.answer.code == .resourceUnknown)
        }
    }

    @Test("may be asked for by whoever may call some; of nothing that is agreed nothing is told")
    func agreedLater() async throws {
        try await with(["odd"]) { alice, bob, backend in
            #expect(try await asks(bob, "tools/list").names == [])
            let (_, carol) = (alice, bob)
            _ = carol
            try await alice.offer("tools", to: bob)
            #expect(try await asks(bob, "tools/list").names == ["add", "admin", "echo", "slow"])
            #expect(try await calls(bob, "echo", #"{"x":"é\n"}"#).text == #"{"x":"é\n"}"#)
        }
    }

    @Test("are this node's own applications', too, and `comity call`'s")
    func local() async throws {
        try await with { alice, bob, _ in
            #expect(try await asks(alice, "tools/list").names == ["add", "admin", "echo", "slow"])
            #expect(try await calls(alice, "admin", #"{"a":1}"#).text == #"{"a":1}"#)
            let invoked = try await bob.application.invoke("alice/tools/some", #"{"a":2}"#)
            #expect(
                invoked.status == 200 && invoked.text == #"{"content":[{"type":"text","text":"{\"a\":2}"}]}"#)
            let nothing = try await bob.application.invoke("alice/tools/some", "[]")
            #expect(nothing.status == 422 && nothing.text.contains("-32602"))
        }
    }

    @Test("answer by events, by errors, and in a new session where the server forgot the old one")
    func server() async throws {
        try await with(nil) { _, bob, backend in
            #expect(try await calls(bob, "events", #"{"a":1}"#).text == #"{"a":1}"#)
            try await until("its question is answered") { backend.seen.contains { $0.method.isEmpty } }
            let refused = try await calls(bob, "refuse")
            #expect(
                refused.error?["code"] as? Int == -32_602 && refused.error?["message"] as? String == "not so")
            backend.forget()
            #expect(try await calls(bob, "echo").text == "{}")
            #expect(backend.seen.last?.session == "session-2")
        }
    }

    @Test(
        "of a server that misbehaves are a failure within bounds, and the next call finds it well",
        arguments: ["huge", "line", "wrong", "garbage"])
    func hostileServer(tool: String) async throws {
        try await with(nil) { _, bob, _ in
            let told = try await calls(bob, tool)
            #expect(
                told.isError && told.text.contains("resource-misbehaved"), "\(told.answer.text.prefix(300))")
            #expect(try await calls(bob, "echo").text == "{}")
        }
    }

    @Test("that never answer end with the call's time, and keep nothing from others")
    func silence() async throws {
        try await with(nil) { _, bob, backend in
            async let slow = calls(bob, "slow", "{}", ["comity-deadline": "2s"])
            #expect(try await calls(bob, "echo").text == "{}")
            #expect(try await slow.text.contains("deadline-exceeded"))
            try await until("the server is told") {
                backend.seen.contains { $0.method == "notifications/cancelled" }
            }
        }
        try await with(nil) { _, bob, backend in
            backend.behave(.silent)
            let told = try await calls(bob, "echo", "{}", ["comity-deadline": "1s"])
            #expect(told.text.contains("deadline-exceeded"), "\(told.text)")
        }
    }

    @Test("that are ten thousand are refused, and a thousand are shown")
    func many() async throws {
        try await with(nil) { _, bob, backend in
            backend.behave(.tools(1_000))
            #expect(try await asks(bob, "tools/list").names?.count == 1_000)
            backend.behave(.tools(10_000))
            let told = try await asks(bob, "tools/list")
            #expect((told.error?["message"] as? String)?.contains("resource-misbehaved") == true)
        }
    }

    @Test("are nothing that a malformed, foreign or browsers' request gets at")
    func hostileClient() async throws {
        try await with { _, bob, backend in
            func status(_ body: String, _ more: [String: String] = [:]) async throws -> Int {
                try await says(bob, body, more).answer.status
            }
            let ping = #"{"jsonrpc":"2.0","id":1,"method":"ping"}"#
            #expect(try await status(ping) == 200)
            #expect(try await status("[\(ping),\(ping)]") == 400)
            #expect(try await status(String(repeating: "[", count: 100_000)) == 400)
            #expect(try await status("{") == 400)
            #expect(try await status(ping, ["mcp-session-id": "of-another"]) == 404)
            #expect(try await status(ping, ["mcp-protocol-version": "1999-01-01"]) == 400)
            #expect(try await status(ping, ["mcp-protocol-version": "2025-03-26"]) == 200)
            #expect(try await status(ping, ["origin": "http://evil.example"]) == 403)
            #expect(try await status(ping, ["host": "evil.example"]) == 403)
            #expect(try await status(ping + String(repeating: " ", count: 500_000)) == 200)
            #expect(try await status(ping + String(repeating: " ", count: 2 << 20)) == 413)
            let stream = try await bob.application.send(
                .GET, "/mesh/alice/tools", headers: ["accept": "text/event-stream"])
            #expect(stream.status == 405 && stream.headers["allow"] == "POST")
            #expect(backend.seen.isEmpty)
        }
    }

    private func says(_ agent: RunningAgent, _ body: String, _ more: [String: String]) async throws -> Told {
        try await says(agent, body, to: "alice/tools", more)
    }
}
