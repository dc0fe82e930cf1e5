import Foundation
import MeshBase
import Synchronization

/// A small server in Python that stands for somebody else's, as a process of one test's own.
final class StandIn: Sendable {
    /// Where it is: `http://HOST:PORT`.
    let url: String
    private let process: Mutex<Process>

    /// Starts `script` of `Tests/`, which ends with the test.
    /// - Parameter command: what runs it, a Python last; more than that runs it elsewhere (in a namespace).
    static func start(
        _ script: String, in mesh: TestMesh, by command: [String], _ options: [String]
    ) async throws -> StandIn {
        let name = URL(filePath: script).lastPathComponent
        let ready = mesh.folder.file("\(name)-\(UInt32.random(in: 0..<1_000_000))")
        let process = Process()
        process.executableURL = URL(filePath: command[0])
        process.arguments =
            command.dropFirst() + ["\(Program.sources)/Tests/\(script)", "--ready", ready] + options
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        let running = Mutex(process)
        let address = try await eventually("\(name) listens", within: .seconds(30)) {
            FileManager.default.fileExists(atPath: ready)
                ? try String(contentsOfFile: ready, encoding: .ascii) : nil
        }
        let server = StandIn(url: "http://\(address)", process: running)
        mesh.atEnd { server.kill() }
        return server
    }

    private init(url: String, process: consuming Mutex<Process>) {
        self.url = url
        self.process = process
    }

    /// Ends it without a word.
    func kill() {
        process.withLock { process in
            guard process.isRunning else { return }
            Foundation.kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
    }
}
