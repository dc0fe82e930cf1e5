import Foundation
import MeshBase
import Testing

@testable import MeshAgent

@Suite("The tools of a program that the agent runs", .timeLimit(.minutes(2)))
struct ToolProgramTests {
    private static let script = "\(Program.sources)/Tests/MCP/stdio-server"

    /// Alice runs the program and offers its tools to Bob.
    private func with(
        _ command: [String] = ["/usr/bin/python3", script, "an argument"],
        _ body: (RunningAgent, RunningAgent) async throws -> Void
    ) async throws {
        try await TestMesh.with { mesh in
            try mesh.configure("alice", programs: ["x": command])
            let (alice, bob) = try await mesh.pair()
            try await alice.provide(
                "tools", at: "mcp+stdio:x", ["hold=TOOL /hold safe", "all=TOOL / unsafe"])
            try await alice.offer("tools", ["all", "hold"], to: bob)
            try await body(alice, bob)
        }
    }

    private struct Told {
        let text: String
        let isError: Bool
    }

    private func call(
        _ agent: RunningAgent, _ tool: String, _ arguments: String = "{}", _ headers: [String: String] = [:]
    ) async throws -> Told {
        let message =
            #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\#(tool)","arguments":\#(arguments)}}"#
        let answer = try await agent.application.send(
            .POST, "/mesh/alice/tools", Array(message.utf8),
            headers: ["accept": "application/json, text/event-stream"].merging(headers) { $1 })
        let read = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any]
        let result = try #require(read?["result"] as? [String: Any], "\(answer.text)")
        return Told(
            text: (result["content"] as? [[String: Any]])?.first?["text"] as? String ?? "",
            isError: result["isError"] as? Bool ?? false)
    }

    private func about(_ agent: RunningAgent, _ headers: [String: String] = [:]) async throws -> [String: Any]
    {
        let told = try await call(agent, "about", "{}", headers)
        return try #require(
            try JSONSerialization.jsonObject(with: Data(told.text.utf8)) as? [String: Any], "\(told.text)")
    }

    /// Whether it runs; one that ended and that nobody waited for does not.
    private func isThere(_ pid: Int) -> Bool {
        guard let told = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else {
            return false
        }
        return told.split(separator: ")").last?.hasPrefix(" Z") == false
    }

    @Test("are called, and the program has nothing of the agent's: no environment, no file, no folder")
    func nothing() async throws {
        // Something that it could have inherited.
        setenv("COMITY_TEST_SECRET", "of the agent", 1)
        let open = open("/etc/hostname", O_RDONLY)
        defer { close(open) }
        try await with { alice, bob in
            let about = try await about(bob)
            #expect(about["environment"] as? String == "")
            #expect((about["files"] as? [Int])?.filter { $0 < 3 } == [0, 1, 2])
            // The one beside is the folder of files that it reads to tell.
            #expect((about["files"] as? [Int])?.count ?? 9 <= 4, "\(about)")
            #expect(about["standard error"] as? String == "/dev/null")
            #expect(about["in it"] as? [String] == [] && about["mode"] as? String == "0o700")
            let folder = try #require(about["folder"] as? String)
            #expect(!folder.hasPrefix(alice.home.path) && folder.contains("/comity-server-"))
            #expect(about["arguments"] as? [String] == ["an argument"])
            #expect(about["leads its session"] as? Bool == true)
            #expect(about["blocked"] as? String == "0000000000000000")
            #expect(try await call(bob, "echo", #"{"a":[1.5,"é"]}"#).text == #"{"a": [1.5, "\u00e9"]}"#)
            // Its own applications have one of their own.
            let own = try await self.about(alice)
            #expect(own["process"] as? Int != about["process"] as? Int && own["folder"] as? String != folder)
            #expect(try await self.about(bob)["process"] as? Int == about["process"] as? Int)
        }
    }

    @Test("are another process for each principal, and one for all calls of one")
    func principals() async throws {
        try await TestMesh.with { mesh in
            try mesh.configure("alice", programs: ["x": ["/usr/bin/python3", Self.script]])
            let alice = try await mesh.start("alice")
            let bob = try await mesh.start("bob", environment: ["COMITY_GATEWAY_PRINCIPALS": "port=ann+ben"])
            try await bob.join(alice)
            try await alice.provide("tools", at: "mcp+stdio:x", ["all=TOOL / unsafe"])
            try await alice.offer("tools", to: bob)
            var numbers: [Int?] = []
            for name in ["ann", "ben", "ann"] {
                numbers.append(try await about(bob, ["comity-principal": name])["process"] as? Int)
            }
            #expect(numbers[0] != nil && numbers[0] == numbers[2] && numbers[0] != numbers[1], "\(numbers)")
        }
    }

    @Test("and all that it started end with the agent, and its folder is gone")
    func ends() async throws {
        var numbers: [Int] = []
        var folder = ""
        try await with { _, bob in
            let about = try await about(bob)
            numbers = [try #require(about["process"] as? Int)]
            folder = try #require(about["folder"] as? String)
            numbers.append(try #require(Int(try await call(bob, "child").text)))
            #expect(numbers.allSatisfy(isThere) && FileManager.default.fileExists(atPath: folder))
        }
        let left = numbers
        try await until("they are gone") { !left.contains(where: isThere) }
        #expect(!FileManager.default.fileExists(atPath: folder))
    }

    @Test("come back after it left, and not without end")
    func restarts() async throws {
        try await with { _, bob in
            let first = try await about(bob)["process"] as? Int
            #expect(try await call(bob, "leave").isError)
            #expect(try await about(bob)["process"] as? Int != first)
            var failures = 0
            for _ in 0..<ToolPrograms.startsMax {
                let told = try await call(bob, "leave")
                #expect(told.isError)
                if told.text.contains("resource-unreachable") || told.text.contains("breaker") {
                    failures += 1
                }
            }
            #expect(failures > 0)
        }
    }

    @Test("answer past noise; a line or a noise without end is a failure, and the next call finds it well")
    func noise() async throws {
        try await with { _, bob in
            #expect(try await call(bob, "noise").text == "noise")
            for tool in ["long", "flood"] {
                let told = try await call(bob, tool)
                #expect(told.isError && told.text.contains("resource-misbehaved"), "\(tool): \(told.text)")
                #expect(try await call(bob, "echo").text == "{}")
            }
        }
    }

    @Test("that does not read is asked no more than it has room for, and others are answered")
    func deaf() async throws {
        try await with { alice, bob in
            _ = try await about(bob)
            async let asleep = call(bob, "sleep", "{}", ["comity-deadline": "50s"])
            try await Task.sleep(for: .milliseconds(300))
            let long = "{\"x\":\"\(String(repeating: "x", count: 1_000_000))\"}"
            let texts = try await withThrowingTaskGroup(of: String.self) { tasks in
                for _ in 0..<4 {
                    tasks.addTask { try await call(bob, "echo", long, ["comity-deadline": "50s"]).text }
                }
                return try await tasks.reduce(into: []) { $0.append($1) }
            }
            #expect(texts.contains { $0.contains("resource-unreachable") }, "\(texts.map { $0.prefix(80) })")
            #expect(try await call(alice, "echo").text == "{}")
            #expect(try await asleep.text == "sleep")
        }
    }

    @Test("that do not answer end with the call's time, and the program goes on")
    func silence() async throws {
        try await with { _, bob in
            let process = try await about(bob)["process"] as? Int
            let told = try await call(bob, "hold", "{}", ["comity-deadline": "1s"])
            #expect(told.isError && told.text.contains("deadline-exceeded"), "\(told.text)")
            #expect(try await about(bob)["process"] as? Int == process)
        }
    }

    @Test("of a program that is not there are unreachable, and say so to nobody but its operator")
    func missing() async throws {
        for command in [["/nowhere/at/all"], ["/etc/hostname"], ["/bin/true"]] {
            try await with(command) { _, bob in
                let told = try await call(bob, "echo")
                #expect(told.isError && !told.text.contains(command[0]), "\(told.text)")
            }
        }
    }
}
