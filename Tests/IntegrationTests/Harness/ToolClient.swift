import Foundation

/// The client of the public MCP SDK, as a process of its own.
enum ToolClient {
    /// A Python that has the SDK; nil where it cannot be had.
    static let python = Python.with("mcp")

    /// What it saw.
    struct Session: Decodable {
        struct Call: Decodable, Equatable {
            let text: String
            let isError: Bool
        }
        let tools: [String]
        let calls: [Call]
        /// All of each tool's description, and then of each result.
        let whole: [String]
    }

    /// Lists the tools of the server at `url`, and calls some: `NAME=ARGUMENTS`.
    /// - Parameter mode: how the session begins: `auto` asks for the newest revision first, `legacy` shakes
    ///   hands.
    static func talk(to url: String, _ mode: String, _ calls: [String]) async throws -> Session {
        guard let python else { throw NeverHappened(description: "there is no Python with mcp") }
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: python)
        process.arguments = ["\(Program.sources)/Tests/MCP/mcp-client", "--mode", mode, url] + calls
        process.standardOutput = output
        try process.run()
        let read = output.fileHandleForReading
        let bytes = await withCheckedContinuation { done in
            DispatchQueue.global().async { done.resume(returning: read.readDataToEndOfFile()) }
        }
        return try JSONDecoder().decode(Session.self, from: bytes)
    }
}
