import MeshBase
import MeshControl
import MeshTrust
import MeshWire
import Testing

@testable import MeshAgent

/// What an operator is told where nothing was said before.
@Suite("What two agents tell their operators", .serialized)
struct OperatorWordTests {
    @Test func `a line of which the inviter knows nothing is refused in seconds, not after a minute`()
        async throws
    {
        try await AgentPair.with { baker, miller in
            let status = try await baker.ask(ShowStatus.self)
            let line = try InviteLine.encode(
                Invite(
                    inviter: status.node.id, endpoints: status.listening.link, secret: Octets(Array(1...16)),
                    expires: SystemClock.now().wall + .seconds(600)))
            let start = ContinuousClock.now
            let failure = await #expect(throws: ControlFailure.self) {
                _ = try await AgentPair.join(miller, line)
            }
            #expect(failure?.code == RefusalCode.pairingClosed.rawValue)
            #expect(ContinuousClock.now - start < .seconds(20))
        }
    }

    @Test func `a resource under a name that is taken replaces the other, and says so`() async throws {
        try await AgentPair.with { baker, _ in
            func add(_ port: Int) async throws -> AddResource.Response {
                try await baker.ask(
                    AddResource.self,
                    .init(
                        name: ResourceName("orders")!, url: "http://127.0.0.1:\(port)", capabilities: [],
                        labels: [], offerTo: [], offerSeconds: 600, timeoutMilliseconds: nil))
            }
            let (first, second) = (try await add(9), try await add(10))
            #expect(first.replaced == nil)
            #expect(second.replaced?.url == "http://127.0.0.1:9")
        }
    }

    @Test func `an offer that would end before it counts is refused with the shortest one`() async throws {
        try await AgentPair.with { baker, miller in
            let invite = try await baker.ask(CreateInvite.self, .init(expiresSeconds: 600, ask: false))
            _ = try await AgentPair.join(miller, invite.line)
            let failure = await #expect(throws: ControlFailure.self) {
                try await baker.ask(
                    MakeOffer.self, .init(resource: .echo, to: "miller", capabilities: [], seconds: 5))
            }
            #expect(failure?.kind == .usage)
            #expect(failure?.facts.contains(Fact("at least", 6)) == true)
        }
    }

    @Test func `an explanation of what is nothing says what it could have been`() async throws {
        try await AgentPair.with { baker, _ in
            let failure = await #expect(throws: ControlFailure.self) {
                try await baker.ask(Explain.self, .init(subject: .reference("0011223344556677")))
            }
            #expect(failure?.code == RefusalCode.nothingFound.rawValue)
            #expect(failure?.facts.contains { $0.name == "a reference" } == true)
        }
    }
}
