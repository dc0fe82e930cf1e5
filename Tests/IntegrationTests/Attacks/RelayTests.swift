import MeshAudit
import MeshBase
import MeshCredentials
import MeshDiscovery
import MeshNode
import MeshTrust
import Testing

@testable import MeshAgent
@testable import MeshLink

@Suite("A relay between two honest agents", .timeLimit(.minutes(1)))
struct RelayTests {
    /// Alice and Bob trust each other, but Bob can reach Alice only where the relay listens.
    private func attack(
        _ makeRelay: (_ alice: RunningAgent, _ bob: RunningAgent) async throws -> Relay,
        refusedBy code: RefusalCode
    ) async throws {
        try await TestMesh.with { mesh in
            let (alice, bob) = try await strangersToEachOthersPorts(in: mesh)
            let relay = try await makeRelay(alice, bob)
            mesh.atEnd { await relay.end() }
            bob.agent.ground.inputs.post(.sighted(sighting(of: alice, at: try await relay.listen())))
            try await until("the relay is dialled twice", within: .seconds(20)) { relay.dialled >= 2 }
            try await until("somebody finds it out") {
                let seen = try await alice.events() + bob.events()
                return seen.contains { $0.event.refusals.first?.code == code }
            }
            #expect(await bob.link(with: alice.node) == nil)
            #expect(await alice.link(with: bob.node) == nil)
            #expect(alice.transport.counts.admitted == 0)
            #expect(await alice.state(of: bob.node) == .trusted)
            #expect(await bob.state(of: alice.node) == .trusted)
        }
    }

    @Test("gets nothing with Alice's statement copied into a leaf of its own")
    func copiedStatement() async throws {
        try await attack(
            { alice, bob in
                let statement = try statement(of: alice)
                return try Relay(
                    front: try Forgery.copying(statement),
                    back: try Forgery.copying(try self.statement(of: bob)),
                    to: alice.link)
            }, refusedBy: .identityStatementInvalid)
    }

    @Test("gets nothing as a node in its own right")
    func ownIdentity() async throws {
        try await attack(
            { alice, _ in
                let mallory = try Persona("mallory")
                return try Relay(front: mallory.credentials, back: mallory.credentials, to: alice.link)
            }, refusedBy: .identityMismatch)
    }

    @Test("gets nothing with Alice's stolen TLS key and Bob's statement copied")
    func stolenFromListener() async throws {
        try await attack(
            { alice, bob in
                try Relay(
                    front: credentials(of: alice), back: try Forgery.copying(try statement(of: bob)),
                    to: alice.link)
            }, refusedBy: .identityStatementInvalid)
    }

    @Test("gets nothing with Alice's stolen TLS key, trusted by Alice itself")
    func insider() async throws {
        try await attack(
            { alice, _ in
                let mallory = try Persona("mallory")
                try await mallory.join(alice)
                return try Relay(front: credentials(of: alice), back: mallory.credentials, to: alice.link)
            }, refusedBy: .identityMismatch)
    }

    @Test("gets nothing with Bob's stolen TLS key")
    func stolenFromDialler() async throws {
        try await attack(
            { alice, bob in
                try Relay(
                    front: try Forgery.copying(try statement(of: alice)), back: credentials(of: bob),
                    to: alice.link)
            }, refusedBy: .identityStatementInvalid)
    }

    /// What protocol section 2 names as the limit, until the leaves expire; it shows that the relay relays.
    @Test("gets a link only with the stolen TLS keys of both at once")
    func bothStolen() async throws {
        try await TestMesh.with { mesh in
            let (alice, bob) = try await strangersToEachOthersPorts(in: mesh)
            let relay = try Relay(front: credentials(of: alice), back: credentials(of: bob), to: alice.link)
            mesh.atEnd { await relay.end() }
            bob.agent.ground.inputs.post(.sighted(sighting(of: alice, at: try await relay.listen())))
            try await until("both ends admit it") {
                alice.transport.counts.admitted > 0 && bob.transport.counts.admitted > 0
            }
        }
    }

    /// Trust remains; where the other listens neither knows any more.
    private func strangersToEachOthersPorts(in mesh: TestMesh) async throws -> (RunningAgent, RunningAgent) {
        let (alice, bob) = try await mesh.pair()
        await alice.stop()
        await bob.stop()
        return (try await mesh.start("alice"), try await mesh.start("bob"))
    }

    /// A lie about where somebody is.
    private func sighting(of agent: RunningAgent, at endpoint: Endpoint) -> Sighting {
        Sighting(
            key: SightingKey(witness: .staticList, source: "relay"), endpoints: [endpoint],
            claim: .node(agent.node), life: nil)
    }

    /// What a thief in the agent's memory would find.
    private func credentials(of agent: RunningAgent) -> LinkCredentials {
        agent.transport.state.withLock { $0.credentials }
    }

    private func statement(of agent: RunningAgent) throws -> IdentityStatement {
        try CertificateReader.facts(der: credentials(of: agent).certificate).statement
    }
}
