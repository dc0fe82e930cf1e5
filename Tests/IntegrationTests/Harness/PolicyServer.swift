import AsyncHTTPClient
import Foundation
import MeshBase
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

/// The server that stands for Open Policy Agent (`Tests/Policy/opa-server`), as a process of one test's own.
final class PolicyServer: Sendable {
    let url: String
    private let process: Mutex<Process>

    /// A Python that has regopy; nil where it cannot be had.
    static let python: String? = {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: Program.sources + "/Scripts/python-with")
        process.arguments = ["regopy"]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        do {
            try process.run()
        } catch {
            return nil
        }
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return process.terminationStatus == 0 ? text.trimmingCharacters(in: .whitespacesAndNewlines) : nil
    }()

    /// Starts one with this policy, which ends with the test.
    static func start(in mesh: TestMesh, _ policy: String, token: String? = nil) async throws -> PolicyServer
    {
        let python = try #require(Self.python)
        let file = mesh.folder.file("policy.rego")
        try policy.write(toFile: file, atomically: true, encoding: .utf8)
        let ready = mesh.folder.file("opa-\(UInt32.random(in: 0..<1_000_000))")
        let process = Process()
        process.executableURL = URL(filePath: python)
        process.arguments =
            [Program.sources + "/Tests/Policy/opa-server", "--policy", file, "--listen", "127.0.0.1:0"]
            + ["--ready", ready] + (token.map { ["--token", $0] } ?? [])
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        let running = Mutex(process)
        let address = try await eventually("opa-server listens", within: .seconds(30)) {
            FileManager.default.fileExists(atPath: ready)
                ? try String(contentsOfFile: ready, encoding: .ascii) : nil
        }
        let server = PolicyServer(url: "http://\(address)", process: running)
        mesh.atEnd { server.kill() }
        return server
    }

    private init(url: String, process: consuming Mutex<Process>) {
        self.url = url
        self.process = process
    }

    func kill() {
        process.withLock { process in
            guard process.isRunning else { return }
            Foundation.kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
    }

    func order(_ fault: String) async throws {
        var request = HTTPClientRequest(url: "\(url)/test/fault/\(fault)")
        request.method = .PUT
        _ = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
    }

    /// How many questions came.
    func count() async throws -> Int {
        let answer = try await HTTPClient.shared.execute(
            HTTPClientRequest(url: "\(url)/test/seen"), timeout: .seconds(10))
        let body = try await answer.body.collect(upTo: 1 << 20)
        return try #require(JSONSerialization.jsonObject(with: Data(buffer: body)) as? [Any]).count
    }
}
