import AsyncHTTPClient
import Foundation
import MeshBase
import NIOCore
import NIOHTTP1
import Testing

/// The server that stands for Open Policy Agent (`Tests/Policy/opa-server`), as a process of one test's own.
struct PolicyServer: Sendable {
    private let server: StandIn

    /// A Python that has regopy; nil where it cannot be had.
    static let python = Python.with("regopy")

    /// Starts one with this policy, which ends with the test.
    static func start(in mesh: TestMesh, _ policy: String, token: String? = nil) async throws -> PolicyServer
    {
        let file = mesh.folder.file("policy.rego")
        try policy.write(toFile: file, atomically: true, encoding: .utf8)
        let options = ["--policy", file, "--listen", "127.0.0.1:0"] + (token.map { ["--token", $0] } ?? [])
        return PolicyServer(
            server: try await StandIn.start(
                "Policy/opa-server", in: mesh, by: [try #require(Self.python)], options))
    }

    /// Where it is: `http://HOST:PORT`.
    var url: String { server.url }

    /// Ends it without a word.
    func kill() { server.kill() }

    /// From now on it answers with this fault.
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
