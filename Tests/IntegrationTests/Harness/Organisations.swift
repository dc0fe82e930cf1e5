import Foundation
import MeshBase
import MeshControl
import Testing

@testable import MeshAgent

extension TestMesh {
    /// A founder of a domain of its own, which dials `seeds`.
    func founder(
        _ name: String, of domain: String, seeds: [RunningAgent] = []
    ) async throws -> RunningAgent {
        let agent = try await start(name, environment: Self.environment(seeds))
        _ = try await agent.agent.handlers.createDomain(
            .init(name: try #require(NodeName(domain)), roles: []))
        return agent
    }

    static func environment(_ seeds: [RunningAgent]) -> [String: String] {
        let places = seeds.map(\.link.description).joined(separator: ",")
        return places.isEmpty ? [:] : ["COMITY_DISCOVERY_STATIC": places]
    }

    /// A member of the domain of `issuer`, with these roles besides.
    func member(
        _ name: String, of issuer: RunningAgent, roles: [DomainRole] = [], seeds: [RunningAgent] = []
    ) async throws -> RunningAgent {
        let report = try await issuer.agent.handlers.makeToken(
            .init(roles: roles, expiresSeconds: 600, uses: 9))
        let path = folder.file("\(name).token")
        let isMade = FileManager.default.createFile(
            atPath: path, contents: Data(report.token.utf8), attributes: [.posixPermissions: 0o600])
        try #require(isMade)
        var environment = Self.environment([issuer] + seeds)
        environment["COMITY_JOIN_FILE"] = path
        let member = try await start(name, environment: environment)
        try await member.linked(with: issuer)
        return member
    }
}

extension RunningAgent {
    /// What `comity domain import FILE --yes` orders, with the bundle that another exported.
    @discardableResult
    func accept(domainOf other: RunningAgent, roles: [DomainRole] = []) async throws -> PartnerReport {
        let bundle = try await other.agent.handlers.showBundle().bundle
        return try await agent.handlers.importBundle(
            .init(source: BundleSource(text: bundle), roles: roles, isConfirmed: true))
    }
}
