import Foundation
import MeshBase
import MeshControl
import Testing

@testable import MeshAgent

/// All ways to find peers at once: mDNS, a zone, the operator's list.
@Suite(
    "Three hosts that find each other in every way", .serialized,
    .enabled(
        if: LanLab.isPossible && Program.isHere && ZoneServer.isPossible,
        "needs root, iproute2, nftables, dbus-daemon, avahi-daemon, dnsmasq, and the program beside this"))
struct EveryWayTests {
    @Test(
        "keep their mesh while each way dies in turn, and find a restarted peer by those that are left",
        .timeLimit(.minutes(4)))
    func survives() async throws {
        let zones = Zones()
        try await Lan.with(prepare: { lan, mesh in
            try await zones.start(in: lan, mesh)
            for index in 0..<3 { try writeConfiguration(of: index, in: lan) }
        }) { lan in
            try await lan.allLinked(within: .seconds(30))
            try await until("one peer is known by all three ways", within: .seconds(20)) {
                let peers = await lan.process(0)?.status()?.peers ?? []
                let ways = peers.first { $0.id == lan.nodes[1] }?.witnesses.map { $0.witness } ?? []
                return ["mdns", "dns", "static"].allSatisfy { way in ways.contains { $0.hasPrefix(way) } }
            }

            for host in ["1", "2", "3"] { try await lan.lab.run("avahi-kill", host) }
            try await stays(lan, restarting: 1)
            await zones.kill()
            try await stays(lan, restarting: 2)
            for host in ["1", "2", "3"] { try await lan.lab.run("avahi-start", host) }
            try await until("mDNS works again", within: .seconds(30)) {
                let ways = await lan.process(0)?.status()?.discovery ?? []
                return ways.contains { $0.method == "mdns" && $0.state == .working }
            }
            try await lan.allLinked(within: .seconds(20))
        }
    }

    /// Nobody lost anybody, and who is killed and started again is linked again.
    private func stays(_ lan: Lan, restarting index: Int) async throws {
        try await lan.allLinked(within: .seconds(5))
        try await lan.kill(index)
        try await lan.start(index, port: 7_410)
        try await lan.allLinked(within: .seconds(20))
    }

    private func writeConfiguration(of index: Int, in lan: Lan) throws {
        let others = (0..<3).filter { $0 != index }.map { other in
            "\"\(lan.nodes[other])@\(lan.lab.address(other + 1)):7410\""
        }
        let text = """
            discovery:
              static: [\(others.joined(separator: ", "))]
              dns: { domains: [mesh], server: "\(lan.lab.address(1)):5300" }
            """
        try text.write(toFile: Home(path: lan.homes[index]).configuration, atomically: true, encoding: .utf8)
    }
}

/// The name server of the first host.
private actor Zones {
    private var server: ZoneServer?

    func start(in lan: Lan, _ mesh: TestMesh) throws {
        let entries = lan.nodes.enumerated().map { index, node in
            ZoneServer.Entry(
                label: "node\(index)", endpoint: Endpoint(host: lan.lab.address(index + 1), port: 7_410),
                text: PublicTag(of: node).zoneText)
        }
        let server = try ZoneServer(
            entries, at: Endpoint(host: lan.lab.address(1), port: 5_300), prefix: lan.lab.prefix(host: 1))
        mesh.atEnd { server.kill() }
        self.server = server
    }

    func kill() { server?.kill() }
}
