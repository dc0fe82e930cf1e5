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

    /// Lets an agreement over `echo` in a store that nobody has open be one over `bank`.
    private func change(_ contentID: Digest, in home: Home) throws {
        let store = try DatabaseQueue(path: home.store)
        try store.write { database in
            let row = try Row.fetchOne(
                database, sql: "SELECT document FROM agreements WHERE content_id = ?",
                arguments: [Data(contentID.bytes)])
            let bytes: Data = try #require(row)["document"]
            var document = try #require(JSONSerialization.jsonObject(with: bytes) as? [String: Any])
            let payload = try #require(document["payload"] as? String)
            let content = try #require(Base64URL.decode(payload))
            let changed = String(decoding: content, as: UTF8.self)
                .replacingOccurrences(of: "\"echo\"", with: "\"bank\"")
            try #require(Array(changed.utf8) != content)
            document["payload"] = Base64URL.encode(Array(changed.utf8))
            try database.execute(
                sql: "UPDATE agreements SET document = ? WHERE content_id = ?",
                arguments: [
                    try JSONSerialization.data(withJSONObject: document, options: [.sortedKeys]),
                    Data(contentID.bytes),
                ])
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

    /// A mesh of two whose agreement `work` changes in bob's store while bob's agent is stopped; `then` is
    /// given bob's agent, linked again, alice's, and the agreement as alice holds it.
    private func mesh(
        where work: (Digest, Home) throws -> Void,
        then: (_ bob: RunningAgent, _ alice: RunningAgent, AgreementRecord) async throws -> Void
    ) async throws {
        try await TestMesh.with { mesh in
            let (alice, bob) = try await mesh.pair()
            let record = try await eventually("Bob has an agreement") {
                await bob.plane.node.agreements.records.first { $0.agreement.source == alice.node }
            }
            try await until("the agreement is active") {
                if case .active? = await bob.plane.node.agreements.record(record.contentID)?.state {
                    true
                } else {
                    false
                }
            }
            await bob.stop()
            try work(record.contentID, bob.home)
            let again = try await mesh.start("bob")
            try await again.linked(with: alice)
            try await then(again, alice, record)
        }
    }

    /// Both sides come to say what each has of `record`: alice holds it, and bob says `words`.
    private func explained(
        _ bob: RunningAgent, _ alice: RunningAgent, _ record: AgreementRecord, as words: String
    ) async throws {
        let linked = ContinuousClock.now
        try await until("both sides know", within: .seconds(10)) {
            let here = await bob.plane.node.drift(with: alice.node)
            let there = await alice.plane.node.drift(with: bob.node)
            return here != nil && there != nil
        }
        print("drift known on both sides \(ContinuousClock.now - linked) after the link")
        for (agent, other, name) in [(bob, alice, "alice"), (alice, bob, "bob")] {
            let drift = try #require(await agent.plane.node.drift(with: other.node))
            let difference = try #require(drift.differences.first)
            let has = agent.node == alice.node ? difference.here : difference.there
            let lacks = agent.node == alice.node ? difference.there : difference.here
            #expect(difference.subject == "agreement \(record.agreement.id) over echo")
            #expect(has.contains(", active, content \(record.contentID.description.prefix(12))"))
            #expect(lacks == words)
            try await until("the audit says so") { try await act(agent, "drift").count == 1 }
            let status = try await say(agent, "status")
            #expect(status.contains("believe different things since"), "\(status)")
            let shown = try await say(agent, "peer", "show", name)
            #expect(shown.contains("drift since") && shown.contains(difference.subject), "\(shown)")
            let explained = try await say(agent, "explain", "peer", name)
            #expect(
                explained.contains(difference.here) && explained.contains(difference.there), "\(explained)")
        }
    }

    /// Alice's next version takes the agreement's place, and the alarm is over on both sides.
    private func renewed(
        _ bob: RunningAgent, _ alice: RunningAgent, _ record: AgreementRecord
    ) async throws {
        let next = OfferRequest(
            peer: bob.node, grants: record.agreement.grants, life: .seconds(86_400),
            replaces: record.agreement.id)
        try await alice.order(.offer(next))
        try await until("both sides are alike again", within: .seconds(15)) {
            let here = await bob.plane.node.drift(with: alice.node)
            let there = await alice.plane.node.drift(with: bob.node)
            return here == nil && there == nil
        }
        for agent in [alice, bob] {
            try await until("the audit says so") { try await act(agent, "drift over").count == 1 }
        }
    }

    @Test("an agreement that one side forgot while it was stopped is explained on both sides at once")
    func forgotten() async throws {
        try await mesh(where: remove) { bob, alice, record in
            try await explained(bob, alice, record, as: "nothing")
            try await renewed(bob, alice, record)
        }
    }

    @Test("one that was changed on one side's disk is refused with its digest, and explained on both sides")
    func changed() async throws {
        try await mesh(where: change) { bob, alice, record in
            let content = record.contentID.description.prefix(12)
            try await until("the audit says what was found") {
                let facts = try await act(bob, "agreement set aside as damaged").flatMap(\.refusals)
                    .flatMap(\.facts)
                return facts.contains(Fact("problem", "its digest is another"))
                    && facts.contains(Fact("content id", record.contentID))
                    && facts.contains { $0.name == "digest" && $0.value != record.contentID.description }
            }
            #expect(await bob.plane.node.agreements.record(record.contentID) == nil)
            let status = try await say(bob, "status")
            #expect(status.contains("not as it was signed, and does not honour it"), "\(status)")
            #expect(status.contains("comity agreement show \(content)"), "\(status)")
            let shown = try await say(bob, "agreement", "show", "\(content)")
            #expect(shown.contains("its digest is another") && shown.contains("alice"), "\(shown)")
            try await explained(
                bob, alice, record, as: "v1, damaged in the store and not honoured, content \(content)")
            try await renewed(bob, alice, record)
            try await until("what was damaged is forgotten, and said to be") {
                let told = try await act(bob, "damaged agreement forgotten")
                return await bob.plane.node.agreements.damaged.isEmpty && told.count == 1
            }
            let later = try await say(bob, "status")
            #expect(!later.contains("not as it was signed"), "\(later)")
        }
    }
}
