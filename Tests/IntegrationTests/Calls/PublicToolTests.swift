import Foundation
import MeshBase
import Testing

@testable import MeshAgent

@Suite(
    "The public MCP SDK's client and server through two agents", .timeLimit(.minutes(2)),
    .enabled(if: ToolClient.python != nil, "no Python with mcp: Scripts/python-with mcp says why"))
struct PublicToolTests {
    private let calls = [
        #"add={"a":1,"b":2}"#, #"echo={"text":"é\n"}"#, "fail={}", #"add={"a":"x"}"#, "none={}",
    ]

    @Test(
        "see the same as directly, whichever way either speaks",
        arguments: [("auto", []), ("legacy", ["--json"])] as [(String, [String])])
    func same(mode: String, options: [String]) async throws {
        try await TestMesh.with { mesh in
            let python = try #require(ToolClient.python)
            let server = try await StandIn.start("MCP/mcp-server", in: mesh, by: [python], options)
            let (alice, bob) = try await mesh.pair()
            try await alice.provide("tools", at: "mcp+\(server.url)/mcp", ["all=TOOL / unsafe"])
            try await alice.offer("tools", to: bob)
            let direct = try await ToolClient.talk(to: "\(server.url)/mcp", "legacy", calls)
            for gateway in [alice.gateway, bob.gateway] {
                let seen = try await ToolClient.talk(to: "http://\(gateway)/mesh/alice/tools", mode, calls)
                #expect(seen.whole == direct.whole)
                #expect(seen.tools == ["add", "echo", "fail", "who"])
                #expect(seen.calls.map(\.isError) == [false, false, true, true, true])
            }
            let who = try await ToolClient.talk(
                to: "http://\(bob.gateway)/mesh/alice/tools", mode, ["who={}"])
            #expect(who.calls == [ToolClient.Session.Call(text: "bob", isError: false)])
        }
    }

    @Test("the client lists what the agreement grants, and is told why it may not call another")
    func filtered() async throws {
        try await TestMesh.with { mesh in
            let python = try #require(ToolClient.python)
            let server = try await StandIn.start("MCP/mcp-server", in: mesh, by: [python], [])
            let (alice, bob) = try await mesh.pair()
            try await alice.provide(
                "tools", at: "mcp+\(server.url)/mcp",
                ["add=TOOL /add safe", "rest=TOOL / unsafe", "no=TOOL /other unsafe"])
            try await alice.offer("tools", ["add"], to: bob)
            let seen = try await ToolClient.talk(to: "http://\(bob.gateway)/mesh/alice/tools", "auto", calls)
            #expect(seen.tools == ["add"])
            #expect(seen.calls.first == ToolClient.Session.Call(text: "3", isError: false))
            for call in seen.calls[1...2] {
                #expect(call.isError && call.text.contains("capability-not-agreed"), "\(call.text)")
            }
        }
    }

    @Test("a program that the agent runs says the same as one that the client runs itself")
    func program() async throws {
        try await TestMesh.with { mesh in
            let python = try #require(ToolClient.python)
            let server = try await StandIn.start("MCP/mcp-server", in: mesh, by: [python], [])
            try mesh.configure("alice", programs: ["x": [python, "\(Program.sources)/Tests/MCP/mcp-server"]])
            let (alice, bob) = try await mesh.pair()
            try await alice.provide("tools", at: "mcp+stdio:x", ["all=TOOL / unsafe"])
            try await alice.offer("tools", to: bob)
            let direct = try await ToolClient.talk(to: "\(server.url)/mcp", "legacy", calls)
            let seen = try await ToolClient.talk(
                to: "http://\(bob.gateway)/mesh/alice/tools", "legacy", calls)
            #expect(seen.whole == direct.whole)
        }
    }
}
