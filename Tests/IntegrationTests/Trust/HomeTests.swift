import Foundation
import MeshAudit
import MeshBase
import MeshTrust
import Testing

@testable import MeshAgent

@Suite("One home is one node", .timeLimit(.minutes(3)))
struct HomeTests {
    @Test("a second agent in a home says who runs there, and changes nothing")
    func secondAgent() async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.start("alice")
            let before = try contents(of: alice.home)
            do {
                let second = try await RunningAgent(home: alice.home.path, name: "second")
                await second.stop()
                Issue.record("a second agent started in one home")
            } catch let error as HomeError {
                #expect("\(error)".contains("process \(ProcessInfo.processInfo.processIdentifier)"))
                #expect("\(error)".contains("comity status"))
            }
            #expect(try contents(of: alice.home) == before)
        }
    }

    @Test(
        "the program says so, too, and ends; the first one runs on until it is asked to end, and ends well",
        .enabled(if: Program.isHere, "needs the program beside the tests: swift build --product comity"))
    func secondProcess() async throws {
        try await TestMesh.with { mesh in
            let home = mesh.folder.file("alice")
            let options = ["--listen", "127.0.0.1:0", "--gateway", "127.0.0.1:0"]
            let first = try AgentProcess(home: home, name: "alice", options: options)
            mesh.atEnd { await first.end() }
            try await until("the first answers") { await first.status() != nil }
            let second = try AgentProcess(home: home, name: "second", options: options, log: home + "-2.log")
            mesh.atEnd { await second.end() }
            try await until("the second gives up") { !second.isRunning }
            #expect(second.exitStatus != 0)
            #expect(try second.said().contains("an agent already runs in \(home): process \(first.pid)"))
            #expect(await first.status()?.node.name.description == "alice")
            try await first.stop()
            #expect(first.exitStatus == 0)
        }
    }

    @Test("a stopped agent leaves its home to the next")
    func next() async throws {
        try await TestMesh.with { mesh in
            let first = try await mesh.start("alice")
            await first.stop()
            let second = try await mesh.start("alice")
            #expect(second.node == first.node)
        }
    }

    @Test("the copy of a home that runs beside its original raises the alarm, and then is suspended")
    func clone() async throws {
        try await TestMesh.with { mesh in
            let (alice, bob) = try await mesh.pair()
            await bob.stop()
            try FileManager.default.copyItem(
                atPath: mesh.folder.file("bob"), toPath: mesh.folder.file("copy"))
            let original = try await mesh.start("bob")
            try await original.linked(with: alice, within: .seconds(20))
            let copy = try await mesh.start("bob", home: "copy")
            #expect(copy.node == original.node)
            // The copy's boot is the higher: it takes the link over, and the original returns.
            try await until("the alarm", within: .seconds(40)) {
                try await alice.events(AuditQuery(type: .trust)).contains {
                    $0.event.refusals.first?.code == .bootReturned
                }
            }
            try await until("the suspension", within: .seconds(120)) {
                await alice.state(of: bob.node) == .suspended
            }
            #expect(await alice.link(with: bob.node) == nil)
        }
    }

    private func contents(of home: Home) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: home.path).sorted()
    }
}
