import Foundation
import MeshBase
import MeshControl
import Testing

@testable import MeshAgent

/// `comity doctor` on hosts whose networks are as the test makes them.
@Suite(
    "The doctor on two hosts with an Avahi each", .serialized,
    .enabled(
        if: LanLab.isPossible && Program.isHere,
        "needs root, iproute2, nftables, dbus-daemon, avahi-daemon, and the program beside the tests"))
struct LanDoctorTests {
    @Test("tells a network that carries multicast from one that drops it", .timeLimit(.minutes(3)))
    func multicast() async throws {
        try await Hosts.with { hosts in
            let sound = try await hosts.examine(0)
            #expect(sound.finding(.multicast, "eth0")?.level == .ok, "\(sound)")
            #expect(
                sound.finding(.multicast, "eth0")?.facts.contains { $0.value.contains("10.86.0.2") } == true)
            #expect(sound.finding(.avahi)?.level == .ok)
            #expect(sound.report.level == .advice && sound.status == 0)
            // A firewall on the way in: what this host sends does not come back either.
            try await hosts.nft(0, "add table inet doctor")
            try await hosts.nft(
                0, "add chain inet doctor in { type filter hook input priority 0 ; policy accept ; }")
            try await hosts.nft(0, "add rule inet doctor in udp dport 5353 drop")
            try await hosts.nft(0, "add rule inet doctor in udp sport 5353 drop")
            let deaf = try await hosts.examine(0)
            #expect(deaf.finding(.multicast, "eth0")?.next == "nft list ruleset", "\(deaf)")
            // And one on the way out.
            try await hosts.nft(
                0, "add chain inet doctor out { type filter hook output priority 0 ; policy accept ; }")
            try await hosts.nft(0, "add rule inet doctor out udp dport 5353 drop")
            let mute = try await hosts.examine(0)
            #expect(mute.finding(.multicast, "eth0")?.level == .trouble, "\(mute)")
            #expect(mute.status == 1)
        }
    }

    @Test("knows a container bridge, with multicast and without", .timeLimit(.minutes(3)))
    func containerBridge() async throws {
        try await Hosts.with { hosts in
            for command in [
                "link add docker0 type bridge", "link add c0 type veth peer name c1",
                "link set c0 master docker0", "addr add 172.31.0.1/24 dev docker0", "link set c0 up",
                "link set c1 up", "link set docker0 up",
            ] { try await hosts.ip(0, command) }
            for isCarried in [true, false] {
                try await hosts.ip(0, "link set docker0 multicast \(isCarried ? "on" : "off")")
                let found = try #require(try await hosts.examine(0).finding(.multicast, "docker0"))
                #expect(found.level == .advice && found.what.contains("mDNS cannot cross"), "\(found)")
                #expect(found.facts.contains { $0.value.hasPrefix("3 sent") } == isCarried, "\(found)")
            }
            // The part of the bridge is not looked at by itself.
            #expect(try await hosts.examine(0).finding(.multicast, "c0") == nil)
        }
    }

    @Test("asks peers to dial back, and sees who cannot be dialled", .timeLimit(.minutes(3)))
    func reach() async throws {
        try await Hosts.with { hosts in
            let alice = try hosts.pair(0)
            let bob = try hosts.pair(1, "10.86.0.1:7410")
            let words = try await bob.showsWords()
            alice.type(words + "\n")
            bob.type(words + "\n")
            #expect(try await alice.ends() == 0)
            #expect(try await bob.ends() == 0)
            // A peer dials back once in ten seconds, and has just done so.
            let asked = try await hosts.examine(0)
            #expect(asked.finding(.clock)?.level == .ok && asked.finding(.certificates)?.level == .ok)
            try await Task.sleep(for: .seconds(10))
            let sound = try await hosts.examine(0)
            #expect(sound.finding(.reach, "peers reach")?.level == .ok, "\(sound)")
            // Alice stands behind a firewall now: the link that is there stays, and nobody new comes in.
            try await hosts.nft(0, "add table inet doctor")
            try await hosts.nft(
                0, "add chain inet doctor in { type filter hook input priority 0 ; policy accept ; }")
            try await hosts.nft(0, "add rule inet doctor in tcp dport 7410 ct state new drop")
            try await Task.sleep(for: .seconds(10))
            let hidden = try await hosts.examine(0)
            #expect(hidden.finding(.reach)?.level == .trouble && hidden.status == 1, "\(hidden)")
            #expect(hidden.finding(.reach)?.next == "comity up --advertise HOST:PORT")
        }
    }

    @Test("sees without an agent what is to be seen", .timeLimit(.minutes(2)))
    func withoutAgent() async throws {
        try await Hosts.with { hosts in
            try await hosts.agents[0].stop()
            let home = hosts.agents[0].home
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o644], ofItemAtPath: home + "/identity.key")
            let found = try await hosts.examine(0)
            #expect(found.status == 1 && found.finding(.agent)?.level == .advice)
            #expect(found.finding(.keys)?.next == "chmod 600 \(home)/identity.key", "\(found)")
            #expect(found.finding(.ports)?.what == "the link port is free")
            #expect(found.finding(.reach) == nil)
        }
    }
}

