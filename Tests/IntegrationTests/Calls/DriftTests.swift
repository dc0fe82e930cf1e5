import Foundation
import GRDB
import MeshAgreements
import MeshAudit
import MeshBase
import MeshControl
import Testing

@testable import MeshAgent
@testable import MeshNode

@Suite("Two agents that believe different things", .serialized, .timeLimit(.minutes(2)))
struct DriftTests {
    /// Takes an agreement out of a store that nobody has open.
    private func remove(_ contentID: Digest, from home: Home) throws {
        let store = try DatabaseQueue(path: home.store)
        try store.write { database in
            try database.execute(
                sql: "DELETE FROM agreements WHERE content_id = ?", arguments: [Data(contentID.bytes)])
        }
        try store.close()
    }

    /// What the program says to this agent's operator.
    private func say(_ agent: RunningAgent, _ words: String...) async throws -> String {
        let command = try await Command.run(Program.path, words + ["--home", agent.home.path])
        return command.output + command.errors
    }

    private func act(_ agent: RunningAgent, _ action: String) async throws -> [AuditEvent] {
        try await agent.events().map(\.event).filter { $0.action == action }
    }

    @Test("an agreement that one side forgot while it was stopped is explained on both sides at once")
    func forgotten() async throws {
        try await TestMesh.with { mesh in
            let (alice, bob) = try await mesh.pair()
            let record = try #require(
                await bob.plane.node.agreements.records.first { $0.agreement.source == alice.node })
            try await until("the agreement is active") {
                if case .active? = await bob.plane.node.agreements.record(record.contentID)?.state {
                    true
                } else {
                    false
                }
            }
            await bob.stop()
            try remove(record.contentID, from: bob.home)
            let again = try await mesh.start("bob")
            try await again.linked(with: alice)
            let linked = ContinuousClock.now

            // Explained on both sides.
            try await until("both sides know", within: .seconds(10)) {
                let here = await again.plane.node.drift(with: alice.node)
                let there = await alice.plane.node.drift(with: again.node)
                return here != nil && there != nil
            }
            print("drift known on both sides \(ContinuousClock.now - linked) after the link")
            for (agent, other, name) in [(again, alice, "alice"), (alice, again, "bob")] {
                let drift = try #require(await agent.plane.node.drift(with: other.node))
                let difference = try #require(drift.differences.first)
                let has = agent.node == alice.node ? difference.here : difference.there
                let lacks = agent.node == alice.node ? difference.there : difference.here
                #expect(has.contains(", active, content \(record.contentID.description.prefix(12))"))
                #expect(lacks == "nothing")
                #expect(try await act(agent, "drift").count == 1)
                let status = try await say(agent, "status")
                #expect(status.contains("believe different things since"), "\(status)")
                let shown = try await say(agent, "peer", "show", name)
                #expect(shown.contains("drift since") && shown.contains(difference.subject), "\(shown)")
                let explained = try await say(agent, "explain", "peer", name)
                #expect(explained.contains(difference.here), "\(explained)")
            }

            // The provider's next version takes its place, and the alarm is over.
            let next = OfferRequest(
                peer: again.node, grants: record.agreement.grants, life: .seconds(86_400),
                replaces: record.agreement.id)
            try await alice.order(.offer(next))
            try await until("both sides are alike again", within: .seconds(15)) {
                let here = await again.plane.node.drift(with: alice.node)
                let there = await alice.plane.node.drift(with: again.node)
                return here == nil && there == nil
            }
            for agent in [alice, again] { #expect(try await act(agent, "drift over").count == 1) }
        }
    }
}
