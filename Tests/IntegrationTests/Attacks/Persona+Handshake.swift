import Foundation
import MeshBase
import MeshCredentials
import MeshLink

@testable import MeshTrust

/// One handshake as somebody's initiator would lead it, step by step, so that a test can leave the path.
struct ScriptedHandshake {
    let persona: Persona
    let line: AttackLine
    let secret: Octets?
    let hello: InitiatorHello
    private let suite = SystemSuite()

    /// - Parameters:
    ///   - secret: an invite's; nil on `comity/1`.
    ///   - hello: what to say first, instead of what is honest.
    init(_ persona: Persona, over line: AttackLine, secret: Octets? = nil, hello: InitiatorHello? = nil) {
        self.persona = persona
        self.line = line
        self.secret = secret
        let invite = secret.map { InviteName(secret: $0, using: SystemSuite()) }
        self.hello = hello ?? InitiatorHello(hello: persona.hello(), invite: invite)
    }

    /// Sends M1; answers M2.
    func begin() async throws -> ResponderHello {
        try line.send(.hello(hello))
        let message = try await line.receive()
        guard case .answer(let answer) = message else {
            throw NeverHappened(description: "instead of M2 came \(message)")
        }
        return answer
    }

    /// An honest M3.
    func finish(after answer: ResponderHello) throws -> InitiatorFinish {
        let transcript = try transcript(answer)
        let proof = InitiatorProof(
            transcript: transcript.digest, grants: Grants(name: persona.name, trust: true))
        return InitiatorFinish(
            secretProof: secret.map { transcript.secretProof(.initiator, secret: $0, using: suite) },
            proof: try Signer(persona.key).signed(proof, using: suite))
    }

    /// All of it, honestly; answers M4, or throws.
    @discardableResult
    func complete() async throws -> ResponderAccept {
        try line.send(.finish(finish(after: await begin())))
        let message = try await line.receive()
        guard case .accept(let accept) = message else {
            throw NeverHappened(description: "instead of M4 came \(message)")
        }
        return accept
    }

    func transcript(_ answer: ResponderHello) throws -> Transcript {
        guard let shown = line.secured.peerCertificate else {
            throw NeverHappened(description: "the listener showed no certificate")
        }
        let theirs = try CertificateReader.facts(der: shown)
        let ours = try CertificateReader.facts(der: line.secured.ownCertificate)
        return Transcript(
            version: 1, binding: 1,
            initiator: Transcript.Side(
                hello: hello.hello, certificateDigest: ours.certificateDigest,
                certificateKey: ours.certificateKey),
            responder: Transcript.Side(
                hello: answer.hello, certificateDigest: theirs.certificateDigest,
                certificateKey: theirs.certificateKey),
            hello: hello, answer: answer, using: suite)
    }
}

extension Persona {
    /// Makes trust with an agent under an invite of it, as an honest node would.
    func join(_ agent: RunningAgent) async throws {
        let request = try await agent.invite()
        let attacker = try Attacker(credentials)
        let line = try await attacker.dial(agent.link, for: .pairing)
        try await ScriptedHandshake(self, over: line, secret: request.secret).complete()
        await attacker.end()
        try await until("\(name) is trusted") { await agent.state(of: node) == .trusted }
    }

    /// Makes a link with an agent that trusts it; the line is admitted on both ends.
    func link(to agent: RunningAgent, through attacker: Attacker) async throws -> AttackLine {
        let line = try await attacker.dial(agent.link)
        try await ScriptedHandshake(self, over: line).complete()
        attacker.transport.admit(line.secured.id)
        try await until("\(name) has a link") { await agent.link(with: node) != nil }
        return line
    }
}
