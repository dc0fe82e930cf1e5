import Foundation
import MeshAvahi
import Testing

/// python-zeroconf, an implementation of its own: the other side on a small LAN.
enum Zeroconf {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: ".build/tools/zeroconf").path
    static let python = folder + "/bin/python3"

    /// Why it cannot be had; nil: it is here. Made once, in the build folder, from PyPI.
    static let obstacle: String? = {
        guard Lab.obstacle == nil else { return Lab.obstacle }
        if run([python, "-c", "import zeroconf"]) == 0 { return nil }
        guard run(["/usr/bin/env", "python3", "-m", "venv", folder]) == 0 else {
            return "no python3 with venv is here"
        }
        let install = ["-m", "pip", "install", "-q", "--retries", "0", "--timeout", "20", "zeroconf"]
        guard run([python] + install) == 0 else { return "zeroconf cannot be fetched from PyPI" }
        return run([python, "-c", "import zeroconf"]) == 0 ? nil : "zeroconf does not run"
    }()

    private static func run(_ command: [String]) -> Int32 {
        let process = Process()
        process.executableURL = URL(filePath: command[0])
        process.arguments = Array(command.dropFirst())
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        do { try process.run() } catch { return -1 }
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// Announces one service, prints all that it sees, and says goodbye when its input ends.
    static let program = """
        import socket, sys
        from zeroconf import IPVersion, ServiceBrowser, ServiceInfo, Zeroconf
        address, port, kind = sys.argv[1], int(sys.argv[2]), "_comity._tcp.local."

        class Listener:
            def add_service(self, zeroconf, kind, name):
                found = zeroconf.get_service_info(kind, name, 3000)
                if found:
                    pairs = found.properties.items()
                    text = sorted(key.decode() + "=" + (value or b"").decode() for key, value in pairs)
                    where = [socket.inet_ntoa(a) for a in found.addresses_by_version(IPVersion.V4Only)]
                    say("found", name.split(".")[0], ",".join(where), found.port, ",".join(text))
            update_service = add_service
            def remove_service(self, zeroconf, kind, name):
                say("lost", name.split(".")[0])

        def say(*words):
            print("\(LabNode.mark)" + " ".join(str(word) for word in words), flush=True)

        zeroconf = Zeroconf(interfaces=[address], ip_version=IPVersion.V4Only)
        own = ServiceInfo(kind, "python." + kind, addresses=[socket.inet_aton(address)], port=port,
                          properties={"v": "1", "t": "python"}, server="python.local.")
        zeroconf.register_service(own)
        ServiceBrowser(zeroconf, kind, Listener())
        sys.stdin.read()
        zeroconf.unregister_service(own)
        zeroconf.close()
        """
}

@Suite(
    "With python-zeroconf on a small LAN", .serialized,
    .enabled(if: Zeroconf.obstacle == nil, Comment(rawValue: "no zeroconf: \(Zeroconf.obstacle ?? "")")))
struct ZeroconfTests {
    @Test("each sees what the other announces, changes and takes back")
    func interoperates() async throws {
        let lab = try Lab(nodes: 2)
        let result: Result<Void, any Error>
        do {
            try await meet(in: lab)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try lab.down()
        try result.get()
    }

    private func meet(in lab: Lab) async throws {
        let ours = try lab.witness(in: 2, port: 7411, txt: "first")
        let theirs = try lab.program(in: 1, [Zeroconf.python, "-c", Zeroconf.program, "10.84.0.1", "7999"])
        let announced = try await ours.event("announced", within: 15)
        let instance = try #require(announced.firstMatch(of: /"([0-9a-f]{16})"/).map { String($0.1) })
        _ = try await theirs.event("found \(instance)", "10.84.0.2 7411 t=first,v=1", within: 15)
        _ = try await ours.event(
            "sighted python on eth0 over ipv4 at 10.84.0.1:7999", "txt t=python,v=1 foreign", within: 15)

        try ours.order("second")
        _ = try await theirs.event("found \(instance)", "7411 t=second", within: 15)

        let position = ours.events.count
        theirs.end()
        _ = try await ours.event("withdrawn", "python", from: position, within: 15)
        let third = try lab.program(in: 1, [Zeroconf.python, "-c", Zeroconf.program, "10.84.0.1", "7998"])
        _ = try await third.event("found \(instance)", within: 15)
        let before = third.events.count
        ours.end()
        _ = try await third.event("lost \(instance)", from: before, within: 15)
    }
}
