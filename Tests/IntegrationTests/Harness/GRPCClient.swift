import Foundation
import MeshBase

/// A gRPC client by PyPI's grpcio, as a process of its own, and the server beside it.
enum GRPCClient {
    /// A Python that has grpcio; nil where it cannot be had.
    static let python = Python.with("grpcio")

    /// What came of one call.
    struct Step: Decodable, Equatable {
        let step: String
        let code: String
        let details: String?
        /// Names and values, by name.
        let before: [[String]]?
        let behind: [[String]]?
        let said: Said?
        let refusal: String?
    }

    /// What the server said: one message, or some.
    enum Said: Decodable, Equatable {
        case one(String)
        case several([String])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            do {
                self = .one(try container.decode(String.self))
            } catch DecodingError.typeMismatch {
                self = .several(try container.decode([String].self))
            }
        }
    }

    /// Takes these steps (Tests/GRPC/grpc-client says which there are) on one channel.
    static func take(
        _ steps: [String], at address: String, _ authority: String? = nil, with metadata: [String] = []
    ) async throws -> [Step] {
        guard let python else { throw NeverHappened(description: "there is no Python with grpcio") }
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: python)
        process.arguments =
            ["\(Program.sources)/Tests/GRPC/grpc-client", address]
            + (authority.map { ["--authority", $0] } ?? [])
            + metadata.flatMap { ["--with", $0] } + steps
        process.standardOutput = output
        try process.run()
        let read = output.fileHandleForReading
        let bytes = await withCheckedContinuation { done in
            DispatchQueue.global().async { done.resume(returning: read.readDataToEndOfFile()) }
        }
        return try JSONDecoder().decode([Step].self, from: bytes)
    }

    /// Starts the server; its address is the URL without `http://`.
    static func server(in mesh: TestMesh, _ options: [String] = []) async throws -> StandIn {
        guard let python else { throw NeverHappened(description: "there is no Python with grpcio") }
        return try await StandIn.start("GRPC/grpc-server", in: mesh, by: [python], options)
    }
}

extension StandIn {
    /// `HOST:PORT`.
    var address: String { String(url.dropFirst("http://".count)) }
}
