import MeshAudit
import MeshBase
import MeshTrust
import Testing

@testable import MeshAgent

@Suite("Trust on a live link", .timeLimit(.minutes(1)))
struct TrustLifeTests {
    @Test(
        "is over on both sides within a second when one operator takes it back",
        arguments: [PeerDecision.suspend, .revoke, .forget])
    func takenBack(_ decision: PeerDecision) async throws {
        try await TestMesh.with { mesh in
            let (alice, bob) = try await mesh.pair()
            let felt = try await feltOnBothSides(of: alice, bob) {
                try await alice.decide(decision, about: bob.node)
            }
            #expect(felt < .seconds(1))
            #expect(await alice.state(of: bob.node) == [.suspend: .suspended, .revoke: .revoked][decision])
            try await until("bob is told") {
                try await bob.events(AuditQuery(type: .trust)).contains {
                    $0.event.metadata.contains(Fact("decision", decision.rawValue))
                }
            }
            // Bob dials on, and gets nothing.
            let admitted = alice.transport.counts.admitted
            try await Task.sleep(for: .seconds(3))
            #expect(alice.transport.counts.admitted == admitted)
            #expect(await bob.link(with: alice.node) == nil)
            #expect(await alice.link(with: bob.node) == nil)
        }
    }

    @Test("carries no call from the moment it is taken back, on either side")
    func calls() async throws {
        try await TestMesh.with { mesh in
            let (alice, bob) = try await mesh.pair()
            for (caller, provider) in [(bob, alice), (alice, bob)] {
                try await until("echo is agreed") {
                    try await caller.application.invoke("\(provider.identity.name)/echo").status == 200
                }
            }
            try await alice.decide(.suspend, about: bob.node)
            let own = try await alice.application.invoke("bob/echo")
            #expect(own.code == .peerSuspended || own.code == .peerNotTrusted)
            let others = try await bob.application.invoke("alice/echo", headers: ["comity-deadline": "2s"])
            #expect(others.code == .peerUnreachable || others.code == .deadlineExceeded)
        }
    }

    @Test(
        "comes back within fifteen seconds of a resume, whichever side took it back",
        arguments: [true, false])
    func resumed(isByInviter: Bool) async throws {
        try await TestMesh.with { mesh in
            let (alice, bob) = try await mesh.pair()
            let (one, other) = isByInviter ? (alice, bob) : (bob, alice)
            try await one.decide(.suspend, about: other.node)
            try await until("the link is gone") { await other.link(with: one.node) == nil }
            try await Task.sleep(for: .seconds(4))
            try await one.decide(.resume, about: other.node)
            try await one.linked(with: other, within: .seconds(15))
        }
    }

    @Test("is not made again by an invite while it is taken back")
    func notByInvite() async throws {
        try await TestMesh.with { mesh in
            let (alice, bob) = try await mesh.pair()
            try await alice.decide(.revoke, about: bob.node)
            let invite = try await alice.invite()
            let attempt = Task { await bob.plane.command(.join(invite)) }
            try await until("alice refuses") {
                try await alice.events(AuditQuery(type: .trust)).contains {
                    $0.event.refusals.first?.code == .peerRevoked
                }
            }
            #expect(await alice.state(of: bob.node) == .revoked)
            #expect(await bob.link(with: alice.node) == nil)
            attempt.cancel()
        }
    }

    @Test("outlives a restart of either side", arguments: ["alice", "bob"])
    func restart(of name: String) async throws {
        try await TestMesh.with { mesh in
            let (alice, bob) = try await mesh.pair()
            let (stays, goes) = name == "alice" ? (bob, alice) : (alice, bob)
            let (link, gateway) = (goes.link, goes.gateway)
            let began = goes.identity.boot.number
            await goes.stop()
            try await until("the link is gone", within: .seconds(5)) {
                await stays.link(with: goes.node) == nil
            }
            let back = try await mesh.start(name, listen: link.description, gateway: gateway.description)
            try await back.linked(with: stays, within: .seconds(20))
            #expect(back.node == goes.node)
            #expect(back.identity.boot.number > began)
            let seen = await stays.plane.node.trust.pins[back.node]
            #expect(seen?.boot == back.identity.boot)
            #expect(seen?.state == .trusted)
        }
    }

    @Test("survives a restart on another port of the side that was dialled, because that side dials")
    func otherPort() async throws {
        try await TestMesh.with { mesh in
            let (alice, bob) = try await mesh.pair()
            await alice.stop()
            try await until("the link is gone") { await bob.link(with: alice.node) == nil }
            let back = try await mesh.start("alice")
            try await back.linked(with: bob, within: .seconds(20))
        }
    }

    /// How long after `order` neither side has a link with the other.
    private func feltOnBothSides(
        of one: RunningAgent, _ other: RunningAgent, after order: () async throws -> Void
    ) async throws -> Duration {
        let begin = ContinuousClock.now
        try await order()
        try await until("no link on either side") {
            let here = await one.link(with: other.node)
            let there = await other.link(with: one.node)
            return here == nil && there == nil
        }
        return ContinuousClock.now - begin
    }
}
