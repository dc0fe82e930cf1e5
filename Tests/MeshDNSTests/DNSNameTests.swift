import MeshBase
import Testing

@testable import MeshDNS

@Suite("Domain name")
struct DNSNameTests {
    @Test("is compared without case, in ASCII and no further")
    func foldsCase() {
        #expect(DNSName("Node-One._Comity._TCP.Example.ORG") == DNSName("node-one._comity._tcp.example.org."))
        #expect(DNSName("\\195\\132.m") != DNSName("\\195\\164.m"))
    }

    @Test("is written and read with escapes, whatever bytes it holds")
    func escapes() throws {
        let name = try #require(
            DNSName(labels: [Array("Node one.a\\b".utf8), [0, 7, 200], Array("m".utf8)]))
        #expect(name.description == "node\\032one\\.a\\\\b.\\000\\007\\200.m")
        #expect(DNSName(name.description) == name)
        #expect(DNSName("a\\.b")?.labels.count == 1)
        #expect(DNSName(".")?.labels == [])
    }

    @Test(
        "is none with an empty label, an escape that is none, or nothing",
        arguments: ["", "a..b", ".a", "a\\", "a\\1", "a\\25", "a\\300", "a\\25x"])
    func refuses(text: String) { #expect(DNSName(text) == nil) }

    @Test("has labels of 63 bytes and 255 bytes in all, and not one more")
    func isBounded() {
        let label = String(repeating: "a", count: 63)
        #expect(DNSName("\(label).m") != nil)
        #expect(DNSName("a\(label).m") == nil)
        let longest = [label, label, label, String(repeating: "a", count: 61)].joined(separator: ".")
        #expect(DNSName(longest)?.bytes.count == 255)
        #expect(DNSName(longest + "a") == nil)
    }

    @Test("a name server is named by its address")
    func servers() {
        for host in ["192.0.2.53", "::1", "fe80::1%not-yet"] {
            #expect(DNSConfiguration.canAsk(Endpoint(host: host, port: 53)))
        }
        for host in ["ns.example.org", "localhost", ""] {
            #expect(!DNSConfiguration.canAsk(Endpoint(host: host, port: 53)))
        }
        #expect(!DNSConfiguration.canAsk(Endpoint(host: "::1", port: 0)))
    }

    @Test("a service is asked for under its domain, which must be one")
    func configures() {
        let configuration = DNSConfiguration(domain: "Mesh.example.org.", server: nil)
        #expect(configuration?.service == DNSName("_comity._tcp.mesh.example.org"))
        #expect(DNSConfiguration(domain: "", server: nil) == nil)
        #expect(DNSConfiguration(domain: ".", server: nil) == nil)
        #expect(DNSConfiguration(domain: "a..b", server: nil) == nil)
    }
}
