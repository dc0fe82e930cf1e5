import MeshAgreements
import MeshBase
import MeshRouting

@testable import MeshAgent
@testable import MeshNode

extension RunningAgent {
    /// Provides `name` at `url`; `capabilities` as on the command line, `NAME=METHODS PATH safety`.
    /// - Parameter kept: of which of them callers may keep answers.
    func provide(
        _ name: String, at url: String, _ capabilities: [String], kept: [(String, KeepTime)] = []
    ) async throws {
        let declared = capabilities.map { text -> Capability in
            let parts = text.split(whereSeparator: { $0 == "=" || $0 == " " }).map(String.init)
            guard parts.count == 4, let name = ResourceName(parts[0]), let safety = Safety(rawValue: parts[3])
            else { fatalError("\(text) is no capability") }
            return Capability(
                name: name, methods: parts[1].split(separator: ",").map(String.init), path: parts[2],
                safety: safety)
        }
        let description = ResourceDescription(
            name: resource(name), protocol: ToolPlace.isMeant(by: url) ? .mcp : .http,
            capabilities: declared, labels: [])
        try await order(
            .addResource(
                LocalResource(
                    description: description, url: url, timeoutInMilliseconds: nil,
                    kept: kept.map { KeptCapability(capability: resource($0.0), time: $0.1) })))
    }

    /// Offers `name` (some capabilities of it, or all) to `other`, and waits until both have agreed.
    func offer(
        _ name: String, _ capabilities: [String]? = nil, to other: RunningAgent,
        under conditions: AgreementConditions = .none, limits: UsageLimits = .none,
        callsAtEnd: CallsAtEnd = .finish
    ) async throws {
        let grant = Grant(resource: resource(name), capabilities: capabilities?.map(resource))
        let request = OfferRequest(
            peer: other.node, grants: [grant], conditions: conditions, limits: limits,
            callsAtEnd: callsAtEnd, life: .seconds(3_600))
        try await order(.offer(request))
        // What asks for a purpose is accepted by no rule.
        if conditions.purposes != nil {
            try await until("\(other.identity.name) has the offer of \(name)") {
                await other.plane.node.agreements.records.contains {
                    $0.state == .offered && $0.agreement.grants == [grant]
                }
            }
            for record in await other.plane.node.agreements.records
            where record.state == .offered && record.agreement.grants == [grant] {
                try await other.order(.accept(record.contentID))
            }
        }
        // What the desk decides by comes a little after what the node knows: in between lies the disk.
        for (agent, peer) in [(self, other), (other, self)] {
            try await until("\(agent.identity.name) decides calls by what was agreed about \(name)") {
                agent.calls.desk.withLock { $0.view }.agreements[peer.node]?.terms.contains {
                    $0.standing == .active && $0.agreement.grants.contains(grant)
                } ?? false
            }
        }
        try await until("\(other.identity.name) sees \(name)") {
            await other.plane.node.gossip.resources(of: self.node, at: Persona.now)
                .contains { $0.name == grant.resource }
        }
    }

    /// Waits until the desk of this agent, which decides calls, knows `current` with `peer` and holds
    /// `former` in force no more. What the node knows comes a little earlier: in between lies the disk.
    func decides(by current: Digest, insteadOf former: Digest, with peer: RunningAgent) async throws {
        try await until("\(identity.name) decides calls by what was offered last") {
            let terms = self.calls.desk.withLock { $0.view }.agreements[peer.node]?.terms ?? []
            return terms.contains { $0.contentID == current }
                && !terms.contains { $0.contentID == former && $0.standing == .active }
        }
    }

    /// Says that `providers` count as providers of `name`.
    func route(_ name: String, via providers: [RunningAgent], _ terms: RouteTerm...) async throws {
        try await order(.route(resource(name), [.via(providers.map { RouteProvider($0.node) })] + terms))
    }

    private func resource(_ text: String) -> ResourceName {
        guard let name = ResourceName(text) else { fatalError("\(text) is no resource's name") }
        return name
    }
}
