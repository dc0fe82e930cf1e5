import Foundation
import MeshBase
import MeshControl
import Synchronization
import Testing

@testable import MeshAgent

/// One organisation's nodes, each on a host of its own: the first has the anchor and is the issuer, all
/// others know nothing but the token with which they start.
final class LanDomain: Sendable {
    static let isPossible = LanLab.isPossible && Program.isHere
    static let why: Comment =
        "needs root, iproute2, nftables, dbus-daemon, avahi-daemon, and the program beside the tests"

    let mesh: TestMesh
    let lab: LanLab
    private let issuerHome: String
    private let token: String

    /// An agent and its host.
    struct Member: Sendable {
        let name: String
        let host: Int
        let process: AgentProcess

        var application: Application { Application(home: process.home) }
    }

    /// Builds so many hosts, and makes the domain in the home of a node that has not started there yet.
    static func with(hosts: Int, _ body: (LanDomain) async throws -> Void) async throws {
        try await TestMesh.with { mesh in
            let founder = try await mesh.start("one")
            _ = try await founder.agent.handlers.createDomain(
                .init(name: try #require(NodeName("acme")), roles: []))
            let made = try await founder.agent.handlers.makeToken(
                .init(roles: [], expiresSeconds: 3_600, uses: 99))
            await founder.stop()
            let token = mesh.folder.file("acme.token")
            let isWritten = FileManager.default.createFile(
                atPath: token, contents: Data(made.token.utf8), attributes: [.posixPermissions: 0o600])
            try #require(isWritten)
            let lab = try await LanLab.up(hosts, for: mesh)
            try await body(
                LanDomain(mesh: mesh, lab: lab, issuerHome: founder.home.path, token: token))
        }
    }

    private init(mesh: TestMesh, lab: LanLab, issuerHome: String, token: String) {
        self.mesh = mesh
        self.lab = lab
        self.issuerHome = issuerHome
        self.token = token
    }

    static let names = [
        "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
        "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
        "twentyone", "twentytwo",
    ]

    /// Starts the agent of a host: the issuer on the first, a newcomer with a token on every other one. It
    /// is not waited for.
    /// - Parameter environment: beside the token; mDNS is on unless it says otherwise.
    func boot(_ host: Int, environment: [String: String] = [:]) throws -> Member {
        let name = Self.names[host - 1]
        let settings = host == 1 ? [:] : ["COMITY_JOIN_FILE": token]
        let process = try AgentProcess(
            home: host == 1 ? issuerHome : mesh.folder.file(name), name: name,
            options: ["--listen", "[::]:7410", "--gateway", "127.0.0.1:7411"], prefix: lab.prefix(host: host),
            avahi: "on", environment: settings.merging(environment) { $1 })
        mesh.atEnd { await process.end() }
        return Member(name: name, host: host, process: process)
    }

    /// The node of a host before it starts there; it has enrolled nowhere.
    func identity(of host: Int) async throws -> NodeID {
        let agent =
            host == 1
            ? try await RunningAgent(home: issuerHome, name: "one")
            : try await RunningAgent(home: mesh.folder.file(Self.names[host - 1]), name: "unborn")
        await agent.stop()
        return agent.node
    }
}

extension [LanDomain.Member] {
    /// Waits until each trusts each other and has a link with it; answers how long that took.
    @discardableResult
    func allLinked(within patience: Duration) async throws -> Duration {
        try await until("\(count) nodes are linked with each other", within: patience) {
            for member in self {
                let peers = await member.process.status()?.peers ?? []
                let linked = peers.filter { $0.trust == .trusted && $0.link == .up }.compactMap(\.name)
                let isLinked = allSatisfy { other in
                    other.name == member.name || linked.contains { $0.description == other.name }
                }
                guard isLinked else {
                    try await Task.sleep(for: .milliseconds(50))
                    return false
                }
            }
            return true
        }
    }

    /// Waits until each may call what each other offers to the domain; answers how long that took.
    @discardableResult
    func allCallable(within patience: Duration) async throws -> Duration {
        let began = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for caller in self {
                tasks.addTask {
                    for provider in self where provider.name != caller.name {
                        try await caller.calls(provider, by: began + patience)
                    }
                }
            }
            try await tasks.waitForAll()
        }
        return ContinuousClock.now - began
    }
}

extension LanDomain.Member {
    /// Calls the other's `echo` until it answers.
    func calls(_ provider: LanDomain.Member, by end: ContinuousClock.Instant) async throws {
        var last = "nobody listens"
        while true {
            do {
                let answer = try await application.invoke(
                    "\(provider.name)/echo", "{\"from\":\"\(name)\"}", headers: ["comity-deadline": "2s"])
                if answer.status == 200 {
                    #expect(answer.text.contains(name), "\(answer.text)")
                    return
                }
                last = answer.text
            } catch {
                last = "\(error)"
            }
            guard ContinuousClock.now < end else {
                throw NeverHappened(description: "\(name) cannot call \(provider.name): \(last)")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

extension Duration {
    /// For what a test prints.
    var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
