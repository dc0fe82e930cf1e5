import Foundation
import MeshNode
import Synchronization

/// What one test starts: homes in one folder, agents in them; all of it ends with the test.
final class TestMesh: Sendable {
    let folder: TestFolder
    private let closing = Mutex<[@Sendable () async -> Void]>([])

    private init() throws { folder = try TestFolder() }

    /// Runs `body` with a mesh of its own, and cleans up whatever happened.
    static func with(_ body: (TestMesh) async throws -> Void) async throws {
        let mesh = try TestMesh()
        let result: Result<Void, any Error>
        do {
            try await body(mesh)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await mesh.close()
        try result.get()
    }

    /// Writes the configuration file of an agent that is not started yet: the programs that it may run.
    func configure(_ name: String, programs: [String: [String]]) throws {
        let home = folder.file(name)
        try FileManager.default.createDirectory(
            atPath: home, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        // JSON is YAML.
        let text = try JSONEncoder().encode(["mcp": ["servers": programs]])
        try text.write(to: URL(filePath: home + "/config.yaml"))
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o600], ofItemAtPath: home + "/config.yaml")
    }

    /// Starts an agent; its home is called as it is.
    func start(
        _ name: String, home: String? = nil, listen: String = "127.0.0.1:0", gateway: String = "127.0.0.1:0",
        environment: [String: String] = [:],
        adjusting adjust: (inout NodeConfiguration) -> Void = { _ in }
    ) async throws -> RunningAgent {
        let agent = try await RunningAgent(
            home: folder.file(home ?? name), name: name, listen: listen, gateway: gateway,
            environment: environment, adjusting: adjust)
        atEnd { await agent.stop() }
        return agent
    }

    /// Two agents that trust each other and have a link: `first` invited.
    func pair(_ first: String = "alice", _ second: String = "bob") async throws -> (
        RunningAgent, RunningAgent
    ) {
        let alice = try await start(first)
        let bob = try await start(second)
        try await bob.join(alice)
        return (alice, bob)
    }

    /// Does this when the test is over, before what was asked for earlier.
    func atEnd(_ work: @escaping @Sendable () async -> Void) { closing.withLock { $0.append(work) } }

    private func close() async {
        let work = closing.withLock { work in
            defer { work = [] }
            return work
        }
        for step in work.reversed() { await step() }
        folder.remove()
    }
}
