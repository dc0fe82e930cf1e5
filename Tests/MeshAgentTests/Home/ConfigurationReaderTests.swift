import Foundation
import MeshBase
import Testing

@testable import MeshAgent

private let host = NodeName("laptop") ?? .ofThisHost()
private let node = NodeID(Digest.zero)

private func read(
    _ yaml: String? = nil, _ environment: [String: String] = [:],
    _ options: ConfigurationOptions = ConfigurationOptions()
) -> ConfigurationReading {
    ConfigurationReader.read(
        file: yaml.map { Array($0.utf8) }, environment: environment, options: options, hostName: host)
}

@Suite("The configuration")
struct ConfigurationReaderTests {
    @Test("needs no file: the defaults work")
    func defaults() {
        for yaml in [nil, "", "\n", "# nothing yet\n", "---\n"] {
            let reading = read(yaml)
            #expect(reading.problems == [])
            #expect(reading.configuration == AgentConfiguration(name: host))
            #expect(reading.values.allSatisfy { $0.origin == .standard })
        }
    }

    @Test("is read from every setting of the file")
    func everySetting() throws {
        let reading = read(
            """
            name: alpha
            listen: "[::]:7500"
            advertise: [mesh.example.org:443, "[2001:db8::1]:7410"]
            discovery:
              avahi: off
              static:
                - 192.0.2.1:7410
                - endpoint: peer.example:7410
                  node: \(node)
                - \(node)@192.0.2.2:7410
              allowLoopback: on
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
            echo: off
            audit:
              days: 30
              bytes: 512 MiB
            log:
              level: debug
              format: json
            """)
        #expect(reading.problems == [])
        let configuration = reading.configuration
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
                .init(endpoint: Endpoint(host: "peer.example", port: 7410), node: node),
                .init(endpoint: Endpoint(host: "192.0.2.2", port: 7410), node: node),
            ])
        #expect(configuration.discovery.allowsLoopback)
        #expect(configuration.gateway.listen == Endpoint(host: "127.0.0.1", port: 7600))
        #expect(configuration.gateway.access == .token)
        #expect(configuration.gateway.principals[.port]?.map(\.description) == ["web"])
        #expect(configuration.gateway.principals[.user(1000)]?.map(\.description) == ["alice", "batch"])
        #expect(configuration.gateway.users[1000]?.description == "alice")
        #expect(configuration.agreements.autoAccept == .none)
        #expect(!configuration.isEchoOffered)
        #expect(configuration.audit == .init(days: 30, bytes: 512 << 20))
        #expect(configuration.log == .init(level: .debug, format: .json))
        #expect(reading.origin(of: "gateway.access") == .file(line: 14))
        #expect(reading.values.count == 16)
        #expect(reading.values.allSatisfy { $0.origin != .standard })
    }

    @Test("is shown in the form in which the environment sets it")
    func roundTrip() {
        let first = read(
            """
            name: alpha
            discovery: { static: [192.0.2.1:7410, "\(node)@192.0.2.2:7410"] }
            gateway: { principals: { port: [web], 7: [a, b] }, users: { 7: a } }
            audit: { bytes: 96 MiB }
            """)
        let environment = Dictionary(uniqueKeysWithValues: first.values.map { ($0.variable, $0.text) })
        let second = read(nil, environment)
        #expect(first.problems == [] && second.problems == [])
        #expect(second.configuration == first.configuration)
        #expect(second.notices == [])
    }

    @Test("takes the environment over the file, the options over both, and says which")
    func precedence() {
        let yaml = "name: file\nlisten: 127.0.0.1:1\ngateway:\n  listen: 127.0.0.1:2\n"
        let environment = ["COMITY_LISTEN": "127.0.0.1:3", "COMITY_NAME": "environment", "COMITY_ECHO": ""]
        let reading = read(
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
        let reading = read(nil, ["FEDERATION_NODE_ID": "old", "FEDERATION_DISCOVERY_METHOD": "static"])
        #expect(reading.problems == [])
        #expect(reading.configuration.name.description == "old")
        #expect(!reading.configuration.discovery.isAvahiOn)
        #expect(reading.origin(of: "name") == .environment("FEDERATION_NODE_ID"))
        #expect(
            read(nil, ["FEDERATION_NODE_ID": "old", "COMITY_NAME": "new"]).configuration.name.description
                == "new")

        let later = [
            "FEDERATION_CONSUL_URL": "http://127.0.0.1:8500", "FEDERATION_CA_CERT_PATH": "/ca",
            "FEDERATION_NODE_CERT_PATH": "/cert", "FEDERATION_NODE_KEY_PATH": "/key",
            "FEDERATION_DISCOVERY_METHOD": "consul",
        ]
        let problems = read(nil, later).problems
        #expect(Set(problems.map(\.key)) == Set(later.keys))
        #expect(problems.allSatisfy { $0.what.hasSuffix("not in this version") })
    }

    @Test("leaves variables of others alone, and notices those that look like ours")
    func otherVariables() {
        let reading = read(
            nil,
            ["PATH": "/bin", "COMITY_HOME": "/x", "COMITY_LISTN": ":1", "COMITY_SERVICE_HOST": "10.0.0.1"])
        #expect(reading.problems == [])
        #expect(reading.notices.count == 2)
        #expect(reading.notices[0].contains("did you mean COMITY_LISTEN?"))
    }
}

