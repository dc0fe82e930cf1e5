import Foundation
import MeshBase
import MeshControl
import Testing

@Suite(
    "comity leave", .timeLimit(.minutes(2)),
    .enabled(if: Program.isHere, "needs the program beside the tests: swift build --product comity"))
struct LeaveTests {
    @Test("stops the agent in order; the peer hears of it, and both are as before when it is back")
    func untilStarted() async throws {
        try await TestMesh.with { mesh in
            let (alice, bob) = try await pair(mesh)
            let left = try await Command.comity("leave", "--home", alice.home)
            #expect(left.status == 0 && left.output == "left; one peer was told\n", "\(left)")
            #expect(left.errors.contains("links with bob end"))
            #expect(!alice.isRunning && alice.exitStatus == 0)
            let heard = try await Command.comity("audit", "list", "--type", "trust", "--home", bob.home)
            #expect(heard.output.contains("peer left"))
            let again = try AgentProcess(home: alice.home, name: "alice", options: Self.options)
            mesh.atEnd { await again.end() }
            let id = try await eventually("alice answers") { await again.status()?.node.id }
            try await until("they are linked", within: .seconds(30)) { await bob.link(with: id) == .up }
        }
    }

    @Test("for good ends trust on both sides and removes the home, and nothing that is not ours")
    func forGood() async throws {
        try await TestMesh.with { mesh in
            let (alice, bob) = try await pair(mesh)
            let own = alice.home + "/notes.txt"
            try Data("mine".utf8).write(to: URL(filePath: own))
            let unasked = try await Command.comity("leave", "--for-good", "--purge", "--home", alice.home)
            #expect(unasked.status == 2 && alice.isRunning)
            let left = try await Command.comity(
                "leave", "--for-good", "--purge", "--yes", "--home", alice.home)
            #expect(left.status == 0, "\(left)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: alice.home) == ["notes.txt"])
            let status = try #require(await bob.status())
            #expect(status.peers.first?.trust == .suspended)
            #expect(status.attention.contains { $0.next == "comity peer forget alice" })
        }
    }

    @Test("without an agent only removes a home, and with trust to end asks for one")
    func notRunning() async throws {
        try await TestMesh.with { mesh in
            let home = mesh.folder.file("alice")
            let agent = try AgentProcess(home: home, name: "alice", options: Self.options)
            mesh.atEnd { await agent.end() }
            try await until("alice answers") { await agent.status() != nil }
            try await agent.stop()
            #expect(try await Command.comity("leave", "--home", home).status == 3)
            let ending = try await Command.comity("leave", "--for-good", "--purge", "--yes", "--home", home)
            #expect(ending.status == 3)
            #expect(FileManager.default.fileExists(atPath: home + "/identity.key"))
            let removed = try await Command.comity("leave", "--purge", "--yes", "--home", home)
            #expect(removed.status == 0 && !FileManager.default.fileExists(atPath: home), "\(removed)")
        }
    }

    private static let options = ["--listen", "127.0.0.1:0", "--gateway", "127.0.0.1:0"]

    private func pair(_ mesh: TestMesh) async throws -> (AgentProcess, AgentProcess) {
        var agents: [AgentProcess] = []
        for name in ["alice", "bob"] {
            let agent = try AgentProcess(home: mesh.folder.file(name), name: name, options: Self.options)
            mesh.atEnd { await agent.end() }
            try await until("\(name) answers") { await agent.status() != nil }
            agents.append(agent)
        }
        let line = try await Command.comity("invite", "--no-wait", "--home", agents[0].home)
        let joined = try await Command.comity("join", "-", "--home", agents[1].home, input: line.output)
        try #require(joined.status == 0, "\(joined)")
        return (agents[0], agents[1])
    }
}
