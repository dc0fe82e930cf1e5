import Foundation
import MeshBase

/// A real dnsmasq that lists nodes in the domain `mesh`.
final class ZoneServer: Sendable {
    /// What is listed: where, and the TXT as zone files write it.
    struct Entry {
        let label: String
        let endpoint: Endpoint
        let text: String
    }

    private static let program = ["/usr/sbin/dnsmasq", "/usr/bin/dnsmasq"]
        .first { FileManager.default.isExecutableFile(atPath: $0) }
    static let isPossible = program != nil && (try? FreePort.find()) != nil
    static let why = "needs dnsmasq (Scripts/setup) and ::1"

    let endpoint: Endpoint
    private let process: Process
    private let input = Pipe()

    /// - Parameters:
    ///   - endpoint: where it listens; nil: on ::1, with no IPv4 at all.
    ///   - prefix: a command that runs it elsewhere (in a namespace); empty for here.
    init(_ entries: [Entry], at endpoint: Endpoint? = nil, prefix: [String] = []) throws {
        let endpoint = try endpoint ?? Endpoint(host: "::1", port: try FreePort.find())
        self.endpoint = endpoint
        var arguments = [
            Self.program ?? "", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
            "--bind-interfaces",
            "--listen-address=\(endpoint.host)", "--port=\(endpoint.port)", "--pid-file", "--user=",
            "--local-ttl=60", "--local=/mesh/",
        ]
        for (number, entry) in entries.enumerated() {
            let instance = "\(entry.label)._comity._tcp.mesh"
            let text = entry.text.replacing("\"", with: "").replacing(" ", with: ",")
            arguments += [
                "--ptr-record=_comity._tcp.mesh,\(instance)", "--txt-record=\(instance),\(text)",
                "--srv-host=\(instance),host\(number).mesh,\(entry.endpoint.port),0,0",
                "--host-record=host\(number).mesh,\(entry.endpoint.host)",
            ]
        }
        // dnsmasq closes all files that it was given, and Foundation takes that for its end, waits for it,
        // and notices no other process's end meanwhile. The shell keeps them open, until its input ends.
        let script = "\"$@\" </dev/null & cat >/dev/null; kill -KILL $!; wait $!"
        let shell = ["/bin/sh", "-c", script, "sh"]
        let command = prefix + shell + arguments
        let process = Process()
        process.executableURL = URL(filePath: command[0])
        process.arguments = Array(command.dropFirst())
        process.standardInput = input
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process = process
    }

    /// Ends it without a word.
    func kill() {
        guard process.isRunning else { return }
        input.fileHandleForWriting.closeFile()
        process.waitUntilExit()
    }
}

/// A port of ::1 that nobody has at this moment.
enum FreePort {
    static func find() throws -> UInt16 {
        let file = socket(AF_INET6, CInt(SOCK_STREAM.rawValue), 0)
        defer { close(file) }
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_addr = in6addr_loopback
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(file, pointer, length) == 0 ? getsockname(file, pointer, &length) : -1
            }
        }
        guard status == 0 else { throw NeverHappened(description: "no port of ::1: \(errno)") }
        return UInt16(bigEndian: address.sin6_port)
    }
}