/// Two agents on a host each, which do not know each other.
private final class Hosts: Sendable {
    struct Examination: CustomStringConvertible {
        let status: Int32
        let report: DoctorReport

        /// The first finding of an area whose words begin so.
        func finding(_ area: DoctorFinding.Area, _ beginning: String = "") -> DoctorFinding? {
            report.findings.first { $0.area == area && $0.what.hasPrefix(beginning) }
        }

        var description: String { report.findings.map { "\($0)" }.joined(separator: "\n") }
    }

    let lab: LanLab
    let agents: [AgentProcess]
    private let mesh: TestMesh

    static func with(_ body: (Hosts) async throws -> Void) async throws {
        try await TestMesh.with { mesh in
            let lab = try await LanLab.up(2, for: mesh)
            var agents: [AgentProcess] = []
            for (index, name) in ["alice", "bob"].enumerated() {
                let agent = try AgentProcess(
                    home: mesh.folder.file(name), name: name, options: ["--listen", "[::]:7410"],
                    prefix: lab.prefix(host: index + 1), avahi: "on")
                mesh.atEnd { await agent.end() }
                agents.append(agent)
                try await until("\(name) announces", within: .seconds(20)) {
                    await agent.status()?.discovery.contains { $0.detail.hasPrefix("announcing") } ?? false
                }
            }
            try await body(Hosts(mesh, lab, agents))
        }
    }

    private init(_ mesh: TestMesh, _ lab: LanLab, _ agents: [AgentProcess]) {
        self.mesh = mesh
        self.lab = lab
        self.agents = agents
    }

    func examine(_ index: Int) async throws -> Examination {
        let command =
            lab.prefix(host: index + 1) + [
                Program.path, "doctor", "--json", "--home", agents[index].home,
            ]
        let ran = try await Command.run(command[0], Array(command.dropFirst()))
        do {
            return Examination(
                status: ran.status,
                report: try JSONDecoder().decode(DoctorReport.self, from: Data(ran.output.utf8)))
        } catch {
            throw NeverHappened(description: "\(error): \(ran.output.suffix(400)) \(ran.errors.suffix(400))")
        }
    }

    func ip(_ index: Int, _ words: String) async throws { try await run(index, "ip", words) }
    func nft(_ index: Int, _ words: String) async throws { try await run(index, "nft", words) }

    func pair(_ index: Int, _ arguments: String...) throws -> Dialogue {
        let dialogue = try Dialogue(
            lab.prefix(host: index + 1) + [Program.path, "pair", "--home", agents[index].home] + arguments)
        mesh.atEnd { dialogue.end() }
        return dialogue
    }

    private func run(_ index: Int, _ tool: String, _ words: String) async throws {
        let command = lab.prefix(host: index + 1) + [tool] + words.split(separator: " ").map(String.init)
        let ran = try await Command.run(command[0], Array(command.dropFirst()))
        guard ran.status == 0 else {
            throw NeverHappened(description: "\(tool) \(words): \(ran.errors)")
        }
    }
}
