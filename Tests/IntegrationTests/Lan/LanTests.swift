import Foundation
import MeshBase
import MeshControl
import Testing

@testable import MeshAgent

@Suite(
    "Three hosts with an Avahi each", .serialized,
    .enabled(
        if: LanLab.isPossible && Program.isHere,
        "needs root, iproute2, nftables, dbus-daemon, avahi-daemon, and the program beside the tests"))
struct LanTests {
    @Test(
        "find each other by mDNS, notice a killed node within 5 s, and take it back", .timeLimit(.minutes(3)))
    func killed() async throws {
        try await Lan.with { lan in
            try await lan.allLinked(within: .seconds(30))
            try await lan.kill(2)
            let noticed = try await until("both others notice", within: .seconds(10)) {
                let first = await lan.link(0, 2)
                let second = await lan.link(1, 2)
                return first == .down && second == .down
            }
            #expect(noticed < .seconds(5))
            // On another port than before, so that only the announcement tells where it is.
            try await lan.start(2, port: 7_500)
            try await lan.allLinked(within: .seconds(20))
        }
    }

    @Test("take their links back within 20 s of a short partition", .timeLimit(.minutes(3)))
    func partitioned() async throws { try await partition(for: .seconds(12)) }

    @Test(
        "take their links back within 20 s of a partition of 80 s",
        .enabled(if: Patience.isLong, Patience.why), .timeLimit(.minutes(5)))
    func longPartitioned() async throws { try await partition(for: .seconds(80)) }

    @Test("give a stranger on the same network nothing", .timeLimit(.minutes(3)))
    func stranger() async throws {
        try await Lan.with(stranger: true) { lan in
            try await until("the two friends are linked", within: .seconds(30)) {
                let here = await lan.link(0, 1)
                let there = await lan.link(1, 0)
                return here == .up && there == .up
            }
            try await Task.sleep(for: .seconds(5))
            for friend in 0...1 {
                let status = try #require(await lan.process(friend)?.status())
                #expect(!status.peers.contains { $0.id == lan.nodes[2] })
                #expect(status.peers.filter { $0.trust == .trusted }.count == 1)
            }
            let stranger = try #require(await lan.process(2)?.status())
            #expect(!stranger.peers.contains { $0.trust != .seen || $0.id != nil })
        }
    }

    private func partition(for duration: Duration) async throws {
        try await Lan.with { lan in
            try await lan.allLinked(within: .seconds(30))
            try await lan.lab.run("isolate", "3")
            try await until("the isolated node is noticed", within: .seconds(10)) {
                let first = await lan.link(0, 2)
                let second = await lan.link(1, 2)
                return first == .down && second == .down
            }
            try await Task.sleep(for: duration)
            try await lan.lab.run("heal")
            let healed = try await lan.allLinked(within: .seconds(30))
            #expect(healed < .seconds(20))
        }
    }
}

/// Three agents as processes, each on a host of its own; they made trust before, when they were elsewhere.
private final class Lan: Sendable {
    let lab: LanLab
    let nodes: [NodeID]
    private let homes: [String]
    private let running = Running()

    private actor Running {
        var processes: [Int: AgentProcess] = [:]
        func set(_ process: AgentProcess, at index: Int) { processes[index] = process }
    }

    private init(lab: LanLab, agents: [RunningAgent]) {
        self.lab = lab
        nodes = agents.map(\.node)
        homes = agents.map(\.home.path)
    }

    static func with(stranger: Bool = false, _ body: (Lan) async throws -> Void) async throws {
        try await TestMesh.with { mesh in
            var agents: [RunningAgent] = []
            for name in ["alice", "bob", "carol"] { agents.append(try await mesh.start(name)) }
            try await agents[1].join(agents[0])
            if !stranger {
                try await agents[2].join(agents[0])
                try await agents[2].join(agents[1])
            }
            let lab = LanLab(in: mesh.folder)
            let lan = Lan(lab: lab, agents: agents)
            for agent in agents { await agent.stop() }
            mesh.atEnd {
                do {
                    try await lab.run("down")
                } catch {
                    print("\(error)")
                }
            }
            try await lab.run("up", "3")
            mesh.atEnd { await lan.end() }
            for index in 0..<3 { try await lan.start(index, port: 7_410) }
            try await body(lan)
        }
    }

    func start(_ index: Int, port: Int) async throws {
        let process = try AgentProcess(
            home: homes[index], name: ["alice", "bob", "carol"][index],
            options: ["--listen", "[::]:\(port)", "--gateway", "127.0.0.1:7411"],
            prefix: lab.prefix(host: index + 1), avahi: "on")
        await running.set(process, at: index)
        try await until("agent \(index) answers", within: .seconds(15)) { await process.status() != nil }
    }

    func kill(_ index: Int) async throws { try await running.processes[index]?.kill() }

    func process(_ index: Int) async -> AgentProcess? { await running.processes[index] }

    /// How one sees its link with another.
    func link(_ from: Int, _ to: Int) async -> PeerReport.Link? {
        await running.processes[from]?.link(with: nodes[to])
    }

    /// Waits until each has a link with each; answers how long that took.
    @discardableResult
    func allLinked(within patience: Duration) async throws -> Duration {
        try await until("all are linked", within: patience) {
            for (from, to) in [(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)] {
                if await link(from, to) != .up { return false }
            }
            return true
        }
    }

    private func end() async {
        for process in await running.processes.values { await process.end() }
    }
}
