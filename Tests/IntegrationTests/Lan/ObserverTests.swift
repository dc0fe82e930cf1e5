import Foundation
import MeshBase
import MeshControl
import Testing

@testable import MeshAgent

/// Somebody on the same network who holds no credentials: scans ports, listens to and asks by mDNS, connects
/// to what is open, with TLS and without. What could be seen is printed.
@Suite(
    "An observer on the network", .serialized,
    .enabled(
        if: LanLab.isPossible && Program.isHere && Observer.isPossible,
        "needs root, iproute2, nftables, dbus-daemon, avahi-daemon, python3, and the program beside this"))
struct ObserverTests {
    @Test(
        "learns that this is Comity and, once it connects, a node ID; no name, organisation or resource",
        .timeLimit(.minutes(4)))
    func learnsLittle() async throws {
        try await TestMesh.with { mesh in
            // An issuer with a token out: both of its protocols are open to newcomers.
            let victim = try await mesh.start("marlene")
            let domain = try await victim.agent.handlers.createDomain(
                .init(name: try #require(NodeName("steinbruch")), roles: []))
            _ = try await victim.agent.handlers.makeToken(.init(roles: [], expiresSeconds: 3_600, uses: 9))
            let added = try await Command.comity(
                "resource", "add", "geheimsache", "--url", "http://127.0.0.1:9", "--capability",
                "lesen=GET /lesen safe", "--offer-to", "domain", "--home", victim.home.path)
            #expect(added.status == 0, "\(added)")
            let node = victim.node
            let home = victim.home.path
            await victim.stop()
            let lab = try await LanLab.up(2, for: mesh)
            let process = try AgentProcess(
                home: home, name: "marlene",
                options: ["--listen", "[::]:7410", "--gateway", "127.0.0.1:7411"],
                prefix: lab.prefix(host: 1), avahi: "on")
            mesh.atEnd { await process.end() }
            try await until("the agent announces", within: .seconds(30)) {
                await process.status()?.discovery.contains {
                    $0.method == "mdns" && $0.detail.contains("announcing")
                } ?? false
            }
            let seen = try await Observer.look(at: lab.address(1), from: 2, in: lab)
            print(seen)
            check(seen, node, domain.id)
        }
    }

    private func check(_ seen: String, _ node: NodeID, _ domain: DomainID) {
        let lines = seen.split(separator: "\n").map(String.init)
        #expect(lines.filter { $0.hasPrefix("open ") } == ["open 7410"])
        // It saw something: the service, and a certificate of each protocol that is open.
        let multicast = lines.filter { $0.hasPrefix("mdns ") }.joined()
        #expect(multicast.contains("_comity") && multicast.contains("v=1"))
        #expect(lines.contains { $0.hasPrefix("tls comity/1 certificate ") })
        #expect(lines.contains { $0.hasPrefix("tls comity-pair/1 certificate ") })
        let brief = String(domain.description.dropFirst().prefix(8))
        for secret in ["marlene", "steinbruch", brief, "geheimsache", "lesen"] {
            let hex = Hexadecimal.encode(Array(secret.utf8))
            #expect(!seen.lowercased().contains(secret) && !seen.contains(hex), "\(secret) could be read")
        }
        // Before it connects it does not even learn the node ID; nor does anybody say anything first.
        let silent = lines.filter { $0.hasPrefix("mdns ") || $0.hasPrefix("plain ") }.joined()
        let own = String(node.description.dropFirst().prefix(8))
        #expect(!silent.contains(own) && !silent.contains(Hexadecimal.encode(Array(own.utf8))))
        for line in lines where line.hasPrefix("tls ") && line.contains(" said ") {
            let isRefusal = line.contains(#"{"body":{"code":"handshake-refused","facts":[],"reference":"#)
            #expect(line.hasSuffix(" said nothing") || isRefusal, "\(line)")
        }
    }
}

/// The observer: a program of python's standard library, run on a host of the lab.
enum Observer {
    static let isPossible = FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")

    static func look(at address: String, from host: Int, in lab: LanLab) async throws -> String {
        try await lab.run("exec", "\(host)", "/usr/bin/python3", "-c", program, address)
    }

    private static let program = """
        import re, selectors, socket, ssl, struct, sys, time
        address = sys.argv[1]

        def readable(data):
            return re.sub(r"[^ -~]+", " ", data.decode("latin-1"))

        def name(text):
            return b"".join(bytes([len(part)]) + part.encode() for part in text.split(".")) + b"\\0"

        def listen():
            own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            own.bind(("", 5353))
            probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            probe.connect((address, 9))
            here = socket.inet_aton(probe.getsockname()[0])
            own.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, here)
            group = socket.inet_aton("224.0.0.251") + here
            own.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
            own.settimeout(0.5)
            ours = "_comity._tcp.local"
            questions = ("_services._dns-sd._udp.local", 12), (ours, 12), (ours, 255)
            for asked, kind in questions:
                question = struct.pack(">6H", 0, 0, 1, 0, 0, 0) + name(asked) + struct.pack(">2H", kind, 1)
                own.sendto(question, ("224.0.0.251", 5353))
            seen, end = set(), time.monotonic() + 6
            while time.monotonic() < end:
                try:
                    data, source = own.recvfrom(9000)
                except TimeoutError:
                    continue
                if source[0] == address and data not in seen:
                    seen.add(data)
                    print("mdns", data.hex(), "|", readable(data))

        def scan():
            found, waiting, ports = [], selectors.DefaultSelector(), iter(range(1, 65536))
            pending, done = 0, False
            while not done or pending:
                while not done and pending < 200:
                    port = next(ports, None)
                    if port is None:
                        done = True
                        break
                    one = socket.socket()
                    one.setblocking(False)
                    if one.connect_ex((address, port)) in (0, 115):
                        waiting.register(one, selectors.EVENT_WRITE, port)
                        pending += 1
                for key, _ in waiting.select(5):
                    if key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                        found.append(key.data)
                    waiting.unregister(key.fileobj)
                    key.fileobj.close()
                    pending -= 1
            return sorted(found)

        def hear(connection, seconds):
            heard, end = b"", time.monotonic() + seconds
            connection.settimeout(0.5)
            while time.monotonic() < end:
                try:
                    data = connection.recv(65536)
                except (TimeoutError, ssl.SSLWantReadError):
                    continue
                except (OSError, ssl.SSLError) as error:
                    return heard
                if not data:
                    return heard
                heard += data
            return heard

        listen()
        for port in scan():
            print("open", port)
            for words in (b"", b"GET / HTTP/1.0\\r\\n\\r\\n", b"\\x16\\x03\\x01\\x00\\x00"):
                with socket.create_connection((address, port), 5) as connection:
                    connection.sendall(words)
                    print("plain", port, "after", len(words), "bytes:", hear(connection, 2).hex())
            for protocol in ("comity/1", "comity-pair/1", "h2", None):
                context = ssl.create_default_context()
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                if protocol:
                    context.set_alpn_protocols([protocol])
                try:
                    with context.wrap_socket(socket.create_connection((address, port), 5)) as connection:
                        shown = connection.getpeercert(True) or b""
                        print("tls", protocol, "certificate", shown.hex(), "|", readable(shown))
                        said = hear(connection, 3)
                        words = said.hex() + " | " + readable(said) if said else "nothing"
                        print("tls", protocol, "said", words)
                except (OSError, ssl.SSLError) as error:
                    print("tls", protocol, "failed", error)
        """
}
