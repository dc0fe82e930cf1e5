import Foundation

/// Python with packages of PyPI, for tests against other implementations.
enum Python {
    /// The interpreter that `Scripts/python-with` finds or makes; nil where it cannot be had.
    static func with(_ package: String) -> String? {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: Program.sources + "/Scripts/python-with")
        process.arguments = [package]
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
    }
}
