import Foundation
import MeshAudit
import MeshBase
import MeshGossip
import MeshLink
import MeshNode
import MeshTrust
import Synchronization

@testable import MeshAgent

/// A whole agent in this process: its home on disk, its sockets on loopback, its tasks.
final class RunningAgent: Sendable {
    let home: Home
    let identity: OwnIdentity
    /// Let go at the end.
    private let running: Mutex<Agent?>
    private let task: Task<Void, any Error>

    /// Starts an agent in `home`; no Avahi, since the machine that tests run on is nobody's mesh.
    init(
        home: String, name: String, listen: String = "127.0.0.1:0", gateway: String = "127.0.0.1:0",
        environment: [String: String] = [:],
        adjusting adjust: (inout NodeConfiguration) -> Void = { _ in }
    ) async throws {
        self.home = Home(path: home)
        var settings = [
            "COMITY_DISCOVERY_AVAHI": "off", "COMITY_LOG_LEVEL": "error", "XDG_RUNTIME_DIR": home,
        ]
        settings.merge(environment) { $1 }
        let agent = try await Agent.start(
            home: self.home,
            options: ConfigurationOptions(name: name, listen: listen, gateway: gateway),
            environment: settings,
            adjusting: adjust)
        running = Mutex(agent)
        identity = agent.ground.identity.own
        let (ready, isReady) = AsyncStream.makeStream(of: Void.self)
        task = Task {
            defer { isReady.finish() }
            try await agent.run { isReady.yield() }
        }
        for await _ in ready { break }
    }

    /// Ends it as SIGTERM would, and waits until its home is free. Afterwards only its identity is left.
    func stop() async {
        task.cancel()
        defer { running.withLock { $0 = nil } }
        do {
            try await task.value
        } catch is CancellationError {
            return
        } catch {
            print("an agent did not end cleanly: \(error)")
        }
    }

    // MARK: What it knows

    var agent: Agent {
        guard let agent = running.withLock({ $0 }) else { fatalError("\(identity.name) was stopped") }
        return agent
    }
    var plane: ControlPlane { agent.ground.plane }
    var calls: CallPlane { agent.ground.calls }
    var transport: LinkTransport { agent.sockets.transport }
    var node: NodeID { identity.node }

    /// Where peers connect.
    var link: Endpoint {
        guard let link = agent.handlers.surroundings.facts.link else { fatalError("no link port") }
        return link
    }

    /// Where applications connect.
    var gateway: Endpoint {
        guard let gateway = agent.sockets.gateway.endpoint else { fatalError("no gateway") }
        return gateway
    }

    func link(with peer: NodeID) async -> LinkStatus? { await plane.node.gossip.link(with: peer) }

    func state(of peer: NodeID) async -> TrustState? { await plane.node.trust.pins[peer]?.state }

    func name(of peer: NodeID) async -> String? { await plane.node.trust.pins[peer]?.name.description }

    func events(_ query: AuditQuery = AuditQuery(limit: AuditQuery.limitMax)) async throws -> [AuditEntry] {
        try await agent.ground.trail.entries(query)
    }

    /// Why a handshake was refused, under the reference that the other end was told.
    func refusal(under reference: Octets) async throws -> Refusal? {
        let text = Hexadecimal.encode(reference.bytes)
        return try await events(AuditQuery(type: .trust, limit: AuditQuery.limitMax))
            .first { $0.event.metadata.contains(Fact("reference", text)) }?.event.refusals.first
    }

    // MARK: What its operator orders

    func order(_ command: NodeCommand) async throws {
        switch await plane.command(command) {
        case .refused(let refusals): throw NeverHappened(description: "\(command) was refused: \(refusals)")
        default: return
        }
    }

    func decide(_ decision: PeerDecision, about peer: NodeID) async throws {
        try await order(.decide(peer, decision, note: "a test"))
    }

    /// Opens an invite; answers how to join under it.
    func invite() async throws -> JoinRequest {
        let secret = Octets(SystemRandom.bytes(16))
        let answer = await plane.command(.invite(secret: secret, life: .seconds(3_600), confirmation: .none))
        guard case .invited(_, let secret, let expires) = answer else {
            throw NeverHappened(description: "no invite: \(answer)")
        }
        return JoinRequest(inviter: node, endpoints: [link], secret: secret, expires: expires)
    }

    /// Joins under an invite of `other`, and waits until both have a link and calls may pass.
    func join(_ other: RunningAgent) async throws {
        try await order(.join(try await other.invite()))
        try await linked(with: other)
    }

    /// Waits until both ends have a link with one another.
    func linked(with other: RunningAgent, within patience: Duration = .seconds(15)) async throws {
        try await until("a link of \(identity.name) with \(other.identity.name)", within: patience) {
            let here = await link(with: other.node)
            let there = await other.link(with: node)
            return here != nil && there != nil
        }
    }
}
