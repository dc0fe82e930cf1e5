import Foundation
import MeshBase
import MeshControl
import Testing

@testable import MeshAgent

/// All ways to find peers at once: mDNS, a zone, Consul, and the list of a file.
@Suite(
    "Three hosts that find each other in every way", .serialized,
    .enabled(
        if: LanDomain.isPossible && ZoneServer.isPossible && ConsulServer.isPossible,
        "needs root, iproute2, nftables, dbus-daemon, avahi-daemon, dnsmasq, python3, the program beside this"
    ))
struct EveryWayTests {
    @Test(
        "keep their mesh while each way dies in turn, and find a restarted peer by those that are left",
        .timeLimit(.minutes(4)))
    func survives() async throws {
        let servers = Servers()
        try await Lan.with(prepare: { lan, mesh in
            try await servers.start(in: lan, mesh)
            for index in 0..<3 { try writeConfiguration(of: index, in: lan) }
        }) { lan in
            try await lan.allLinked(within: .seconds(30))
            try await until("one peer is known by all four ways", within: .seconds(20)) {
                let peers = await lan.process(0)?.status()?.peers ?? []
                let ways = peers.first { $0.id == lan.nodes[1] }?.witnesses.map { $0.witness } ?? []
                return ["mdns", "dns", "static", "consul"].allSatisfy { way in
                    ways.contains { $0.hasPrefix(way) }
                }
            }

            for host in ["1", "2", "3"] { try await lan.lab.run("avahi-kill", host) }
            try await stays(lan, restarting: 1)
            await servers.killZone()
            try await stays(lan, restarting: 2)
            await servers.killConsul()
            try await stays(lan, restarting: 0)
            for index in 0..<3 {
                try "[]".write(toFile: Self.list(of: index, in: lan), atomically: true, encoding: .utf8)
                let reloaded = try await Command.comity("config", "reload", "--home", lan.homes[index])
                #expect(reloaded.status == 0, "\(reloaded)")
            }
            // Nothing shows anybody now; each knows where the others were.
            try await stays(lan, restarting: 1)

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

    private static func list(of index: Int, in lan: Lan) -> String { lan.homes[index] + "/peers.json" }

    private func writeConfiguration(of index: Int, in lan: Lan) throws {
        let others = (0..<3).filter { $0 != index }.map { other in
            "\"\(lan.nodes[other])@\(lan.lab.address(other + 1)):7410\""
        }
        let list = "[\(others.joined(separator: ", "))]"
        try list.write(toFile: Self.list(of: index, in: lan), atomically: true, encoding: .utf8)
        let text = """
            discovery:
              staticFile: peers.json
              dns: { domains: [mesh], server: "\(lan.lab.address(1)):5300" }
              consul: { url: "http://\(lan.lab.address(1)):8500" }
            """
        try text.write(toFile: Home(path: lan.homes[index]).configuration, atomically: true, encoding: .utf8)
    }
}

/// The name server and the Consul of the first host.
private actor Servers {
    private var zone: ZoneServer?
    private var consul: ConsulServer?

    func start(in lan: Lan, _ mesh: TestMesh) async throws {
        let entries = lan.nodes.enumerated().map { index, node in
            ZoneServer.Entry(
                label: "node\(index)", endpoint: Endpoint(host: lan.lab.address(index + 1), port: 7_410),
                text: PublicTag(of: node).zoneText)
        }
        let prefix = lan.lab.prefix(host: 1)
        let zone = try ZoneServer(
            entries, at: Endpoint(host: lan.lab.address(1), port: 5_300), prefix: prefix)
        mesh.atEnd { zone.kill() }
        self.zone = zone
        consul = try await ConsulServer.start(
            in: mesh, listen: "\(lan.lab.address(1)):8500", prefix: prefix)
    }

    func killZone() { zone?.kill() }
    func killConsul() { consul?.kill() }
}