@Suite("Mistakes in the configuration")
struct ConfigurationMistakeTests {
    @Test("are all told at once, each with line and fix")
    func allAtOnce() {
        let reading = read(
            """
            name: "no spaces allowed"
            lisen: 0.0.0.0:7410
            discovery:
              avahi: perhaps
              static:
                - nowhere
                - endpoint: 192.0.2.1:7410
                  node: nobody
                - node: \(node)
                - endpoint: 192.0.2.1:7410
                  nodeID: x
              consul: http://127.0.0.1
            gateway:
              listen: 0.0.0.0:7411
              users:
                alice: 1000
                1000: [alice]
            audit: { days: 0, bytes: 1 }
            log: debug
            echo:
            agreements: [none]
            """, ["COMITY_LOG_LEVEL": "loud"])
        #expect(
            reading.problems.map { "\($0.origin) \($0.key)" } == [
                "config.yaml line 1 name",
                "config.yaml line 2 lisen",
                "config.yaml line 4 discovery.avahi",
                "config.yaml line 6 discovery.static[0]",
                "config.yaml line 8 discovery.static[1].node",
                "config.yaml line 9 discovery.static[2]",
                "config.yaml line 11 discovery.static[3].nodeID",
                "config.yaml line 12 discovery.consul",
                "config.yaml line 16 gateway.users.alice",
                "config.yaml line 17 gateway.users.1000",
                "config.yaml line 18 audit.days",
                "config.yaml line 18 audit.bytes",
                "config.yaml line 19 log",
                "config.yaml line 20 echo",
                "config.yaml line 21 agreements",
                "COMITY_LOG_LEVEL log.level",
                "config.yaml line 14 gateway.listen",
            ])
        #expect(reading.problems.allSatisfy { !$0.what.isEmpty && !$0.fix.isEmpty })
        #expect(reading.problems[1].fix == "did you mean listen?")
        #expect(
            reading.problems[2].description
                == "config.yaml line 4: discovery.avahi: \"perhaps\" does not fit here. Fix: write on or off")
    }

    @Test(
        "in YAML itself are told with their line",
        arguments: [
            ("name: a\n  b: c\n", 2), ("name: 'a\n", 2), ("name: a\nname: b\n", 1), ("a: [1\n", 2),
            ("- a\n", 1),
            ("just text\n", 1), ("? [a]\n: b\n", 1), ("name: a\n---\nname: b\n", 2), ("name: \tx: y\n", 1),
            ("@: 1\n", 1),
        ])
    func notYAML(yaml: String, line: Int) {
        let problems = read(yaml).problems
        #expect(problems.count == 1, "\(problems)")
        #expect(problems.first?.key == "")
        #expect(problems.first?.origin == .file(line: line), "\(problems)")
    }

    @Test("of anchors and aliases are refused before they unfold")
    func bomb() {
        var yaml = "a: &a [x, x, x, x, x, x, x, x, x]\n"
        for level in 1..<40 {
            yaml += "a\(level): &a\(level) [\(Array(repeating: "*a", count: 9).joined(separator: ","))]\n"
        }
        yaml += "? *a39\n: x\n"
        let problems = read(yaml).problems
        #expect(problems.map(\.origin) == [.file(line: 1)])
        #expect(problems.first?.what.contains("anchor") == true)
        #expect(read("# salt & pepper, 2 * 3\nname: alpha\n").problems == [])
    }

    @Test("of size and nesting are refused, and nothing recurses for ever")
    func sizeAndDepth() {
        let large = read(String(repeating: "# long\n", count: 40_000))
        #expect(large.problems.map(\.what) == ["the file has more than 262144 bytes"])
        for opener in ["[", "{a: ", "- ", "? "] {
            let deep = read(String(repeating: opener, count: 250_000 / opener.utf8.count))
            #expect(deep.problems.count == 1)
        }
        #expect(
            read("name: [" + String(repeating: "[", count: 900) + String(repeating: "]", count: 901)).problems
                .count == 1)
    }

    @Test("of encoding are told")
    func encoding() {
        for bytes: [UInt8] in [[0xff, 0xfe], Array("name: a\0b".utf8), [0xc3, 0x28]] {
            let reading = ConfigurationReader.read(file: bytes, environment: [:], hostName: host)
            #expect(reading.problems.map(\.what) == ["the file is not text in UTF-8"])
        }
    }

    @Test("leave the value before them in place")
    func valueBefore() {
        let reading = read("listen: 127.0.0.1:1\n", ["COMITY_LISTEN": "nonsense"])
        #expect(reading.configuration.listen.port == 1)
        #expect(reading.origin(of: "listen") == .file(line: 1))
        #expect(reading.problems.map(\.origin) == [.environment("COMITY_LISTEN")])
    }
}

