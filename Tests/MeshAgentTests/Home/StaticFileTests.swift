import MeshBase
import Testing

@testable import MeshAgent

@Suite("The file of static peers")
struct StaticFileTests {
    private func read(_ contents: String?, static list: String = "[]") -> ConfigurationReading {
        let files = contents.map { ["peers": $0] } ?? [:]
        return readConfiguration(
            "discovery:\n  static: \(list)\n  staticFile: peers\n", named: files)
    }

    @Test("is the same in YAML and in JSON, as a list or under peers")
    func forms() {
        let expected = [
            AgentConfiguration.StaticPeer(endpoint: Endpoint(host: "a.example", port: 1)),
            .init(endpoint: Endpoint(host: "2001:db8::1", port: 2), node: sampleNode),
        ]
        let forms = [
            "- a.example:1\n- endpoint: '[2001:db8::1]:2'\n  node: \(sampleNode)\n",
            "peers:\n  - a.example:1\n  - \(sampleNode)@[2001:db8::1]:2\n",
            #"["a.example:1", {"endpoint": "[2001:db8::1]:2", "node": "\#(sampleNode)"}]"#,
            "{\n\t\"peers\": [\n\t\t\"a.example:1\",\n\t\t{\"node\": \"\(sampleNode)\", "
                + "\"endpoint\": \"[2001:db8::1]:2\"}\n\t]\n}\n",
        ]
        for form in forms {
            let reading = read(form)
            #expect(reading.problems == [], "\(form)")
            #expect(reading.configuration.discovery.listed == expected, "\(form)")
        }
        #expect(read("").configuration.discovery.listed == [])
    }

    @Test("has all its mistakes told at once, with file, line and place, beside those of the configuration")
    func mistakes() {
        let reading = read(
            "- a.example\n- endpoint: b.example:1\n  weight: 3\n- node: n1\n- c.example:3\n", static: "[x]")
        let said = reading.problems.map { "\($0.origin) \($0.key)" }
        #expect(
            said == [
                "config.yaml line 2 discovery.static[0]", "peers line 1 discovery.staticFile[0]",
                "peers line 3 discovery.staticFile[1].weight", "peers line 4 discovery.staticFile[2].node",
            ])
        #expect(reading.configuration.discovery.listed == [])
    }

    @Test("is told of when it is missing, no list, not text, or names what nobody reads")
    func misfits() {
        for contents in [nil, "text", "seeds: []", "peers: [", "\u{0}"] {
            let problems = read(contents).problems
            #expect(problems.map(\.key.description).allSatisfy { $0.hasPrefix("discovery.staticFile") })
            #expect(problems.count == 1, "\(contents ?? "nothing")")
        }
    }

    @Test("has its bound together with the list in the configuration, and repeats nothing of it")
    func together() {
        #expect(read("- a:1", static: "[a:1]").problems.map(\.key) == ["discovery.staticFile[0]"])
        let many = (1...256).map { "- a:\($0)\n" }.joined()
        #expect(read(many).problems == [])
        #expect(read(many, static: "[b:1]").problems.map(\.key) == ["discovery.staticFile"])
    }
}
