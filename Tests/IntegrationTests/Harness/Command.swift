import Foundation

/// A command that ran to its end.
struct Command: Sendable {
    let status: Int32
    let output: String
    let errors: String

    /// Runs it, gives it `input`, and waits for its end.
    static func run(
        _ program: String, _ arguments: [String], input: String = "", environment: [String: String] = [:]
    ) async throws -> Command {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let (inward, outward, errors) = (Pipe(), Pipe(), Pipe())
        process.standardInput = inward
        process.standardOutput = outward
        process.standardError = errors
        try process.run()
        DispatchQueue.global().async {
            // A program that ends without reading closes the pipe under our hands.
            signal(SIGPIPE, SIG_IGN)
            inward.fileHandleForWriting.write(Data(input.utf8))
            inward.fileHandleForWriting.closeFile()
        }
        async let said = read(outward)
        async let complained = read(errors)
        let (output, error) = await (said, complained)
        process.waitUntilExit()
        return Command(status: process.terminationStatus, output: output, errors: error)
    }

    /// Runs the program that stands beside the tests.
    static func comity(_ arguments: String..., input: String = "") async throws -> Command {
        try await run(Program.path, arguments, input: input)
    }

    /// Where a tool is; nil when it is not here.
    static func tool(_ name: String) -> String? {
        ["/usr/bin/", "/bin/", "/usr/sbin/", "/sbin/", "/usr/local/bin/"].map { $0 + name }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// A program that `Scripts/setup` fetched.
    static func fetched(_ path: String) -> String? {
        let program = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appending(path: ".build/tools/\(path)")
            .path
        return FileManager.default.isExecutableFile(atPath: program) ? program : nil
    }

    private static func read(_ pipe: Pipe) async -> String {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                let data = pipe.fileHandleForReading.readDataToEndOfFile()
                continuation.resume(returning: String(decoding: data, as: UTF8.self))
            }
        }
    }
}
