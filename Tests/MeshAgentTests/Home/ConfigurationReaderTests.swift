import Foundation
import MeshBase
import MeshRouting
import Testing

@testable import MeshAgent

@Suite("The configuration")
struct ConfigurationReaderTests {
    @Test("needs no file: the defaults work")
    func defaults() {
        for yaml in [nil, "", "\n", "# nothing yet\n", "---\n"] {
            let reading = readConfiguration(yaml)
            #expect(reading.problems == [])
            #expect(reading.configuration == AgentConfiguration(name: sampleHost))
            #expect(reading.values.allSatisfy { $0.origin == .standard })
        }
    }

    @Test("is read from every setting of the file")
    func everySetting() throws {
        let reading = readConfiguration(
            """
            name: alpha
            listen: "[::]:7500"
            advertise: [mesh.example.org:443, "[2001:db8::1]:7410"]
            discovery:
              avahi: off
              static:
                - 192.0.2.1:7410
                - endpoint: peer.example:7410
                  node: \(sampleNode)
                - \(sampleNode)@192.0.2.2:7410
              allowLoopback: on
              staticFile: peers.json
              sightingLife: 5m
              consul:
                url: https://consul.example:8501/
                service: mesh
                datacenter: dc2
                announce: off
                metadata: { region: eu }
                require: { region: eu, stage: live }
                tokenFile: consul.token
                caFile: /etc/consul/ca.pem
                certificateFile: consul.pem
                keyFile: consul.key
              dns:
                domains: [Example.ORG., lab]
                server: "[2001:db8::53]:5353"
            gateway:
              listen: 127.0.0.1:7600
              access: token
              principals:
                port: [web]
                1000: [alice, batch]
              users:
                1000: alice
            agreements:
              autoAccept: none
              requireApprovals: [accountable, consulted]
            policy:
              url: https://opa.example:8181
              rule: mesh/calls
              asks: provider
              timeout: 2s
              cache: 10s
              tokenFile: opa.token
              caFile: /etc/opa/ca.pem
            calls:
              perPeer: 100/s:200
              perPrincipal: 6000/m
            echo: off
            audit:
              days: 30
              bytes: 512 MiB
            log:
              level: debug
              format: json
            mcp:
              servers: { files: [/usr/bin/files, --root] }
            """)
        #expect(reading.problems == [])
        let configuration = reading.configuration
        #expect(configuration.mcp.servers[ResourceName("files")!] == ["/usr/bin/files", "--root"])
        #expect(configuration.name.description == "alpha")
        #expect(configuration.listen == Endpoint(host: "::", port: 7500))
        #expect(
            configuration.advertise == [
                Endpoint(host: "mesh.example.org", port: 443), Endpoint(host: "2001:db8::1", port: 7410),
            ])
        #expect(!configuration.discovery.isAvahiOn)
        #expect(
            configuration.discovery.static == [
                .init(endpoint: Endpoint(host: "192.0.2.1", port: 7410)),
                .init(endpoint: Endpoint(host: "peer.example", port: 7410), node: sampleNode),
                .init(endpoint: Endpoint(host: "192.0.2.2", port: 7410), node: sampleNode),
            ])
        #expect(configuration.discovery.allowsLoopback)
        #expect(configuration.discovery.listed.map(\.endpoint.host) == ["listed.example"])
        #expect(configuration.discovery.sightingLife == .seconds(300))
        let consul = configuration.discovery.consul
        #expect(consul.url?.isEncrypted == true)
        #expect(consul.url?.endpoint == Endpoint(host: "consul.example", port: 8501))
        #expect(consul.service == "mesh" && consul.datacenter == "dc2" && !consul.announces)
        #expect(consul.metadata["region"] == "eu" && consul.metadata.count == 1)
        #expect(consul.required["stage"] == "live" && consul.required.count == 2)
        #expect(consul.tokenFile == "consul.token" && consul.authorityFile == "/etc/consul/ca.pem")
        #expect(consul.certificateFile == "consul.pem" && consul.keyFile == "consul.key")
        #expect(configuration.discovery.dns.domains == ["example.org", "lab"])
        #expect(configuration.discovery.dns.server == Endpoint(host: "2001:db8::53", port: 5353))
        #expect(configuration.gateway.listen == Endpoint(host: "127.0.0.1", port: 7600))
        #expect(configuration.gateway.access == .token)
        #expect(configuration.gateway.principals[.port]?.map(\.description) == ["web"])
        #expect(configuration.gateway.principals[.user(1000)]?.map(\.description) == ["alice", "batch"])
        #expect(configuration.gateway.users[1000]?.description == "alice")
        #expect(configuration.agreements.autoAccept == .none)
        #expect(configuration.agreements.requireApprovals == [.accountable, .consulted])
        let policy = configuration.policy
        #expect(policy.url?.endpoint == Endpoint(host: "opa.example", port: 8181))
        #expect(policy.rule == "mesh/calls" && policy.asks == .provider)
        #expect(policy.timeout == .seconds(2) && policy.cache == .seconds(10))
        #expect(policy.tokenFile == "opa.token" && policy.authorityFile == "/etc/opa/ca.pem")
        #expect(configuration.calls.perPeer == CallRate(calls: 100, seconds: 1, burst: 200))
        #expect(configuration.calls.perPrincipal == CallRate(calls: 6_000, seconds: 60, burst: 6_000))
        #expect(!configuration.isEchoOffered)
        #expect(configuration.audit == .init(days: 30, bytes: 512 << 20))
        #expect(configuration.log == .init(level: .debug, format: .json))
        #expect(reading.origin(of: "gateway.access") == .file(line: 30))
        #expect(reading.values.count == Setting.all.count)
        #expect(reading.values.allSatisfy { $0.origin != .standard })
    }

    @Test("is shown in the form in which the environment sets it")
    func roundTrip() {
        let first = readConfiguration(
            """
            name: alpha
            discovery: { static: [192.0.2.1:7410, "\(sampleNode)@192.0.2.2:7410"] }
            gateway: { principals: { port: [web], 7: [a, b] }, users: { 7: a } }
            audit: { bytes: 96 MiB }
            """)
        let environment = Dictionary(uniqueKeysWithValues: first.values.map { ($0.variable, $0.text) })
        let second = readConfiguration(nil, environment)
        #expect(first.problems == [] && second.problems == [])
        #expect(second.configuration == first.configuration)
        #expect(second.notices == [])
    }

    @Test("takes the environment over the file, the options over both, and says which")
    func precedence() {
        let yaml = "name: file\nlisten: 127.0.0.1:1\ngateway:\n  listen: 127.0.0.1:2\n"
        let environment = ["COMITY_LISTEN": "127.0.0.1:3", "COMITY_NAME": "environment", "COMITY_ECHO": ""]
        let reading = readConfiguration(
            yaml, environment, ConfigurationOptions(name: "option", advertise: ["a:1", "b:2"]))
        #expect(reading.problems == [])
        #expect(reading.configuration.name.description == "option")
        #expect(reading.origin(of: "name") == .option("--name"))
        #expect(reading.configuration.listen.port == 3)
        #expect(reading.origin(of: "listen") == .environment("COMITY_LISTEN"))
        #expect(reading.origin(of: "gateway.listen") == .file(line: 4))
        #expect(reading.origin(of: "echo") == .standard)
        #expect(reading.configuration.advertise.map(\.description) == ["a:1", "b:2"])
    }

    @Test("calls each setting in the environment by its key")
    func variables() {
        #expect(Setting.all.map(\.variable).contains("COMITY_AGREEMENTS_AUTO_ACCEPT"))
        #expect(Setting.all.map(\.variable).contains("COMITY_DISCOVERY_STATIC"))
        #expect(Setting.all.map(\.variable).contains("COMITY_GATEWAY_LISTEN"))
        #expect(Set(Setting.all.map(\.variable)).count == Setting.all.count)
    }

    @Test("takes the names of the original federation, below its own, and says what is not in this version")
    func aliases() {
        let reading = readConfiguration(
            nil, ["FEDERATION_NODE_ID": "old", "FEDERATION_DISCOVERY_METHOD": "static"])
        #expect(reading.problems == [])
        #expect(reading.configuration.name.description == "old")
        #expect(!reading.configuration.discovery.isAvahiOn)
        #expect(reading.origin(of: "name") == .environment("FEDERATION_NODE_ID"))
        #expect(
            readConfiguration(nil, ["FEDERATION_NODE_ID": "old", "COMITY_NAME": "new"]).configuration.name
                .description
                == "new")

        let later = [
            "FEDERATION_CA_CERT_PATH": "/ca", "FEDERATION_NODE_CERT_PATH": "/cert",
            "FEDERATION_NODE_KEY_PATH": "/key",
        ]
        let problems = readConfiguration(nil, later).problems
        #expect(Set(problems.map(\.key)) == Set(later.keys))
        #expect(problems.allSatisfy { $0.what.hasSuffix("not in this version") })
    }

    @Test(
        "knows the original federation's methods: Consul where it was said or on this machine, DNS, no other")
    func methods() {
        let url = "FEDERATION_CONSUL_URL"
        let method = "FEDERATION_DISCOVERY_METHOD"
        let there = readConfiguration(nil, [url: "http://consul:8500", method: "consul"])
        #expect(there.problems == [])
        #expect(there.configuration.discovery.consul.url?.description == "http://consul:8500")
        #expect(!there.configuration.discovery.isAvahiOn)
        #expect(there.origin(of: "discovery.consul.url") == .environment(url))
        let here = readConfiguration(nil, [method: "consul"])
        #expect(here.configuration.discovery.consul.url?.description == "http://127.0.0.1:8500")
        let own = readConfiguration(
            nil, [url: "http://consul:8500", "COMITY_DISCOVERY_CONSUL_URL": "http://mine:1"])
        #expect(own.configuration.discovery.consul.url?.description == "http://mine:1")
        #expect(readConfiguration(nil, [method: "dns"]).problems.map(\.key) == [method])
        let domains = ["COMITY_DISCOVERY_DNS_DOMAINS": "lab"]
        #expect(readConfiguration(nil, domains.merging([method: "dns"]) { $1 }).problems == [])
        #expect(readConfiguration(nil, [method: "etcd"]).problems.map(\.key) == [method])
        #expect(readConfiguration(nil, [url: "consul:8500"]).problems.map(\.key) == ["discovery.consul.url"])
    }

    @Test("leaves variables of others alone, and notices those that look like ours")
    func otherVariables() {
        let reading = readConfiguration(
            nil,
            ["PATH": "/bin", "COMITY_HOME": "/x", "COMITY_LISTN": ":1", "COMITY_SERVICE_HOST": "10.0.0.1"])
        #expect(reading.problems == [])
        #expect(reading.notices.count == 2)
        #expect(reading.notices[0].contains("did you mean COMITY_LISTEN?"))
    }
}

@Suite("The name of the host as a node's name")
struct HostNameTests {
    @Test(
        "is its first label, with what is not allowed made fit",
        arguments: [
            ("laptop", "laptop"), ("web-1.example.org", "web-1"), ("büro", "b--ro"), ("-x", "x"),
            ("", "node"), ("...", "node"),
            ("___", "node"), (String(repeating: "a", count: 80), String(repeating: "a", count: 63)),
        ])
    func fitted(host: String, name: String) {
        #expect(NodeName(fittedFrom: host).description == name)
    }
}
