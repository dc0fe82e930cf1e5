import Foundation
import MeshBase
import MeshWire
import Synchronization

/// The OpenSSL program as an attacker's tool.
enum OpenSSL {
    static let path = "/usr/bin/openssl"
    static let isHere = FileManager.default.isExecutableFile(atPath: path)

    /// What `openssl s_client` saw.
    struct Visit {
        let output: [UInt8]

        var text: String { String(decoding: output, as: UTF8.self) }
        /// Whether TLS took up an earlier session.
        var isResumed: Bool { text.contains("Reused, TLSv1.3") }

        /// The reference of the denial that came, which must be one that tells nothing.
        var refusedReference: Octets? {
            let opening = #"{"body":{"code":"handshake-refused","facts":[],"reference":""#
            guard let range = text.range(of: opening) else { return nil }
            return Base64URL.decode(text[range.upperBound...].prefix { $0 != "\"" }.utf8).map { Octets($0) }
        }

        /// Whether anything of a handshake came but a denial.
        var sawMore: Bool { text.contains(#""kind":"answer""#) || text.contains(#""kind":"accept""#) }
    }

    /// Connects, sends `message` as a frame, and listens until the other side closes.
    static func visit(
        _ endpoint: Endpoint, _ options: [String], alpn: String = "comity/1",
        version: String = "-tls1_3", sending message: [UInt8] = []
    ) async throws -> Visit {
        let arguments =
            ["s_client", "-connect", endpoint.description, "-alpn", alpn, version, "-nocommands", "-ign_eof"]
            + options
        return Visit(output: try await run(arguments, input: message.isEmpty ? [] : framed(message)))
    }

    /// Runs the program; what it printed on both channels. It is ended after ten seconds.
    @discardableResult
    static func run(_ arguments: [String], input: [UInt8] = []) async throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        let (stdin, stdout) = (Pipe(), Pipe())
        process.standardInput = stdin
        process.standardOutput = stdout
        process.standardError = stdout
        try process.run()
        if !input.isEmpty { try stdin.fileHandleForWriting.write(contentsOf: input) }
        let alarm = DispatchWorkItem { process.terminate() }
        DispatchQueue.global().asyncAfter(deadline: .now() + 10, execute: alarm)
        let output = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(returning: Array(stdout.fileHandleForReading.readDataToEndOfFile()))
            }
        }
        alarm.cancel()
        stdin.fileHandleForWriting.closeFile()
        process.waitUntilExit()
        return output
    }

    /// `payload` in a frame of a document.
    static func framed(_ payload: [UInt8]) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: FrameHeader.length)
        header.withUnsafeMutableBytes { FrameHeader(.document, payloadLength: payload.count).write(into: $0) }
        return header + payload
    }
}
