import Foundation
import MeshBase
import Testing

@Suite(
    "comity backup and restore", .timeLimit(.minutes(1)),
    .enabled(if: Program.isHere, "needs the program beside the tests: swift build --product comity"))
struct BackupCommandTests {
    @Test("work on a home that runs and on one that does not, replace nothing, and tell no one else")
    func commands() async throws {
        try await TestMesh.with { mesh in
            let home = mesh.folder.file("alice")
            let options = ["--listen", "127.0.0.1:0", "--gateway", "127.0.0.1:0"]
            let agent = try AgentProcess(home: home, name: "alice", options: options)
            mesh.atEnd { await agent.end() }
            try await until("alice answers") { await agent.status() != nil }
            let running = mesh.folder.file("running.tar")
            let first = try await Command.comity("backup", running, "--home", home)
            #expect(first.status == 0, "\(first.errors)")
            let facts = try FileManager.default.attributesOfItem(atPath: running)
            #expect((facts[.posixPermissions] as? NSNumber)?.int16Value == 0o600)
            let again = try await Command.comity("backup", running, "--home", home, "--json")
            #expect(again.status == 1 && again.errors.contains("backup-exists"))

            try await agent.stop()
            let stopped = mesh.folder.file("stopped.tar")
            let second = try await Command.comity("backup", stopped, "--home", home, "--json")
            #expect(second.status == 0 && second.output.contains("\"made\""), "\(second.errors)")
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: home).allSatisfy {
                    !$0.hasPrefix("snapshot-")
                })

            // Anybody's tools can read and check it.
            let unpacked = mesh.folder.file("unpacked")
            try FileManager.default.createDirectory(atPath: unpacked, withIntermediateDirectories: false)
            let script = "tar -xf \"$1\" -C \"$2\" && cd \"$2\" && sha256sum --quiet -c SHA256SUMS"
            for file in [running, stopped] {
                let checked = try await Command.run("/bin/bash", ["-c", script, "-", file, unpacked])
                #expect(checked.status == 0, "\(checked.errors)")
            }

            let refused = try await Command.comity("restore", running, "--home", home)
            #expect(refused.status == 1 && refused.errors.contains("home-not-empty"))
            let new = mesh.folder.file("new")
            let restored = try await Command.comity("restore", running, "--home", new)
            #expect(restored.status == 0 && restored.output.contains("comity up --home \(new)"))
            let heir = try AgentProcess(home: new, name: "alice", options: options)
            mesh.atEnd { await heir.end() }
            let status = try await eventually("the heir answers") { await heir.status() }
            #expect(restored.output.contains(status.node.id.description))
        }
    }

    @Test("of a folder without a node, or of no backup, say so")
    func nothing() async throws {
        try await TestMesh.with { mesh in
            let home = mesh.folder.file("empty")
            let none = try await Command.comity("backup", mesh.folder.file("a.tar"), "--home", home)
            #expect(none.status == 1 && none.errors.contains("home-without-node"), "\(none.errors)")
            let missing = try await Command.comity("restore", mesh.folder.file("no.tar"), "--home", home)
            #expect(missing.status == 1 && missing.errors.contains("backup-failed"))
            #expect(!FileManager.default.fileExists(atPath: home + "/identity.key"))
        }
    }
}
