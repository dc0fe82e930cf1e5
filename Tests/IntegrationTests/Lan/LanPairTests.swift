import Foundation
import MeshBase
import MeshControl
import Testing

@testable import MeshAgent

@Suite(
    "Two hosts with an Avahi each", .serialized,
    .enabled(
        if: LanLab.isPossible && Program.isHere,
        "needs root, iproute2, nftables, dbus-daemon, avahi-daemon, and the program beside the tests"))
struct LanPairTests {
    @Test("see each other's windows by name, pair by words, and reach each other", .timeLimit(.minutes(3)))
    func pairs() async throws {
        try await TestMesh.with { mesh in
            let lab = try await LanLab.up(3, for: mesh)
            var hosts: [AgentProcess] = []
            for (index, name) in ["alice", "bob"].enumerated() {
                let agent = try AgentProcess(
                    home: mesh.folder.file(name), name: name, options: ["--listen", "[::]:7410"],
                    prefix: lab.prefix(host: index + 1), avahi: "on")
                mesh.atEnd { await agent.end() }
                hosts.append(agent)
                try await until("\(name) answers", within: .seconds(15)) { await agent.status() != nil }
            }
            func pair(_ index: Int, _ arguments: [String], terminal: Bool) throws -> Dialogue {
                let command =
                    lab.prefix(host: index + 1) + [
                        Program.path, "pair", "--home", hosts[index].home,
                    ]
                let dialogue = try Dialogue(command + arguments, terminal: terminal)
                mesh.atEnd { dialogue.end() }
                return dialogue
            }
            let alice = try pair(0, [], terminal: true)
            let bob = try pair(1, [], terminal: true)
            // IPv6 or IPv4 is seen first, and either may be dialled.
            try await alice.says("> bob  ")
            try await bob.says("> alice  ")
            bob.type("\r")
            let words = try await bob.showsWords()
            #expect(try await alice.showsWords() == words)
            alice.type("y")
            bob.type("y")
            #expect(try await alice.ends() == 0)
            #expect(try await bob.ends() == 0)
            // Each screen shows what was proved to it: that the other reaches this node.
            try await bob.says("alice reaches this node  at ")
            try await alice.says("bob reaches this node  at ")
            // By name, and from a script.
            let again = try pair(0, [], terminal: true)
            let script = try pair(1, ["alice"], terminal: false)
            let others = try await again.showsWords()
            #expect(others != words)
            script.type(others + "\n")
            again.type("y")
            #expect(try await again.ends() == 0)
            #expect(try await script.ends() == 0)
            // Closed windows are seen no more.
            let next = try pair(0, [], terminal: true)
            try await next.says("nobody else is seen yet")
            next.type("q")
            #expect(try await next.ends() == 1)
        }
    }
}
