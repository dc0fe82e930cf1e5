import MeshBase
import Testing

@testable import MeshAgent

@Suite("A configuration that is read again") struct ConfigurationChangeTests {
    @Test func `changes at once what can, and leaves the rest as the agent runs with it`() {
        let running = readConfiguration("listen: 127.0.0.1:1\nlog: { level: info }\necho: on\n")
        let wanted = readConfiguration(
            "listen: 127.0.0.1:2\nlog: { level: debug }\necho: off\nadvertise: [192.0.2.1:7]\n")
        let change = ConfigurationChange(from: running, to: wanted)
        #expect(change.applied.map(\.key) == ["advertise", "echo", "log.level"])
        #expect(change.waiting.map(\.key) == ["listen"])
        #expect(change.waiting.first?.before == "127.0.0.1:1" && change.waiting.first?.after == "127.0.0.1:2")
        let configuration = change.reading.configuration
        #expect(configuration.listen.port == 1 && configuration.log.level == .debug)
        #expect(!configuration.isEchoOffered && configuration.advertise.map(\.port) == [7])
        #expect(change.reading.value(of: "listen")?.text == "127.0.0.1:1")
        #expect(change.reading.origin(of: "advertise") == .file(line: 4))
    }

    @Test func `what waits for a restart is said again the next time, what is applied is not`() {
        let running = readConfiguration("name: a\nlog: { format: text }\n")
        let wanted = readConfiguration("name: b\nlog: { format: json }\n")
        let first = ConfigurationChange(from: running, to: wanted)
        let second = ConfigurationChange(from: first.reading, to: wanted)
        #expect(second.applied.isEmpty && second.waiting == first.waiting)
        #expect(ConfigurationChange(from: wanted, to: wanted).waiting.isEmpty)
    }

    @Test func `options of the command win over the file, then as at the start`() {
        let options = ConfigurationOptions(logLevel: "error", logFormat: "json")
        let running = readConfiguration(nil, [:], options)
        #expect(running.configuration.log == .init(level: .error, format: .json))
        #expect(running.origin(of: "log.level") == .option("--log-level"))
        let wanted = readConfiguration("log: { level: trace }\n", [:], options)
        #expect(ConfigurationChange(from: running, to: wanted).applied.isEmpty)
    }

    @Test func `each setting is taken over by its own copy`() {
        let wanted = readConfiguration(
            """
            advertise: [a:1]
            gateway: { principals: { port: [web] }, users: { 7: a } }
            agreements: { autoAccept: none }
            echo: off
            log: { level: trace, format: json }
            """)
        let change = ConfigurationChange(from: readConfiguration(), to: wanted)
        #expect(change.waiting.isEmpty && change.applied.count == 7)
        #expect(change.reading.configuration == wanted.configuration)
    }
}
