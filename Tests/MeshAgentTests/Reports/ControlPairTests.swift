import MeshBase
import MeshControl
import Testing

@testable import MeshAgent
@testable import MeshCredentials

/// Two whole agents on loopback, asked over their control sockets as the commands do.
@Suite("The control API of two agents", .serialized)
struct ControlPairTests {
    private func withPair(
        _ body: @escaping @Sendable (_ baker: ControlClient, _ miller: ControlClient) async throws -> Void
    ) async throws {
        let homes = [TemporaryHome(), TemporaryHome()]
        var agents: [Agent] = []
        for (home, name) in zip(homes, ["baker", "miller"]) {
            agents.append(
                try await Agent.start(
                    home: home.home,
                    options: ConfigurationOptions(name: name, listen: "127.0.0.1:0", gateway: "127.0.0.1:0"),
                    environment: ["COMITY_DISCOVERY_AVAHI": "off"]))
        }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            let (ready, told) = AsyncStream.makeStream(of: Void.self)
            for agent in agents { tasks.addTask { try await agent.run { told.yield() } } }
            var waiting = agents.count
            for await _ in ready {
                waiting -= 1
                if waiting == 0 { break }
            }
            let paths = homes.map(\.home.path)
            do {
                try await ControlClient.with(home: paths[0]) { (baker) async throws(ControlFailure) in
                    try await ControlClient.with(home: paths[1]) { (miller) async throws(ControlFailure) in
                        do {
                            try await body(baker, miller)
                        } catch {
                            throw (error as? ControlFailure)
                                ?? ControlFailure(.fault, code: "test", message: "\(error)")
                        }
                    }
                }
            } catch {
                Issue.record(error)
            }
            tasks.cancelAll()
            while !tasks.isEmpty { do { try await tasks.next() } catch is CancellationError { continue } }
        }
    }

    private static func join(_ client: ControlClient, _ line: String) async throws(ControlFailure)
        -> JoinProgress
    {
        var known: JoinStage?
        for _ in 0..<20 {
            let progress = try await client.ask(
                Join.self, .init(line: line, known: known, waitMilliseconds: 1_000), waiting: .seconds(1))
            if progress.stage == .done { return progress }
            known = progress.stage
        }
        throw ControlFailure(.fault, code: "test", message: "never done: \(String(describing: known))")
    }

    @Test func `an invite, a join, an offer and a forecast go through the sockets`() async throws {
        try await withPair { baker, joiner in
            let invite = try await baker.ask(CreateInvite.self, .init(expiresSeconds: 600, ask: false))
            let joined = try await Self.join(joiner, invite.line)
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
            let forecast = try await joiner.ask(
                Explain.self,
                .init(
                    subject: .wouldCall(
                        peer: "baker", resource: name, capability: ResourceName("read"), principal: nil)))
            #expect(forecast.verdict == .allowed)
        }
    }

    @Test func `asks the operator for the words where the invite says so, and a no ends it`() async throws {
        try await withPair { baker, miller in
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
        try await withPair { baker, _ in
            let request = AddResource.Request(
                name: ResourceName("orders")!, url: "http://127.0.0.1:9", capabilities: [], labels: [],
                offerTo: ["nobody"], offerSeconds: 600, timeoutMilliseconds: nil)
            await #expect(throws: ControlFailure.self) { try await baker.ask(AddResource.self, request) }
            let resources = try await baker.ask(ListResources.self).resources
            #expect(resources.map(\.description.name) == [.echo])
        }
    }

    @Test func `tells a mistyped line from one that is none`() async throws {
        try await withPair { _, miller in
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
