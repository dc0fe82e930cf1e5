import Foundation
import MeshBase
import Synchronization

@testable import MeshConsul

/// `Tests/Consul/consul-server` as a process of one test's own.
final class ContractServer: Sendable {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Consul").path
    static let python = "/usr/bin/python3"
    static let isPossible = FileManager.default.isExecutableFile(atPath: python)

    struct Seen: Decodable, Equatable {
        let method: String
        let path: String
        let query: [String: String]
        let headers: [String]
    }

    let endpoint: Endpoint
    private let scratch: String
    private let process: Mutex<Process>

    /// Runs `body` with a server, and ends it whatever happened.
    static func with(
        _ options: [String] = [], listen: String = "127.0.0.1:0",
        _ body: (ContractServer) async throws -> Void
    ) async throws {
        let server = try await ContractServer(options, listen: listen)
        defer { server.stop() }
        try await body(server)
    }

    init(_ options: [String] = [], listen: String = "127.0.0.1:0") async throws {
        let scratch = "/tmp/consul-\(UUID().uuidString.prefix(8).lowercased())"
        try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: false)
        let process = Process()
        process.executableURL = URL(filePath: Self.python)
        process.arguments =
            [Self.folder + "/consul-server", "--listen", listen, "--ready", scratch + "/ready"] + options
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process = Mutex(process)
        self.scratch = scratch
        let end = ContinuousClock.now + .seconds(30)
        while !FileManager.default.fileExists(atPath: scratch + "/ready") {
            guard process.isRunning, ContinuousClock.now < end else { throw Failure("no server came up") }
            try await Task.sleep(for: .milliseconds(10))
        }
        let text = try String(contentsOfFile: scratch + "/ready", encoding: .ascii)
        guard let endpoint = Endpoint(text) else { throw Failure("the server listens on \(text)") }
        self.endpoint = endpoint
    }

    struct Failure: Error {
        let what: String
        init(_ what: String) { self.what = what }
    }

    /// Ends it without a word.
    func stop() {
        process.withLock { process in
            guard process.isRunning else { return }
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        do {
            try FileManager.default.removeItem(atPath: scratch)
        } catch {
            print("\(scratch) stays behind: \(error)")
        }
    }

    /// Orders a fault; `none` ends it.
    func fault(_ name: String) async throws { _ = try await curl(["-X", "PUT"], "/test/fault/\(name)") }

    /// What was asked of it so far.
    func seen() async throws -> [Seen] {
        try JSONDecoder().decode([Seen].self, from: try await curl([], "/test/seen"))
    }

    /// Whoever is registered, as somebody else would see it.
    func list() async throws -> ConsulListing {
        try ConsulListing(Array(try await curl([], "/v1/health/service/comity?passing=1")))
    }

    /// Registers by hand.
    func register(_ body: String) async throws {
        _ = try await curl(["-X", "PUT", "-d", body], "/v1/agent/service/register")
    }

    private func curl(_ options: [String], _ path: String) async throws -> Data {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/curl")
        process.arguments = ["--silent", "--fail", "--globoff"] + options + ["http://\(endpoint)\(path)"]
        let output = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        try process.run()
        let data = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(returning: output.fileHandleForReading.readDataToEndOfFile())
            }
        }
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure("curl \(path): \(process.terminationStatus)")
        }
        return data
    }
}
