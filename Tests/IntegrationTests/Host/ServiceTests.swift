import Foundation
import MeshBase
import MeshControl
import Testing

@testable import MeshAgent

@Suite("A service manager", .timeLimit(.minutes(1)))
struct ServiceManagerTests {
    @Test("is told when the agent is ready, alive, reading its configuration again, and stopping")
    func states() async throws {
        try await TestMesh.with { mesh in
            let manager = try DatagramSocket(mesh.folder.file("notify"))
            let alice = try await mesh.start(
                "alice", environment: ["NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "400000"])
            let first = try await manager.heard("READY=1")
            #expect(first.contains("STATUS=alice listens"))
            for _ in 0..<3 { _ = try await manager.heard("WATCHDOG=1") }
            _ = try await alice.agent.handlers.reload()
            let reloading = try await manager.heard("RELOADING=1")
            #expect(reloading.contains("\nMONOTONIC_USEC="))
            _ = try await manager.heard("READY=1")
            await alice.stop()
            _ = try await manager.heard("STOPPING=1")
        }
    }

    @Test("in the abstract namespace is told as well; none, or one for another process, is not")
    func addresses() async throws {
        let manager = try DatagramSocket("@comity-test-\(UUID().uuidString)")
        let notifier = try #require(ServiceNotifier(environment: ["NOTIFY_SOCKET": manager.name]))
        #expect(notifier.watchdogInterval == nil)
        notifier.tell(.status("two\nlines"), .ready)
        #expect(manager.read() == ["STATUS=two lines\nREADY=1"])
        #expect(ServiceNotifier(environment: [:]) == nil)
        for wrong in ["", "relative", "/" + String(repeating: "x", count: 120)] {
            #expect(ServiceNotifier(environment: ["NOTIFY_SOCKET": wrong]) == nil)
        }
        let other = ServiceNotifier(
            environment: ["NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "9", "WATCHDOG_PID": "1"])
        #expect(other?.watchdogInterval == nil)
        let own = ServiceNotifier(
            environment: [
                "NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "\(getpid())",
            ])
        #expect(own?.watchdogInterval == .seconds(30))
        // A manager that is gone costs nothing.
        let gone = ServiceNotifier(environment: ["NOTIFY_SOCKET": "/nowhere/notify"])
        gone?.tell(.ready)
    }
}

@Suite(
    "comity service", .timeLimit(.minutes(1)),
    .enabled(if: Program.isHere, "needs the program beside the tests: swift build --product comity"))
struct ServiceCommandTests {
    @Test("install makes a unit that systemd takes and rates, and uninstall leaves nothing of it")
    func system() async throws {
        try await TestMesh.with { mesh in
            let root = mesh.folder.file("root")
            let other = root + "/etc/systemd/system/other.service"
            try FileManager.default.createDirectory(
                atPath: root + "/etc/systemd/system", withIntermediateDirectories: true)
            try Data("[Unit]\n".utf8).write(to: URL(filePath: other))
            let before = try Self.tree(root)

            let installed = try await Command.comity("service", "install", "--root", root)
            #expect(installed.status == 0, "\(installed)")
            let unit = root + "/etc/systemd/system/comity.service"
            let shown = try await Command.comity("service", "install", "--dry-run")
            #expect(try String(contentsOfFile: unit, encoding: .utf8) == shown.output)
            #expect(shown.output.contains("ExecStart=\(Program.path) up --home /var/lib/comity\n"))
            #expect(shown.output.contains("Type=notify\n") && shown.output.contains("WatchdogSec="))
            #expect(FileManager.default.fileExists(atPath: Self.link(root)))
            let again = try await Command.comity("service", "install", "--root", root)
            #expect(again.status == 0)

            if let analyze = Command.tool("systemd-analyze") {
                let verified = try await Command.run(analyze, ["verify", "--man=no", unit])
                #expect(verified.status == 0, "\(verified.errors)")
                #expect(!verified.errors.contains("comity.service:"), "\(verified.errors)")
                let rating = try #require(installed.output.firstMatch(of: #/exposure level .*: ([0-9.]+) /#))
                let exposure = try #require(Double(rating.1))
                #expect(exposure < 2, "\(installed.output)")
                print("systemd-analyze security: \(exposure)")
            } else {
                print("SKIPPED: systemd-analyze is not here to verify and rate the unit")
            }

            let removed = try await Command.comity("service", "uninstall", "--root", root)
            #expect(removed.status == 0)
            #expect(try Self.tree(root) == before)
            #expect(try await Command.comity("service", "uninstall", "--root", root).status == 1)
        }
    }

    @Test("a unit that is not ours is neither replaced nor removed")
    func foreign() async throws {
        try await TestMesh.with { mesh in
            let root = mesh.folder.file("root")
            let unit = root + "/etc/systemd/system/comity.service"
            try FileManager.default.createDirectory(
                atPath: root + "/etc/systemd/system", withIntermediateDirectories: true)
            try Data("[Unit]\n".utf8).write(to: URL(filePath: unit))
            for command in ["install", "uninstall"] {
                let refused = try await Command.comity("service", command, "--root", root)
                #expect(refused.status == 1 && refused.errors.contains("unit-of-others"))
            }
            #expect(try String(contentsOfFile: unit, encoding: .utf8) == "[Unit]\n")
        }
    }

    @Test("a user's unit runs their own home, and lies where their manager looks")
    func user() async throws {
        try await TestMesh.with { mesh in
            let home = mesh.folder.file("my home")
            let folder = mesh.folder.file("config")
            let installed = try await Command.run(
                Program.path, ["service", "install", "--user", "--home", home, "--root", mesh.folder.path],
                environment: ["XDG_CONFIG_HOME": "/config"])
            #expect(installed.status == 0, "\(installed)")
            let text = try String(contentsOfFile: folder + "/systemd/user/comity.service", encoding: .utf8)
            #expect(text.contains("up --home \"\(home)\"\n") && !text.contains("DynamicUser"))
            #expect(text.contains("WantedBy=default.target"))
            #expect(try await Command.comity("service", "install", "--home", home, "--dry-run").status == 2)
        }
    }

    private static func link(_ root: String) -> String {
        root + "/etc/systemd/system/multi-user.target.wants/comity.service"
    }

    private static func tree(_ root: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: root).sorted()
    }
}
