import Foundation
import MeshBase
import MeshControl
import Testing

@testable import MeshAgent

/// Unicast DNS alone: no mDNS, no list, no addresses from before, and no IPv4.
@Suite(
    "Two agents whose zone lists them",
    .enabled(if: ZoneServer.isPossible, Comment(rawValue: ZoneServer.why)))
struct ZoneTests {
    @Test(
        "find each other by it alone, over IPv6 alone, and keep their mesh when the name server dies",
        .timeLimit(.minutes(2)))
    func findEachOther() async throws {
        try await TestMesh.with { mesh in
            let (alice, bob) = try await befriended(in: mesh)
            let ports = try [FreePort.find(), FreePort.find()]
            let zone = try ZoneServer([
                entry("Alice One", ports[0], PublicTag(of: alice).zoneText),
                entry("bob", ports[1], PublicTag(of: bob).zoneText),
            ])
            mesh.atEnd { zone.kill() }
            let first = try await start("alice", ports[0], zone, in: mesh)
            let second = try await start("bob", ports[1], zone, in: mesh)
            try await first.linked(with: second, within: .seconds(30))
            let report = try #require(
                first.agent.handlers.surroundings.discovery(at: SystemClock.now().instant)
                    .first { $0.method == "dns" })
            #expect(report.state == .working)
            #expect(report.detail == "mesh at \(zone.endpoint): 2 instances")

            zone.kill()
            await second.stop()
            let third = try await start("bob", ports[1], zone, in: mesh)
            try await first.linked(with: third, within: .seconds(30))
            try await until("the dead name server is named", within: .seconds(60)) {
                let reports = third.agent.handlers.surroundings.discovery(at: SystemClock.now().instant)
                return reports.contains { $0.method == "dns" && $0.detail.contains("nothing listens there") }
            }
            #expect(await first.link(with: bob) != nil)
        }
    }

    @Test("which the zone does not list says what it would have to say", .timeLimit(.minutes(1)))
    func unlisted() async throws {
        try await TestMesh.with { mesh in
            let zone = try ZoneServer([entry("bob", 7_410, "\"v=1\" \"t=AAECAwQFBgc\"")])
            mesh.atEnd { zone.kill() }
            let alone = try await start("alice", try FreePort.find(), zone, in: mesh)
            let text = PublicTag(of: alone.node).zoneText
            try await until("the TXT that is missing is shown", within: .seconds(30)) {
                let reports = alone.agent.handlers.surroundings.discovery(at: SystemClock.now().instant)
                return reports.contains { $0.method == "dns" && $0.detail.hasSuffix(text) }
            }
        }
    }

    private func entry(_ label: String, _ port: UInt16, _ text: String) -> ZoneServer.Entry {
        .init(label: label, endpoint: Endpoint(host: "::1", port: port), text: text)
    }

    /// Two homes that trust each other; where they were then nobody listens any more.
    private func befriended(in mesh: TestMesh) async throws -> (NodeID, NodeID) {
        let (alice, bob) = try await mesh.pair()
        let nodes = (alice.node, bob.node)
        await alice.stop()
        await bob.stop()
        return nodes
    }

    private func start(
        _ name: String, _ port: UInt16, _ zone: ZoneServer, in mesh: TestMesh
    ) async throws -> RunningAgent {
        try await mesh.start(
            name, listen: "[::1]:\(port)",
            environment: [
                "COMITY_DISCOVERY_DNS_DOMAINS": "mesh",
                "COMITY_DISCOVERY_DNS_SERVER": zone.endpoint.description,
                "COMITY_DISCOVERY_ALLOW_LOOPBACK": "on",
            ])
    }
}
