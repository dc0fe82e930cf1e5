import Foundation

/// Hears on a host when others announce `_comity._tcp` by mDNS: the moment from which whoever browses there
/// can see them. A program of python's standard library; it asks nothing.
struct MulticastEar: Sendable {
    static let isPossible = FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")

    private let dialogue: Dialogue

    init(on host: Int, in lab: LanLab, for mesh: TestMesh) async throws {
        let dialogue = try Dialogue(
            lab.prefix(host: host) + ["/usr/bin/python3", "-u", "-c", Self.program, lab.address(host)])
        mesh.atEnd { dialogue.end() }
        try await dialogue.says("listening\n")
        self.dialogue = dialogue
    }

    /// When the address was first heard to announce, by `Monotonic`; waits for it.
    func announcement(of address: String, within patience: Duration) async throws -> Duration {
        try await eventually("\(address) announces itself", within: patience) {
            for line in dialogue.text.split(separator: "\n") {
                let words = line.split(separator: " ")
                if words.count == 3, words[1] == address, let moment = Int64(words[0]) {
                    return .nanoseconds(moment)
                }
            }
            return nil
        }
    }

    /// Prints when a packet came, from whom, and the instance of which it says that it is there.
    private static let program = """
        import socket, struct, sys, time

        def name(data, at):
            parts, end = [], None
            while data[at]:
                if data[at] & 0xC0:
                    end = end or at + 2
                    at = struct.unpack_from(">H", data, at)[0] & 0x3FFF
                else:
                    parts.append(data[at + 1:at + 1 + data[at]].decode("latin-1"))
                    at += 1 + data[at]
            return ".".join(parts), end or at + 1

        def announced(data):
            flags, questions, answers = struct.unpack_from(">3H", data, 2)
            at = 12
            for _ in range(questions):
                at = name(data, at)[1] + 4
            for _ in range(answers if flags & 0x8000 else 0):
                owner, at = name(data, at)
                kind, _, life, length = struct.unpack_from(">HHIH", data, at)
                if kind == 12 and life and owner.lower() == "_comity._tcp.local":
                    yield name(data, at + 10)[0]
                at += 10 + length

        own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        own.bind(("", 5353))
        group = socket.inet_aton("224.0.0.251") + socket.inet_aton(sys.argv[1])
        own.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
        print("listening")
        while True:
            data, source = own.recvfrom(9000)
            now = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
            for instance in announced(data):
                print(now, source[0], instance)
        """
}

/// The clock that all processes of one machine share.
enum Monotonic {
    static func now() -> Duration {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
