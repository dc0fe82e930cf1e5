import Foundation
import Testing

/// The server of our own against a client that others wrote: what it keeps is the contract, not our idea of
/// it.
@Suite(
    "The server that stands for Consul",
    .enabled(
        if: IndependentClient.python != nil, "py-consul cannot be had: Scripts/python-with py-consul says why"
    ))
struct ContractTests {
    @Test("keeps the contract as py-consul understands it", .timeLimit(.minutes(2)))
    func independentClient() async throws {
        let python = try #require(IndependentClient.python)
        let (status, output) = try IndependentClient.run(python, [ContractServer.folder + "/check-contract"])
        #expect(status == 0, "\(output)")
        #expect(output.split(separator: "\n").count { $0.hasPrefix("ok ") } == 15, "\(output)")
    }
}

enum IndependentClient {
    /// The interpreter that has py-consul; nil where it cannot be had.
    static let python: String? = {
        let script = URL(filePath: ContractServer.folder).deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Scripts/python-with").path
        do {
            let (status, output) = try run(script, ["py-consul"])
            return status == 0 ? output.trimmingCharacters(in: .whitespacesAndNewlines) : nil
        } catch {
            print("\(script) cannot be run: \(error)")
            return nil
        }
    }()

    static func run(_ program: String, _ arguments: [String]) throws -> (Int32, String) {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }
}
