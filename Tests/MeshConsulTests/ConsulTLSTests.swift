import Foundation
import MeshBase
import Testing

@testable import MeshConsul

/// Keys and certificates of one test, by the OpenSSL program.
private struct Workshop {
    static let isPossible = FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")
    let folder: String

    init() throws {
        folder = "/tmp/consul-tls-\(UUID().uuidString.prefix(8).lowercased())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        try authority("ca")
        try leaf("server", by: "ca", ["-addext", "subjectAltName=IP:127.0.0.1"])
        try leaf("client", by: "ca", [])
        try authority("other")
    }

    func remove() throws { try FileManager.default.removeItem(atPath: folder) }
    func path(_ name: String) -> String { "\(folder)/\(name)" }
    func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: path(name))))
    }

    private func authority(_ name: String) throws {
        try openssl(
            ["req", "-x509", "-subj", "/CN=\(name)", "-days", "1"] + key(name) + [
                "-out", path("\(name).pem"),
            ])
    }

    private func leaf(_ name: String, by authority: String, _ extras: [String]) throws {
        try openssl(
            ["req", "-x509", "-subj", "/CN=\(name)", "-days", "1", "-CA", path("\(authority).pem"), "-CAkey"]
                + [path("\(authority).key"), "-addext", "basicConstraints=critical,CA:FALSE"] + key(name)
                + extras + ["-out", path("\(name).pem")])
    }

    private func key(_ name: String) -> [String] {
        [
            "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
            path("\(name).key"),
        ]
    }

    private func openssl(_ arguments: [String]) throws {
        let (status, output) = try IndependentClient.run("/usr/bin/openssl", arguments)
        guard status == 0 else { throw ContractServer.Failure("openssl \(arguments): \(output)") }
    }
}

@Suite(
    "The Consul witness over TLS", .timeLimit(.minutes(1)),
    .enabled(
        if: ContractServer.isPossible && Workshop.isPossible, "needs /usr/bin/python3 and /usr/bin/openssl"))
struct ConsulTLSTests {
    /// What one question to the server is answered with.
    private func ask(
        _ server: ContractServer, _ tls: ConsulTLS?
    ) async throws -> Result<ConsulListing, ConsulFailure> {
        let settings = ConsulSettings(endpoint: server.endpoint, tls: tls, service: "comity")
        let client = try ConsulClient(settings)
        let question = BlockingQuery.Question(index: 0, wait: .zero, patience: .seconds(10))
        let result: Result<ConsulListing, ConsulFailure>
        do throws(ConsulFailure) {
            result = .success(
                try ConsulListing(try await client.ask(.list(question), within: .seconds(10)).body))
        } catch {
            result = .failure(error)
        }
        try await client.close()
        return result
    }

    @Test(
        "believes the authority that the operator named and no other, and shows its certificate where asked")
    func authorities() async throws {
        let workshop = try Workshop()
        let options = [
            "--tls-certificate", workshop.path("server.pem"), "--tls-key", workshop.path("server.key"),
            "--tls-ca", workshop.path("ca.pem"),
        ]
        let identity = (certificate: try workshop.bytes("client.pem"), key: try workshop.bytes("client.key"))
        let right = try workshop.bytes("ca.pem")
        let wrong = try workshop.bytes("other.pem")
        try await ContractServer.with(options) { server in
            let whole = try await ask(server, ConsulTLS(authorities: right, identity: identity))
            #expect((try? whole.get())?.entries == [])
            for tls in [
                ConsulTLS(authorities: wrong, identity: identity), ConsulTLS(authorities: right),
                ConsulTLS(identity: identity), nil,
            ] {
                let answer = try await ask(server, tls)
                #expect(throws: ConsulFailure.self) { try answer.get() }
            }
        }
        #expect(throws: ConsulFailure.self) {
            try ConsulClient(
                ConsulSettings(
                    endpoint: Endpoint(host: "a", port: 1), tls: ConsulTLS(authorities: [1]), service: "x"))
        }
        try workshop.remove()
    }
}
