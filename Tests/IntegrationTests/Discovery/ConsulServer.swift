import AsyncHTTPClient
import Foundation
import MeshBase
import NIOCore
import Synchronization

/// The server that stands for Consul (`Tests/Consul/consul-server`), as a process of one test's own.
final class ConsulServer: Sendable {
    static let isPossible = FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")

    /// Where it is: `http://HOST:PORT`.
    let url: String
    private let process: Mutex<Process>

    /// Starts one, which ends with the test.
    /// - Parameter prefix: a command that runs it elsewhere (in a namespace); empty for here.
    static func start(
        in mesh: TestMesh, listen: String = "127.0.0.1:0", _ options: [String] = [], prefix: [String] = []
    ) async throws -> ConsulServer {
        let ready = mesh.folder.file("consul-\(UInt32.random(in: 0..<1_000_000))")
        let process = Process()
        let command =
            prefix + ["/usr/bin/python3", Program.sources + "/Tests/Consul/consul-server"]
            + ["--listen", listen, "--ready", ready] + options
        process.executableURL = URL(filePath: command[0])
        process.arguments = Array(command.dropFirst())
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        let running = Mutex(process)
        let address = try await eventually("consul-server listens", within: .seconds(30)) {
            FileManager.default.fileExists(atPath: ready)
                ? try String(contentsOfFile: ready, encoding: .ascii) : nil
        }
        let server = ConsulServer(url: "http://\(address)", process: running)
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

    /// All that is registered, as whoever may read the catalog sees it.
    func catalog() async throws -> String {
        let request = HTTPClientRequest(url: "\(url)/v1/health/service/comity")
        let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
        return String(buffer: try await answer.body.collect(upTo: 1 << 20))
    }
}
