import Foundation
import MeshBase
import MeshControl
import MeshCredentials
import MeshTrust
import Testing

@testable import MeshAgent

@Suite("A domain of real agents", .timeLimit(.minutes(2)))
struct DomainTests {
    private let acme = NodeName("acme")

    /// Makes a token at `agent` and writes it as the command would.
    private func token(
        of agent: RunningAgent, in mesh: TestMesh, roles: [DomainRole] = [], uses: Int = 9
    ) async throws -> String {
        let report = try await agent.agent.handlers.makeToken(
            .init(roles: roles, expiresSeconds: 600, uses: uses))
        let path = mesh.folder.file("acme-\(uses).token")
        let isMade = FileManager.default.createFile(
            atPath: path, contents: Data(report.token.utf8), attributes: [.posixPermissions: 0o600])
        try #require(isMade)
        return path
    }

    private func member(
        _ name: String, token: String, seeds: [RunningAgent], in mesh: TestMesh
    ) async throws -> RunningAgent {
        let places = seeds.map(\.link.description).joined(separator: ",")
        return try await mesh.start(
            name, environment: ["COMITY_JOIN_FILE": token, "COMITY_DISCOVERY_STATIC": places])
    }

    @Test("nodes that start with a token and know one address are members that trust one another")
    func zeroTouch() async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.start("alice")
            let founded = try await alice.agent.handlers.createDomain(
                .init(name: try #require(acme), roles: []))
            #expect(founded.roles == [.agree, .issue, .member])
            #expect(founded.hasAnchor)
            let path = try await token(of: alice, in: mesh)
            let bob = try await member("bob", token: path, seeds: [alice], in: mesh)
            try await bob.linked(with: alice)
            let carol = try await member("carol", token: path, seeds: [alice, bob], in: mesh)
            try await carol.linked(with: alice)
            try await carol.linked(with: bob)
            let shown = try await carol.agent.handlers.showDomain()
            #expect(shown.id == founded.id)
            #expect(shown.name == acme)
            #expect(shown.members.count == 2)
            #expect(shown.issuer?.id == alice.node)
            let status = await bob.agent.handlers.status()
            #expect(status.node.membership?.roles == [.member])
            #expect(status.peers.allSatisfy { $0.membership?.name == acme })
            #expect(await carol.plane.node.trust.pins[bob.node]?.evidence.kind == .domain)
        }
    }

    @Test("a member is one after a restart, and its issuer too, without token or anchor")
    func restarts() async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.start("alice")
            _ = try await alice.agent.handlers.createDomain(.init(name: try #require(acme), roles: []))
            let path = try await token(of: alice, in: mesh)
            let bob = try await member("bob", token: path, seeds: [alice], in: mesh)
            try await bob.linked(with: alice)
            let outside = mesh.folder.file("offline.key")
            let moved = try await alice.agent.handlers.moveAnchor(.init(direction: .out, path: outside))
            #expect(!moved.hasAnchor)
            #expect(!FileManager.default.fileExists(atPath: alice.home.anchorKey))
            let listen = alice.link.description
            await alice.stop()
            await bob.stop()
            try FileManager.default.removeItem(atPath: path)
            let alice2 = try await mesh.start("alice", listen: listen)
            let bob2 = try await mesh.start("bob", environment: ["COMITY_JOIN_FILE": path])
            try await bob2.linked(with: alice2)
            let shown = try await alice2.agent.handlers.showDomain()
            #expect(shown.roles == [.agree, .issue, .member])
            #expect(!shown.hasAnchor)
            await #expect(throws: ControlFailure.self) {
                _ = try await alice2.agent.handlers.makeToken(.init(roles: [], expiresSeconds: 60, uses: 1))
            }
            _ = try await alice2.agent.handlers.moveAnchor(.init(direction: .back, path: outside))
            try await until("tokens are made again") {
                await alice2.plane.node.trust.domains.anchor != nil
            }
            _ = try await token(of: alice2, in: mesh, uses: 2)
        }
    }

    @Test("a used-up token enrols nobody, and the issuer's operator finds why")
    func usedUp() async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.start("alice")
            _ = try await alice.agent.handlers.createDomain(.init(name: try #require(acme), roles: []))
            let path = try await token(of: alice, in: mesh, uses: 1)
            let bob = try await member("bob", token: path, seeds: [alice], in: mesh)
            try await bob.linked(with: alice)
            let carol = try await member("carol", token: path, seeds: [alice], in: mesh)
            try await until("the refusal is in both trails") {
                let here = try await alice.events().contains { $0.event.refusals.first?.code == .tokenUsed }
                let there = try await carol.events().contains { $0.event.refusals.first?.code == .tokenUsed }
                return here && there
            }
            #expect(await carol.plane.node.trust.domains.home == nil)
            #expect(await carol.plane.node.trust.pins.peers.isEmpty)
            let attention = await carol.agent.handlers.status().attention.map(\.what)
            #expect(
                attention.contains {
                    $0.contains("acme has enrolled this node yet") && $0.contains("token-used")
                })
        }
    }

    @Test("an agent does not start with a token that cannot be read, or that others may read")
    func unreadable() async throws {
        try await TestMesh.with { mesh in
            let path = mesh.folder.file("open.token")
            for (text, mode) in [("{}", 0o600), ("{}", 0o644)] {
                let isMade = FileManager.default.createFile(
                    atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: mode])
                #expect(isMade)
                await #expect(throws: CredentialError.self) {
                    _ = try await mesh.start("bob", environment: ["COMITY_JOIN_FILE": path])
                }
            }
            await #expect(throws: AgentFailure.self) {
                _ = try await mesh.start("bob", environment: ["COMITY_JOIN": "nonsense"])
            }
        }
    }
}
