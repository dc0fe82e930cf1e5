import Foundation
import Testing

/// Another time of day for one process: Debian's faketime.
struct FakeClock {
    private static let library = ["x86_64", "aarch64"].map {
        "/usr/lib/\($0)-linux-gnu/faketime/libfaketimeMT.so.1"
    }
    .first { FileManager.default.fileExists(atPath: $0) }
    static let isPossible = library != nil
    static let why: Comment = "needs libfaketime (Scripts/setup)"

    /// For that process.
    let environment: [String: String]

    /// Timers go by the monotonic clock, which nobody sets. FAKETIME_SHARED names memory that is not there:
    /// the library would set it, and so move the environment behind which Swift looks for the command line.
    init(ahead seconds: Int, in folder: TestFolder) throws {
        let file = folder.file("clock")
        try "+\(seconds)\n".write(toFile: file, atomically: true, encoding: .ascii)
        environment = [
            "LD_PRELOAD": Self.library ?? "", "FAKETIME_TIMESTAMP_FILE": file, "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_SHARED": "/none /none", "NO_FAKE_STAT": "1",
        ]
    }
}
