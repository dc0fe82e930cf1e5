import MeshBase
import MeshControl
import Testing

@testable import MeshAgent
@testable import MeshCredentials

/// Two whole agents on loopback, asked over their control sockets as the commands do.
@Suite("The control API of two agents", .serialized)
struct ControlPairTests {
    @Test func `an invite, a join, an offer and a forecast go through the sockets`() async throws {
        try await AgentPair.with { baker, joiner in
            let invite = try await baker.ask(CreateInvite.self, .init(expiresSeconds: 600, ask: false))
            let joined = try await AgentPair.join(joiner, invite.line)
            #expect(joined.peer?.name == NodeName("baker"))
            let progress = try await baker.ask(
                AwaitInvite.self, .init(inviteID: invite.inviteID, known: .open, waitMilliseconds: 5_000))
            #expect(progress.state == .joined && progress.peer?.name == NodeName("miller"))
            let status = try await baker.ask(ShowStatus.self)
            let other = try await joiner.ask(ShowStatus.self).node
            #expect(progress.words == other.words)
            #expect(joined.words == status.node.words)
            #expect(status.peers.map(\.trust) == [.trusted] && status.peers.map(\.link) == [.up])

            let name = ResourceName("orders")!
            let added = try await baker.ask(
                AddResource.self,
                .init(
                    name: name, url: "http://127.0.0.1:9", capabilities: [], labels: [], offerTo: ["miller"],
                    offerSeconds: 600, timeoutMilliseconds: nil))
            #expect(added.agreements.map(\.state) == [.active])
            #expect(added.resource.offeredTo.map(\.name) == [NodeName("miller")])
            let question = Explain.Request(
                subject: .wouldCall(
                    peer: "baker", resource: name, capability: ResourceName("read"), principal: nil))
            var forecast = try await joiner.ask(Explain.self, question)
            // What is offered may be on its way still.
            for _ in 0..<100 where forecast.verdict != .allowed {
                try await Task.sleep(for: .milliseconds(50))
                forecast = try await joiner.ask(Explain.self, question)
            }
            #expect(forecast.verdict == .allowed)
            #expect(forecast.branches.count == 7 && forecast.branches.allSatisfy { $0.verdict == .allowed })
        }
    }

    @Test func `asks the operator for the words where the invite says so, and a no ends it`() async throws {
        try await AgentPair.with { baker, miller in
            let invite = try await baker.ask(CreateInvite.self, .init(expiresSeconds: 600, ask: true))
            _ = try await miller.ask(Join.self, .init(line: invite.line, known: nil, waitMilliseconds: 0))
            let asking = try await baker.ask(
                AwaitInvite.self, .init(inviteID: invite.inviteID, known: .open, waitMilliseconds: 10_000))
            let me = try await miller.ask(ShowStatus.self).node
            #expect(asking.state == .asking && asking.words == me.words && asking.peer?.id == me.id)
            let end = try await baker.ask(
                AnswerInvite.self, .init(inviteID: invite.inviteID, accept: false))
            #expect(end.state == .ended)
            let failure = await #expect(throws: ControlFailure.self) {
                try await miller.ask(
                    Join.self, .init(line: invite.line, known: .dialling, waitMilliseconds: 10_000))
            }
            #expect(failure?.code == RefusalCode.inviteDeclined.rawValue)
            let peers = try await baker.ask(ListPeers.self).peers
            #expect(peers.isEmpty)
        }
    }

    @Test func `adds nothing when one of those it is to be offered to is unknown`() async throws {
        try await AgentPair.with { baker, _ in
            let request = AddResource.Request(
                name: ResourceName("orders")!, url: "http://127.0.0.1:9", capabilities: [], labels: [],
                offerTo: ["nobody"], offerSeconds: 600, timeoutMilliseconds: nil)
            await #expect(throws: ControlFailure.self) { try await baker.ask(AddResource.self, request) }
            let resources = try await baker.ask(ListResources.self).resources
            #expect(resources.map(\.description.name) == [.echo])
        }
    }

    @Test func `tells a mistyped line from one that is none`() async throws {
        try await AgentPair.with { _, miller in
            for (line, problem) in [
                ("hello", "it does not begin with comity1_"),
                ("comity1_xxxx", "a character is wrong, missing or too many"),
            ] {
                let failure = await #expect(throws: ControlFailure.self) {
                    try await miller.ask(Join.self, .init(line: line, known: nil, waitMilliseconds: 0))
                }
                #expect(failure?.code == "invite-malformed")
                #expect(failure?.facts == [Fact("problem", problem)])
            }
        }
    }
}
