import Foundation
import MeshBase
import MeshControl
import Testing

@testable import MeshAgent

@Suite("What is changed while an agent runs", .serialized)
struct ReloadTests {
    @Test func `mistakes are all told at once, and nothing is half applied`() async throws {
        try await AgentPair.with { baker, _ in
            let before = try await baker.ask(ShowConfiguration.self)
            try configure(baker, "log: { level: debug }\necho: perhaps\nlisten: nowhere\n")
            let failure = await #expect(throws: ControlFailure.self) {
                try await baker.ask(ReloadConfiguration.self)
            }
            #expect(failure?.code == "configuration-invalid" && failure?.exitCode == 1)
            #expect(failure?.facts.map(\.name) == ["config.yaml line 2", "config.yaml line 3"])
            let after = try await baker.ask(ShowConfiguration.self)
            #expect(after == before)
        }
    }

    @Test func `what can change does, peers hear of it, the rest waits for a restart`() async throws {
        try await AgentPair.with { baker, miller in
            let invite = try await baker.ask(CreateInvite.self, .init(expiresSeconds: 600, ask: false))
            _ = try await AgentPair.join(miller, invite.line)
            try configure(
                baker, "advertise: [192.0.2.7:7]\nlog: { level: error }\naudit: { days: 7 }\n")
            let report = try await baker.ask(ReloadConfiguration.self)
            #expect(report.applied.map(\.key) == ["advertise", "log.level"])
            #expect(report.waiting.map(\.key) == ["audit.days"])
            let listening = try await baker.ask(ShowStatus.self).listening.link
            #expect(listening.map(\.description) == ["192.0.2.7:7"])
            var isHeard = false
            for _ in 0..<400 where !isHeard {
                let peer = try await miller.ask(ShowPeer.self, .init(peer: "baker"))
                isHeard = peer.endpoints.contains { $0.host == "192.0.2.7" }
                if !isHeard { try await Task.sleep(for: .milliseconds(10)) }
            }
            #expect(isHeard)
            let again = try await baker.ask(ReloadConfiguration.self)
            #expect(again.applied.isEmpty && again.waiting.map(\.key) == ["audit.days"])
            let event = try await baker.ask(
                ListAuditEvents.self, .init(filter: AuditFilter(type: "administration"), limit: 5)
            ).events.first
            #expect(event?.action == "configuration reloaded")
        }
    }

    @Test func `a log level is ordered for a while, and shown as ordered`() async throws {
        try await AgentPair.with { baker, _ in
            let first = try await baker.ask(SetLogLevel.self, .init(level: nil, seconds: nil))
            #expect(first.level == .info && !first.isOrdered)
            let ordered = try await baker.ask(SetLogLevel.self, .init(level: .error, seconds: 600))
            #expect(ordered.level == .error && ordered.configured == .info && ordered.until != nil)
            let shown = try await baker.ask(ShowConfiguration.self).values.first { $0.key == "log.level" }
            #expect(shown?.value == "error" && shown?.origin == "comity log level")
            await #expect(throws: ControlFailure.self) {
                try await baker.ask(SetLogLevel.self, .init(level: .info, seconds: 0))
            }
        }
    }

    private func configure(_ agent: ControlClient, _ yaml: String) throws {
        try Data(yaml.utf8).write(to: URL(filePath: agent.home + "/config.yaml"))
    }
}
