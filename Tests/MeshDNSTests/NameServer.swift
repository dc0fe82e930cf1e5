import Foundation
import MeshBase

@testable import MeshDNS

/// A real name server on a loopback address and a port of its own, ended with the test.
final class NameServer {
    /// The two kinds, found where Debian or `Scripts/setup` put them.
    enum Kind: String, CaseIterable, Sendable {
        case bind9, dnsmasq

        /// Where its program is; nil: it is not here.
        var program: String? {
            let own = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().appending(path: ".build/tools/bind9/usr/sbin/named").path
            let places =
                self == .bind9 ? ["/usr/sbin/named", own] : ["/usr/sbin/dnsmasq", "/usr/bin/dnsmasq"]
            return places.first { FileManager.default.isExecutableFile(atPath: $0) }
        }
    }

    /// Which of them are here.
    static let here = Kind.allCases.filter { $0.program != nil }
    static let obstacle = "no name server here: Scripts/setup brings bind9's and dnsmasq's programs"

    let endpoint: Endpoint
    private let kind: Kind
    private let folder: URL
    private let arguments: [String]
    private var process: Process?
    private let input = Pipe()

    /// An instance of the zone `m`, as both kinds are told of it.
    struct Instance {
        /// As zone files write it.
        var label: String
        var port: UInt16 = 7410
        var addresses = ["127.0.0.1"]
        var target: String { label.filter { $0.isLetter || $0.isNumber }.lowercased() + "-host" }
        /// As dnsmasq is told: without escapes.
        var plainLabel: String { label.replacing("\\032", with: " ") }
    }

    /// Makes the configuration of a server of the zone `m`; it does not run yet.
    init(_ kind: Kind, _ instances: [Instance], host: String = "127.0.0.1", life: Int = 60) throws {
        self.kind = kind
        endpoint = Endpoint(host: host, port: try Self.freePort(on: host))
        folder = FileManager.default.temporaryDirectory.appending(
            path: "comity-dns-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        switch kind {
        case .bind9:
            try Self.writeBind9(endpoint, instances, life, into: folder)
            arguments = ["-f", "-c", folder.appending(path: "named.conf").path]
        case .dnsmasq: arguments = Self.dnsmasqArguments(endpoint, instances, life)
        }
    }

    /// Starts it, and waits until it answers: with the list, or that there is none.
    func start() async throws {
        let process = Process()
        // dnsmasq closes all files that it was given, and Foundation takes that for its end, waits for it,
        // and notices no other process's end meanwhile. The shell keeps them open, until its input ends.
        process.executableURL = URL(filePath: "/bin/sh")
        let script = "\"$@\" </dev/null & cat >/dev/null; kill -KILL $!; wait $!"
        process.arguments = ["-c", script, "sh", kind.program ?? ""] + arguments
        process.standardInput = input
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process = process
        let resolver = DNSResolver(server: endpoint, patienceInSeconds: 1)
        for _ in 0..<500 {
            guard process.isRunning else { throw Failure("\(kind) ended with \(process.terminationStatus)") }
            switch resolver.ask(DNSQuestion(.ptr, of: name("_comity._tcp.m"))) {
            case .success, .failure(.noSuchName): return
            case .failure: break
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw Failure("\(kind) does not answer at \(endpoint)")
    }

    /// Ends it without a word.
    func kill() {
        guard let process, process.isRunning else { return }
        input.fileHandleForWriting.closeFile()
        process.waitUntilExit()
    }

    func end() throws {
        kill()
        try FileManager.default.removeItem(at: folder)
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    // MARK: Configurations

    private static func writeBind9(
        _ endpoint: Endpoint, _ instances: [Instance], _ life: Int, into folder: URL
    ) throws {
        let isSix = endpoint.host.contains(":")
        let path = folder.path
        let configuration = """
            options {
                directory "\(path)";
                \(isSix ? "listen-on-v6" : "listen-on") port \(endpoint.port) { \(endpoint.host); };
                \(isSix ? "listen-on" : "listen-on-v6") { none; };
                recursion no; notify no; dnssec-validation no; pid-file none; session-keyfile none;
            };
            controls { };
            zone "m" { type primary; file "\(path)/m.zone"; };
            zone "broken" { type primary; file "\(path)/none.zone"; };
            """
        var zone = "$TTL \(life)\n@ SOA ns.m. a.m. 1 60 60 60 60\n@ NS ns.m.\nns A 127.0.0.1\n"
        for instance in instances {
            let full = "\(instance.label)._comity._tcp"
            zone += "_comity._tcp PTR \(full)\n\(full) SRV 0 0 \(instance.port) \(instance.target)\n"
            zone += "\(full) TXT \"v=1\" \"t=AAECAwQFBgc\"\n"
            for address in instance.addresses {
                zone += "\(instance.target) \(address.contains(":") ? "AAAA" : "A") \(address)\n"
            }
        }
        try configuration.write(to: folder.appending(path: "named.conf"), atomically: true, encoding: .utf8)
        try zone.write(to: folder.appending(path: "m.zone"), atomically: true, encoding: .utf8)
    }

    private static func dnsmasqArguments(_ endpoint: Endpoint, _ instances: [Instance], _ life: Int)
        -> [String]
    {
        var arguments = [
            "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--bind-interfaces",
            "--listen-address=\(endpoint.host)", "--port=\(endpoint.port)", "--pid-file", "--user=",
            "--local-ttl=\(life)", "--local=/m/",
        ]
        for instance in instances {
            let full = "\(instance.plainLabel)._comity._tcp.m"
            arguments += [
                "--ptr-record=_comity._tcp.m,\(full)",
                "--srv-host=\(full),\(instance.target).m,\(instance.port),0,0",
                "--txt-record=\(full),v=1,t=AAECAwQFBgc",
            ]
            arguments += instance.addresses.map { "--host-record=\(instance.target).m,\($0)" }
        }
        return arguments
    }

    /// A port that nobody has at this moment.
    static func freePort(on host: String) throws -> UInt16 {
        let socket = try SilentSocket(on: host)
        defer { socket.close() }
        return socket.endpoint.port
    }
}

/// A UDP socket that takes whatever comes and answers nothing.
final class SilentSocket {
    let endpoint: Endpoint
    private let file: CInt

    init(on host: String) throws {
        let isSix = host.contains(":")
        file = socket(isSix ? AF_INET6 : AF_INET, CInt(SOCK_DGRAM.rawValue), 0)
        var port: UInt16 = 0
        let status: CInt
        if isSix {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            inet_pton(AF_INET6, host, &address.sin6_addr)
            status = Self.bind(file, &address)
            port = UInt16(bigEndian: address.sin6_port)
        } else {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            inet_pton(AF_INET, host, &address.sin_addr)
            status = Self.bind(file, &address)
            port = UInt16(bigEndian: address.sin_port)
        }
        endpoint = Endpoint(host: host, port: port)
        guard status == 0 else { throw NameServer.Failure("no socket on \(host): \(errno)") }
    }

    private static func bind<Address>(_ file: CInt, _ address: inout Address) -> CInt {
        var length = socklen_t(MemoryLayout<Address>.size)
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                let status = Foundation.bind(file, pointer, length)
                return status == 0 ? getsockname(file, pointer, &length) : status
            }
        }
    }

    func close() { Foundation.close(file) }
}
