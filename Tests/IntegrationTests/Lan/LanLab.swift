import Foundation
import MeshBase

/// Hosts of their own on one bridge, each with its Avahi: `Scripts/lan`.
struct LanLab: Sendable {
    private static let script = Program.sources + "/Scripts/lan"
    private let name: String
    private let folder: String

    /// Whether this process may make network namespaces and finds the tools.
    static let isPossible: Bool = {
        let tools = ["ip", "nft", "unshare", "nsenter", "setsid", "dbus-daemon", "avahi-daemon"]
        let places = ["/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"]
        return geteuid() == 0
            && tools.allSatisfy { tool in
                places.contains { FileManager.default.isExecutableFile(atPath: $0 + tool) }
            }
    }()

    /// So many hosts, which are gone when the mesh's test ends.
    static func up(_ hosts: Int, for mesh: TestMesh) async throws -> LanLab {
        let lab = LanLab(in: mesh.folder)
        mesh.atEnd {
            do {
                try await lab.run("down")
            } catch {
                print("\(error)")
            }
        }
        try await lab.run("up", String(hosts))
        return lab
    }

    private init(in folder: TestFolder) {
        name = "it" + String(UInt32.random(in: 0..<100_000))
        self.folder = folder.file("lab")
    }

    /// Runs a command of the script; throws when it fails.
    @discardableResult
    func run(_ arguments: String...) async throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: Self.script)
        process.arguments = arguments
        process.environment = environment
        let output = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                let data = output.fileHandleForReading.readDataToEndOfFile()
                continuation.resume(returning: String(decoding: data, as: UTF8.self))
            }
        }
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw NeverHappened(description: "lan \(arguments.joined(separator: " ")): \(text)")
        }
        return text
    }

    /// A host's IPv4 address.
    func address(_ host: Int) -> String { "10.86.0.\(host)" }

    /// A host's IPv6 address, once `leaveOnlySix` gave it one.
    static func sixAddress(_ host: Int) -> String { "fd86::\(host)" }

    /// Gives these hosts an IPv6 address, and takes IPv4 away.
    func leaveOnlySix(on hosts: ClosedRange<Int>) async throws {
        for host in hosts {
            try await run("exec", "\(host)", "ip", "-4", "address", "flush", "dev", "eth0")
            try await run(
                "exec", "\(host)", "ip", "-6", "address", "add", Self.sixAddress(host) + "/64", "dev", "eth0",
                "nodad")
        }
    }

    /// What runs a command on a host.
    func prefix(host: Int) -> [String] {
        ["/usr/bin/env"]
            + environment.filter { $0.key.hasPrefix("COMITY_LAN") }.map { "\($0.key)=\($0.value)" }
            + [Self.script, "exec", String(host)]
    }

    private var environment: [String: String] {
        ProcessInfo.processInfo.environment.merging([
            "COMITY_LAN_NAME": name, "COMITY_LAN_DIR": folder, "COMITY_LAN_NET": "10.86.0",
        ]) { $1 }
    }
}
