import Foundation
import MeshBase
import MeshControl

@testable import MeshAgent

/// Three agents as processes, each on a host of its own; they made trust before, when they were elsewhere.
final class Lan: Sendable {
    let lab: LanLab
    let nodes: [NodeID]
    let homes: [String]
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

    /// - Parameters:
    ///   - stranger: the third is trusted by nobody.
    ///   - prepare: done on the hosts before the agents start.
    static func with(
        stranger: Bool = false, prepare: (Lan, TestMesh) async throws -> Void = { _, _ in },
        _ body: (Lan) async throws -> Void
    ) async throws {
        try await TestMesh.with { mesh in
            var agents: [RunningAgent] = []
            for name in ["alice", "bob", "carol"] { agents.append(try await mesh.start(name)) }
            try await agents[1].join(agents[0])
            if !stranger {
                try await agents[2].join(agents[0])
                try await agents[2].join(agents[1])
            }
            for agent in agents { await agent.stop() }
            let lan = Lan(lab: try await LanLab.up(3, for: mesh), agents: agents)
            try await prepare(lan, mesh)
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
