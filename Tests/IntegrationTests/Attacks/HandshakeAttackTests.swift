import Foundation
import MeshBase
import MeshCredentials
import MeshLink
import MeshTrust
import Testing

@testable import MeshAgent

@Suite("Who says the wrong thing to a listening agent", .timeLimit(.minutes(1)))
struct HandshakeAttackTests {
    @Test("gets nothing by repeating a trusted peer's hello under a certificate of its own")
    func replayed() async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.start("alice")
            let (bob, overheard) = try await linkedPersona(with: alice, in: mesh)
            let mallory = try Persona("mallory")
            let attacker = try mesh.attacker(mallory.credentials)
            let victim = Victim(alice)
            let line = try await attacker.dial(alice.link)
            try line.send(.hello(overheard.hello))
            try await victim.refused(line.denial(), because: .identityMismatch)
            #expect(bob.node != mallory.node)
        }
    }

    @Test("gets nothing by repeating a trusted peer's whole handshake with its stolen TLS key")
    func replayedWithStolenKey() async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.start("alice")
            let (bob, overheard) = try await linkedPersona(with: alice, in: mesh)
            let attacker = try mesh.attacker(bob.credentials)
            let victim = Victim(alice)
            let line = try await attacker.dial(alice.link)
            try line.send(.hello(overheard.hello))
            guard case .answer(let answer) = try await line.receive() else {
                Issue.record("no answer to a hello under a good certificate")
                return
            }
            #expect(answer.hello.nonce != overheard.answer.hello.nonce)
            try line.send(.finish(overheard.finish))
            let denial = try await line.denial()
            #expect(try await alice.refusal(under: denial.reference)?.code == .proofInvalid)
            victim.stayedShut()
        }
    }

    @Test("gets nothing by saying the agent's own hello back to it")
    func reflected() async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.start("alice")
            let (_, overheard) = try await linkedPersona(with: alice, in: mesh)
            let mallory = try Persona("mallory")
            let attacker = try mesh.attacker(mallory.credentials)
            let victim = Victim(alice)
            let line = try await attacker.dial(alice.link)
            try line.send(.hello(InitiatorHello(hello: overheard.answer.hello, invite: nil)))
            try await victim.refused(line.denial(), because: .isMyself)
        }
    }

    @Test("gets nothing with a trusted peer's stolen TLS key and an identity signature of its own")
    func wrongIdentityKey() async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.start("alice")
            let bob = try Persona("bob")
            try await bob.join(alice)
            let attacker = try mesh.attacker(bob.credentials)
            let victim = Victim(alice)
            let line = try await attacker.dial(alice.link)
            let script = ScriptedHandshake(
                try Persona("mallory"), over: line, hello: InitiatorHello(hello: bob.hello(), invite: nil))
            try line.send(.finish(script.finish(after: await script.begin())))
            let denial = try await line.denial()
            #expect(try await alice.refusal(under: denial.reference)?.code == .proofInvalid)
            victim.stayedShut()
        }
    }

    @Test("gets nothing by opening a stream before the handshake is over")
    func streamFirst() async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.start("alice")
            let mallory = try Persona("mallory")
            let attacker = try mesh.attacker(mallory.credentials)
            let victim = Victim(alice)
            let line = try await attacker.dial(alice.link)
            // It admits itself; the listener does not.
            attacker.transport.admit(line.secured.id)
            let ends = StreamEnd()
            let stream = attacker.transport.openStream(
                on: line.secured.id, head: .init(string: "{}"), observer: ends)
            #expect(stream != nil)
            _ = try await line.ending()
            #expect(ends.isOver)
            victim.stayedShut()
            try await until("the violation is counted") { alice.transport.counts.violations == 1 }
        }
    }

    @Test("gets nothing where it wants to pair and no invite is open")
    func pairingClosed() async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.start("alice")
            let attacker = try mesh.attacker(try Persona("mallory").credentials)
            let victim = Victim(alice)
            await #expect(throws: NeverHappened.self) {
                let line = try await attacker.dial(alice.link, for: .pairing)
                _ = try await line.receive()
            }
            victim.stayedShut()
            #expect(await alice.plane.node.trust.pins.peers.isEmpty)
        }
    }

    @Test("gets nothing with an invite's name and without its secret")
    func wrongSecret() async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.start("alice")
            let request = try await alice.invite()
            let mallory = try Persona("mallory")
            let attacker = try mesh.attacker(mallory.credentials)
            let victim = Victim(alice)
            let line = try await attacker.dial(alice.link, for: .pairing)
            let invite = InviteName(secret: request.secret, using: SystemSuite())
            let script = ScriptedHandshake(
                mallory, over: line, secret: Octets(Array(repeating: 7, count: 16)),
                hello: InitiatorHello(hello: mallory.hello(), invite: invite))
            try line.send(.finish(script.finish(after: await script.begin())))
            let denial = try await line.denial()
            #expect(denial.code == .inviteProofWrong)
            #expect(await alice.state(of: mallory.node) == nil)
            victim.stayedShut()
        }
    }

    @Test("gets nothing with an invite that another key has used")
    func usedInvite() async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.start("alice")
            let request = try await alice.invite()
            let (bob, mallory) = (try Persona("bob"), try Persona("mallory"))
            for persona in [bob, bob, mallory] {
                let attacker = try mesh.attacker(persona.credentials)
                let line = try await attacker.dial(alice.link, for: .pairing)
                let script = ScriptedHandshake(persona, over: line, secret: request.secret)
                if persona.node == bob.node {
                    // Twice: an answer that was lost must not lose the pairing.
                    try await script.complete()
                } else {
                    try line.send(.hello(script.hello))
                    #expect(try await line.denial().code == .inviteUsed)
                }
            }
            #expect(await alice.state(of: bob.node) == .trusted)
            #expect(await alice.state(of: mallory.node) == nil)
        }
    }

    /// A peer that trusts and is trusted, has had a link, and what was said when it was made.
    private func linkedPersona(
        with agent: RunningAgent, in mesh: TestMesh
    ) async throws -> (Persona, Overheard) {
        let bob = try Persona("bob")
        try await bob.join(agent)
        let transport = try Attacker(bob.credentials)
        let line = try await transport.dial(agent.link)
        let script = ScriptedHandshake(bob, over: line)
        let answer = try await script.begin()
        let finish = try script.finish(after: answer)
        try line.send(.finish(finish))
        guard case .accept = try await line.receive() else {
            throw NeverHappened(description: "an honest handshake was refused")
        }
        await transport.end()
        try await until("the honest link is gone") { await agent.link(with: bob.node) == nil }
        return (bob, Overheard(hello: script.hello, answer: answer, finish: finish))
    }
}

/// What somebody who saw all of a handshake has.
private struct Overheard {
    let hello: InitiatorHello
    let answer: ResponderHello
    let finish: InitiatorFinish
}
