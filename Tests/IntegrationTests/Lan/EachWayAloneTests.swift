import Foundation
import MeshBase
import MeshControl
import Testing

@testable import MeshAgent

/// From nothing: three nodes that never met and have a token, and one way to find each other.
@Suite(
    "Three hosts that have one way to find each other", .serialized, .timeLimit(.minutes(2)),
    .enabled(if: LanDomain.isPossible && ConsulServer.isPossible && ZoneServer.isPossible, LanDomain.why))
struct EachWayAloneTests {
    private func mesh(
        by method: String, over family: IPFamily = .four, _ settings: [String: String],
        prepare: (LanDomain) async throws -> Void = { _ in }
    ) async throws {
        try await LanDomain.with(hosts: 3) { domain in
            if family == .six { try await domain.lab.leaveOnlySix(on: 1...3) }
            try await prepare(domain)
            let environment = ["COMITY_DISCOVERY_AVAHI": "off"].merging(settings) { $1 }
            let members = try (1...3).map { try domain.boot($0, environment: environment) }
            let took = try await members.allCallable(within: .seconds(60))
            print(String(format: "by %@ alone: all calls answered after %.1f s", method, took.inSeconds))
            for member in members {
                let status = try #require(await member.process.status())
                let used = status.discovery.filter { $0.state != .off }
                #expect(used.map(\.method) == [method] && used.map(\.state) == [.working], "\(used)")
                let addresses = status.peers.compactMap(\.address?.host)
                #expect(addresses.count == 2)
                #expect(addresses.allSatisfy { $0.contains(":") || family == .four }, "\(addresses)")
            }
        }
    }

    private enum IPFamily { case four, six }

    @Test("by mDNS alone, over IPv6 alone, trust and can call each other")
    func multicast() async throws {
        try await mesh(by: "mdns", over: .six, ["COMITY_DISCOVERY_AVAHI": "on"])
    }

    @Test("by a list of addresses alone trust and can call each other")
    func list() async throws {
        let places = (1...3).map { "10.86.0.\($0):7410" }.joined(separator: ",")
        try await mesh(by: "static", ["COMITY_DISCOVERY_STATIC": places])
    }

    @Test("by a zone alone, over IPv6 alone, trust and can call each other")
    func zone() async throws {
        let server = "[\(LanLab.sixAddress(1))]:5300"
        let settings = ["COMITY_DISCOVERY_DNS_DOMAINS": "mesh", "COMITY_DISCOVERY_DNS_SERVER": server]
        try await mesh(by: "dns", over: .six, settings) { domain in
            var entries: [ZoneServer.Entry] = []
            for host in 1...3 {
                entries.append(
                    ZoneServer.Entry(
                        label: "node\(host)", endpoint: Endpoint(host: LanLab.sixAddress(host), port: 7_410),
                        text: PublicTag(of: try await domain.identity(of: host)).zoneText))
            }
            let zone = try ZoneServer(
                entries, at: Endpoint(host: LanLab.sixAddress(1), port: 5_300),
                prefix: domain.lab.prefix(host: 1))
            domain.mesh.atEnd { zone.kill() }
        }
    }

    @Test("by Consul alone trust and can call each other")
    func consul() async throws {
        try await mesh(by: "consul", ["COMITY_DISCOVERY_CONSUL_URL": "http://10.86.0.1:8500"]) { domain in
            _ = try await ConsulServer.start(
                in: domain.mesh, listen: "10.86.0.1:8500", prefix: domain.lab.prefix(host: 1))
        }
    }
}
