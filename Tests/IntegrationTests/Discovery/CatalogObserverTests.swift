import Foundation
import MeshBase
import MeshControl
import Testing

@testable import MeshAgent

/// Somebody who holds no credentials, and reads whatever the operators' own directories hold of a node.
@Suite(
    "Who reads the zone and Consul's catalog", .timeLimit(.minutes(1)),
    .enabled(
        if: ConsulServer.isPossible && ZoneServer.isPossible && Program.isHere,
        Comment(rawValue: ZoneServer.why + ", python3")))
struct CatalogObserverTests {
    @Test("learns an address, a version and a tag: no name, no node ID, no organisation, no resource")
    func learnsLittle() async throws {
        try await TestMesh.with { mesh in
            let consul = try await ConsulServer.start(in: mesh)
            // Another node's entry, since a zone without any has no such name.
            let zone = try ZoneServer([
                ZoneServer.Entry(
                    label: "other", endpoint: Endpoint(host: "::1", port: 7_410),
                    text: "\"v=1\" \"t=AAECAwQFBgc\"")
            ])
            mesh.atEnd { zone.kill() }
            let victim = try await mesh.start(
                "marlene",
                environment: [
                    "COMITY_DISCOVERY_CONSUL_URL": consul.url, "COMITY_DISCOVERY_DNS_DOMAINS": "mesh",
                    "COMITY_DISCOVERY_DNS_SERVER": zone.endpoint.description,
                    "COMITY_DISCOVERY_ALLOW_LOOPBACK": "on",
                ])
            let domain = try await victim.agent.handlers.createDomain(
                .init(name: try #require(NodeName("steinbruch")), roles: []))
            let added = try await Command.comity(
                "resource", "add", "geheimsache", "--url", "http://127.0.0.1:9", "--capability",
                "lesen=GET /lesen safe", "--offer-to", "domain", "--home", victim.home.path)
            #expect(added.status == 0, "\(added)")
            let catalog = try await eventually("the node is in the catalog", within: .seconds(20)) {
                let catalog = try await consul.catalog()
                return catalog.contains("\"\(PublicTag.tagKey)\"") ? catalog : nil
            }
            // A node writes nothing into a zone. It asks its operator for one TXT, and that is all.
            let told = try await eventually("it says what the zone should say", within: .seconds(20)) {
                await victim.agent.handlers.status().discovery.first { report in
                    report.method == "dns" && report.detail.contains("\"v=1\"")
                }?.detail
            }
            let text = PublicTag(of: victim.node).zoneText
            #expect(told.hasSuffix(text), "\(told)")
            print("zone   TXT \(text)\nconsul \(catalog)")
            let secrets =
                ["marlene", "steinbruch", "geheimsache", "lesen"]
                + [domain.id.description, victim.node.description].map { String($0.dropFirst().prefix(8)) }
            for secret in secrets {
                #expect(
                    !catalog.lowercased().contains(secret) && !text.contains(secret), "\(secret) is there")
            }
        }
    }
}
