import Foundation
import MeshBase
import Testing

@testable import MeshAgent

@Suite("Mistakes in the configuration")
struct ConfigurationMistakeTests {
    @Test("are all told at once, each with line and fix")
    func allAtOnce() {
        let reading = readConfiguration(
            """
            name: "no spaces allowed"
            lisen: 0.0.0.0:7410
            discovery:
              avahi: perhaps
              static:
                - nowhere
                - endpoint: 192.0.2.1:7410
                  node: nobody
                - node: \(sampleNode)
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
        let problems = readConfiguration(yaml).problems
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
        let problems = readConfiguration(yaml).problems
        #expect(problems.map(\.origin) == [.file(line: 1)])
        #expect(problems.first?.what.contains("anchor") == true)
        #expect(readConfiguration("# salt & pepper, 2 * 3\nname: alpha\n").problems == [])
    }

    @Test("of size and nesting are refused, and nothing recurses for ever")
    func sizeAndDepth() {
        let large = readConfiguration(String(repeating: "# long\n", count: 40_000))
        #expect(large.problems.map(\.what) == ["the file has more than 262144 bytes"])
        for opener in ["[", "{a: ", "- ", "? "] {
            let deep = readConfiguration(String(repeating: opener, count: 250_000 / opener.utf8.count))
            #expect(deep.problems.count == 1)
        }
        #expect(
            readConfiguration(
                "name: [" + String(repeating: "[", count: 900) + String(repeating: "]", count: 901)
            ).problems
                .count == 1)
    }

    @Test("of encoding are told")
    func encoding() {
        for bytes: [UInt8] in [[0xff, 0xfe], Array("name: a\0b".utf8), [0xc3, 0x28]] {
            let reading = ConfigurationReader.read(file: bytes, environment: [:], hostName: sampleHost)
            #expect(reading.problems.map(\.what) == ["the file is not text in UTF-8"])
        }
    }

    @Test("leave the value before them in place")
    func valueBefore() {
        let reading = readConfiguration("listen: 127.0.0.1:1\n", ["COMITY_LISTEN": "nonsense"])
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
        var configuration = AgentConfiguration(name: sampleHost)
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
        var configuration = AgentConfiguration(name: sampleHost)
        configuration.listen = Endpoint(host: "::", port: 0)
        configuration.gateway.listen = Endpoint(host: "127.0.0.1", port: 0)
        #expect(configuration.problems() == [])
    }
}
