import Foundation
import MeshBase
import MeshControl
import MeshDiscovery
import Testing

@testable import MeshAgent

@Suite(
    "Two agents that only Consul brings together", .serialized, .timeLimit(.minutes(2)),
    .enabled(if: ConsulServer.isPossible, "needs /usr/bin/python3"))
struct ConsulMeshTests {
    /// Two who trust each other, started anew at other ports with nothing but Consul to find each other by.
    private func friends(
        in mesh: TestMesh, listen: String = "127.0.0.1:0", _ environment: [String: String]
    ) async throws -> (RunningAgent, RunningAgent) {
        let first = try await mesh.start("alice", listen: listen)
        let second = try await mesh.start("bob", listen: listen)
        try await second.join(first)
        await first.stop()
        await second.stop()
        let settings = environment.merging(["COMITY_DISCOVERY_ALLOW_LOOPBACK": "on"]) { $1 }
        let alice = try await mesh.start("alice", listen: listen, environment: settings)
        let bob = try await mesh.start("bob", listen: listen, environment: settings)
        return (alice, bob)
    }

    private func consul(of agent: RunningAgent) async -> DiscoveryReport? {
        await agent.agent.handlers.status().discovery.first { $0.method == "consul" }
    }

    private func witnesses(of peer: RunningAgent, at agent: RunningAgent) async -> [Witness] {
        let seen = await agent.plane.node.discovery.peer(peer.node, at: SystemClock.now().instant)
        return seen?.hints.map(\.key.witness) ?? []
    }

    @Test("have a link, show who brought them together, and keep it when Consul is killed")
    func together() async throws {
        try await TestMesh.with { mesh in
            let server = try await ConsulServer.start(in: mesh)
            let (alice, bob) = try await friends(
                in: mesh, ["FEDERATION_DISCOVERY_METHOD": "consul", "FEDERATION_CONSUL_URL": server.url])
            try await alice.linked(with: bob, within: .seconds(30))
            // The one who was dialled has a link before it has read of the other.
            for (agent, peer) in [(alice, bob), (bob, alice)] {
                try await until("\(agent.identity.name) has the other from Consul") {
                    await witnesses(of: peer, at: agent).contains(.consul)
                }
            }
            let works = try #require(await consul(of: alice))
            #expect(works.state == .working && works.detail.hasSuffix("registered"), "\(works)")
            #expect(works.answerMilliseconds != nil)
            let counts = try #require(alice.agent.handlers.surroundings.meter.snapshot["consul"])
            #expect(counts.successes > 0 && counts.durations.buckets.reduce(0, +) > 0)

            server.kill()
            for agent in [alice, bob] {
                try await until("the loss of Consul is noticed", within: .seconds(60)) {
                    await consul(of: agent)?.state == .failing
                }
            }
            #expect(await alice.link(with: bob.node) != nil)
            #expect(await bob.link(with: alice.node) != nil)
            #expect(await witnesses(of: bob, at: alice).contains(.consul))
        }
    }

    @Test(
        "show in its catalog a version and a tag, and neither name nor node ID; none takes itself for a peer")
    func discretion() async throws {
        try await TestMesh.with { mesh in
            let server = try await ConsulServer.start(in: mesh)
            let (alice, bob) = try await friends(
                in: mesh,
                [
                    "COMITY_DISCOVERY_CONSUL_URL": server.url,
                    "COMITY_DISCOVERY_CONSUL_METADATA": "region=eu",
                ])
            try await alice.linked(with: bob, within: .seconds(30))
            let catalog = try await server.catalog()
            for agent in [alice, bob] {
                #expect(!catalog.contains(agent.node.description))
                #expect(!catalog.contains(agent.identity.name.description))
                let peers = await agent.plane.node.discovery.peers(at: SystemClock.now().instant)
                #expect(peers.count == 1)
            }
            let metadata = catalog.matches(of: /"Meta": \{("[^}]*)\}/).map { String($0.1) }
            #expect(metadata.count == 2)
            for pairs in metadata {
                let keys = pairs.matches(of: /"(\w+)":/).map { String($0.1) }
                #expect(Set(keys) == ["v", "t", "region"])
            }
            await bob.stop()
            try await until("bob has taken itself back") {
                try await server.catalog().components(separatedBy: "\"Service\": {").count == 2
            }
        }
    }

    @Test("have a link over IPv6 alone")
    func six() async throws {
        try await TestMesh.with { mesh in
            let server = try await ConsulServer.start(in: mesh, listen: "[::1]:0")
            let (alice, bob) = try await friends(
                in: mesh, listen: "[::1]:0", ["COMITY_DISCOVERY_CONSUL_URL": server.url])
            try await alice.linked(with: bob, within: .seconds(30))
            #expect(await alice.link(with: bob.node)?.remote.host == "::1")
        }
    }

    @Test("have a link with the token of a file, and are told what is missing without one")
    func token() async throws {
        try await TestMesh.with { mesh in
            let server = try await ConsulServer.start(in: mesh, ["--token", "open-sesame"])
            let url = ["COMITY_DISCOVERY_CONSUL_URL": server.url]
            let file = mesh.folder.file("token")
            let made = FileManager.default.createFile(
                atPath: file, contents: Data("open-sesame\n".utf8), attributes: [.posixPermissions: 0o600])
            #expect(made)
            let stranger = try await mesh.start("carol", environment: url)
            let denied = try await eventually("carol is told") {
                let report = await consul(of: stranger)
                return report?.state == .failing ? report?.detail : nil
            }
            #expect(denied.contains("service:write"), "\(denied)")

            let (alice, bob) = try await friends(
                in: mesh, url.merging(["COMITY_DISCOVERY_CONSUL_TOKEN_FILE": file]) { $1 })
            try await alice.linked(with: bob, within: .seconds(30))
            try await until("carol is told that something is kept back", within: .seconds(60)) {
                await consul(of: stranger)?.detail.contains("service:read") ?? false
            }

            let open = mesh.folder.file("open")
            #expect(
                FileManager.default.createFile(
                    atPath: open, contents: Data("open-sesame".utf8), attributes: [.posixPermissions: 0o644]))
            let careless = try await mesh.start(
                "dave", environment: url.merging(["COMITY_DISCOVERY_CONSUL_TOKEN_FILE": open]) { $1 })
            let refused = try await eventually("dave is told") {
                let report = await consul(of: careless)
                return report?.state == .failing ? report?.detail : nil
            }
            #expect(refused.contains("chmod 600") && !refused.contains("sesame"), "\(refused)")
        }
    }
}
