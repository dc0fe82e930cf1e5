import AsyncHTTPClient
import Foundation
import MeshBase
import NIOCore

/// The server that stands for Consul (`Tests/Consul/consul-server`), as a process of one test's own.
struct ConsulServer: Sendable {
    static let isPossible = FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")

    private let server: StandIn

    /// Starts one, which ends with the test.
    /// - Parameter prefix: a command that runs it elsewhere (in a namespace); empty for here.
    static func start(
        in mesh: TestMesh, listen: String = "127.0.0.1:0", _ options: [String] = [], prefix: [String] = []
    ) async throws -> ConsulServer {
        ConsulServer(
            server: try await StandIn.start(
                "Consul/consul-server", in: mesh, by: prefix + ["/usr/bin/python3"],
                ["--listen", listen] + options))
    }

    /// Where it is: `http://HOST:PORT`.
    var url: String { server.url }

    /// Ends it without a word.
    func kill() { server.kill() }

    /// All that is registered, as whoever may read the catalog sees it.
    func catalog() async throws -> String {
        let request = HTTPClientRequest(url: "\(url)/v1/health/service/comity")
        let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
        return String(buffer: try await answer.body.collect(upTo: 1 << 20))
    }
}
