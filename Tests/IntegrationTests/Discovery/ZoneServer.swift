import Foundation
import MeshBase

/// A real dnsmasq on ::1 that lists nodes in the domain `mesh`, and knows no IPv4.
final class ZoneServer: Sendable {
    private static let program = ["/usr/sbin/dnsmasq", "/usr/bin/dnsmasq"]
        .first { FileManager.default.isExecutableFile(atPath: $0) }
    static let isPossible = program != nil && (try? FreePort.find()) != nil
    static let why = "needs dnsmasq (Scripts/setup) and ::1"

    let endpoint: Endpoint
    private let process: Process

    /// - Parameter nodes: what is listed, by label: the port on ::1, and the TXT as zone files write it.
    init(_ nodes: [(label: String, port: UInt16, text: String)]) throws {
        endpoint = Endpoint(host: "::1", port: try FreePort.find())
        var arguments = [
            "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--bind-interfaces",
            "--listen-address=::1", "--port=\(endpoint.port)", "--pid-file", "--user=", "--local-ttl=60",
            "--local=/mesh/", "--host-record=host.mesh,::1",
        ]
        for node in nodes {
            let instance = "\(node.label)._comity._tcp.mesh"
            let text = node.text.replacing("\"", with: "").replacing(" ", with: ",")
            arguments += [
                "--ptr-record=_comity._tcp.mesh,\(instance)",
                "--srv-host=\(instance),host.mesh,\(node.port),0,0", "--txt-record=\(instance),\(text)",
            ]
        }
        let process = Process()
        process.executableURL = URL(filePath: Self.program ?? "")
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process = process
    }

    /// Ends it without a word.
    func kill() {
        guard process.isRunning else { return }
        Foundation.kill(process.processIdentifier, SIGKILL)
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
