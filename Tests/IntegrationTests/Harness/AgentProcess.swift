import Foundation
import MeshBase
import MeshControl
import Synchronization

/// The program as it was built beside these tests.
enum Program {
    /// Absolute path; `COMITY_PROGRAM` names another one.
    static let path: String = {
        let environment = ProcessInfo.processInfo.environment
        if let path = environment["COMITY_PROGRAM"], !path.isEmpty { return path }
        let own = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        return own.deletingLastPathComponent().appending(path: "comity").path
    }()
    static let isHere = FileManager.default.isExecutableFile(atPath: path)
    /// The folder of the sources, for scripts.
    static let sources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path
}

/// `comity up` as a process of its own, which may be killed.
final class AgentProcess: Sendable {
    let home: String
    let log: String
    private let process: Mutex<Process>

    /// - Parameters:
    ///   - prefix: a command that runs it elsewhere (in a namespace); empty for here.
    ///   - log: where it says what; beside the home unless said otherwise.
    ///   - environment: beside that of the tests.
    init(
        home: String, name: String, options: [String], prefix: [String] = [], avahi: String = "off",
        log: String? = nil, environment: [String: String] = [:]
    ) throws {
        self.home = home
        let log = log ?? home + ".log"
        self.log = log
        let process = Process()
        let command = prefix + [Program.path, "up", "--home", home, "--name", name] + options
        process.executableURL = URL(filePath: command[0])
        process.arguments = Array(command.dropFirst())
        process.environment = ProcessInfo.processInfo.environment
            .merging(["COMITY_DISCOVERY_AVAHI": avahi, "COMITY_LOG_LEVEL": "warning"]) { $1 }
            .merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        if !FileManager.default.fileExists(atPath: log) {
            guard FileManager.default.createFile(atPath: log, contents: nil) else {
                throw NeverHappened(description: "\(log) cannot be made")
            }
        }
        let output = try FileHandle(forWritingTo: URL(filePath: log))
        try output.seekToEnd()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        self.process = Mutex(process)
    }

    var pid: Int32 { process.withLock { $0.processIdentifier } }
    var isRunning: Bool { process.withLock { $0.isRunning } }

    /// Ends it without a word, and waits until it is gone.
    func kill() async throws { try await end(by: SIGKILL) }

    /// Ends it as an operator would.
    func stop() async throws { try await end(by: SIGTERM) }

    private func end(by signal: Int32) async throws {
        guard isRunning else { return }
        Foundation.kill(pid, signal)
        try await until("process \(pid) is gone", within: .seconds(15)) { !isRunning }
    }

    /// Ends it in whatever way, at the end of a test.
    func end() async {
        do {
            try await kill()
        } catch {
            print("an agent cannot be ended: \(error)")
        }
    }

    /// With what it ended, once it has; a signal's number when it was killed.
    var exitStatus: Int32 { process.withLock { $0.terminationStatus } }

    /// What it said so far.
    func said() throws -> String { try String(contentsOfFile: log, encoding: .utf8) }

    /// How things stand, by its control socket; nil while it does not answer.
    func status() async -> StatusReport? {
        do throws(ControlFailure) {
            return try await ControlClient.with(home: home) { client throws(ControlFailure) in
                try await client.ask(ShowStatus.self)
            }
        } catch {
            return nil
        }
    }

    /// How its link with a peer stands.
    func link(with peer: NodeID) async -> PeerReport.Link? {
        await status()?.peers.first { $0.id == peer }?.link
    }
}