@Suite("Values that cannot work together")
struct ConfigurationProblemTests {
    @Test(
        "are told: ports that meet, addresses nobody can dial, a gateway open to others, too many of anything"
    )
    func together() {
        var configuration = AgentConfiguration(name: host)
        #expect(configuration.problems() == [])
        configuration.listen = Endpoint(host: "::", port: 7411)
        configuration.advertise =
            (1...9).map { Endpoint(host: "192.0.2.\($0)", port: 1) } + [Endpoint(host: "::", port: 1)]
        configuration.discovery.static = [
            .init(endpoint: Endpoint(host: "a", port: 0)), .init(endpoint: Endpoint(host: "b", port: 1)),
            .init(endpoint: Endpoint(host: "b", port: 1)),
        ]
        configuration.audit.days = 5_000
        configuration.audit.bytes = 5
        #expect(
            configuration.problems().map(\.key) == [
                "advertise", "advertise[9]", "listen", "discovery.static[0]", "discovery.static[2]",
                "audit.days",
                "audit.bytes",
            ])
        configuration.gateway.listen = Endpoint(host: "192.0.2.1", port: 7411)
        #expect(configuration.problems().map(\.key).contains("gateway.listen"))
    }

    @Test("do not include ports that any free one may take")
    func freePorts() {
        var configuration = AgentConfiguration(name: host)
        configuration.listen = Endpoint(host: "::", port: 0)
        configuration.gateway.listen = Endpoint(host: "127.0.0.1", port: 0)
        #expect(configuration.problems() == [])
    }
}

@Suite("The configuration, fed with noise")
struct ConfigurationNoiseTests {
    private static let sample = """
        name: alpha
        listen: "[::]:7500"   # where
        advertise: [mesh.example.org:443]
        discovery:
          avahi: off
          static:
            - endpoint: peer.example:7410
              node: x
        gateway: { access: token, users: { 1000: 'alice' } }
        audit:
          bytes: 512 MiB

        """

    @Test("never traps on changed text, and a reading without problems can be shown and read again")
    func changedText() {
        var generator = SeededGenerator(seed: 7)
        let pieces = [
            "- ", ": ", "? ", "[", "]", "{", "}", "'", "\"", "#", "&a ", "*a", "|\n", ">\n", "\n", "  ", "\t",
            "---\n", "!x ", "%", "@", "\\", ",", "\u{feff}", "\u{2028}",
        ]
        for _ in 0..<3_000 {
            var text = Array(Self.sample.utf8)
            for _ in 0...generator.number(below: 4) {
                let place = Int(generator.number(below: UInt64(text.count)))
                switch generator.number(below: 4) {
                case 0: text[place] = UInt8(generator.number(below: 256))
                case 1: text.remove(at: place)
                case 2:
                    text.insert(
                        contentsOf: pieces[Int(generator.number(below: UInt64(pieces.count)))].utf8, at: place
                    )
                default:
                    text.removeSubrange(place..<min(text.count, place + Int(generator.number(below: 20))))
                }
                if text.isEmpty { text = [10] }
            }
            check(text)
        }
    }

    @Test("never traps on bytes by chance, in the file and in the environment")
    func chance() {
        var generator = SeededGenerator(seed: 8)
        for _ in 0..<2_000 {
            check(generator.bytes(Int(generator.number(below: 200))))
            let text = String(decoding: generator.bytes(Int(generator.number(below: 60))), as: UTF8.self)
            let environment = Dictionary(uniqueKeysWithValues: Setting.all.map { ($0.variable, text) })
            _ = ConfigurationReader.read(file: nil, environment: environment, hostName: host)
        }
    }

    private func check(_ bytes: [UInt8]) {
        let reading = ConfigurationReader.read(file: bytes, environment: [:], hostName: host)
        for problem in reading.problems { #expect(!problem.description.isEmpty) }
        guard reading.problems.isEmpty else { return }
        let environment = Dictionary(uniqueKeysWithValues: reading.values.map { ($0.variable, $0.text) })
        let again = ConfigurationReader.read(file: nil, environment: environment, hostName: host)
        #expect(again.configuration == reading.configuration)
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
