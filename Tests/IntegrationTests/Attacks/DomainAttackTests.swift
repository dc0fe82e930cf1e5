import Foundation
import MeshBase
import MeshControl
import Testing

@testable import MeshAgent
@testable import MeshCredentials
@testable import MeshTrust

@Suite("Who claims a place in a domain", .timeLimit(.minutes(1)))
struct DomainAttackTests {
    private let suite = SystemSuite()

    /// An agent with a domain of its own, its anchor's hand, and somebody at its door.
    private func besieged(
        _ purpose: ConnectionPurpose = .peering,
        _ attack: (RunningAgent, Signer, DomainID, Persona, AttackLine) async throws -> Void
    ) async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.start("alice")
            let name = try #require(NodeName("acme"))
            let domain = try await alice.agent.handlers.createDomain(.init(name: name, roles: [])).id
            let anchor = Signer(try IdentityKey.load(from: alice.home.anchorKey))
            let mallory = try Persona("mallory")
            let attacker = try mesh.attacker(mallory.credentials)
            let line = try await attacker.dial(alice.link, for: purpose == .pairing ? .pairing : .peer)
            try await attack(alice, anchor, domain, mallory, line)
        }
    }

    private func hello(
        _ persona: Persona, _ domain: DomainID, over line: AttackLine
    ) throws -> InitiatorHello {
        let hello = persona.hello()
        let own = try CertificateReader.facts(der: line.secured.ownCertificate)
        let tag = AnchorTag.tag(
            of: domain, nonce: hello.nonce, certificate: own.certificateDigest, using: suite)
        return InitiatorHello(hello: hello, invite: nil, anchors: [tag])
    }

    private func credential(
        of persona: Persona, in domain: DomainID, by signer: Signer, issued: WallTime = Persona.now,
        life: Duration = .seconds(3_600)
    ) throws -> Signed<Credential> {
        let body = Credential(
            domain: domain, node: persona.node, pin: persona.key.pin, roles: .member, issued: issued,
            until: issued + life)
        return try signer.signed(body, using: suite)
    }

    /// Leads a handshake up to M3 with this credential; answers what came.
    private func present(
        _ chain: CredentialChain, _ persona: Persona, _ domain: DomainID, over line: AttackLine
    ) async throws -> Denial {
        let script = try ScriptedHandshake(persona, over: line, hello: hello(persona, domain, over: line))
        let answer = try await script.begin()
        #expect(answer.chain != nil)
        let proof = InitiatorProof(
            transcript: try script.transcript(answer).digest,
            grants: Grants(name: persona.name, trust: true), chain: chain.digest(using: suite))
        try line.send(
            .finish(
                InitiatorFinish(
                    secretProof: nil, proof: try Signer(persona.key).signed(proof, using: suite), chain: chain
                )))
        return try await line.denial()
    }

    @Test("gets in with a credential of the anchor, so that what follows is refused for its own reason")
    func honest() async throws {
        try await besieged { alice, anchor, domain, mallory, line in
            let key = try #require(try AnchorKey.publicKey(at: alice.home.anchorKey))
            let chain = CredentialChain(
                anchor: key, issuer: nil, credential: try credential(of: mallory, in: domain, by: anchor),
                authority: nil)
            let script = try ScriptedHandshake(
                mallory, over: line, hello: hello(mallory, domain, over: line))
            let answer = try await script.begin()
            let proof = InitiatorProof(
                transcript: try script.transcript(answer).digest,
                grants: Grants(name: mallory.name, trust: true), chain: chain.digest(using: suite))
            try line.send(
                .finish(
                    InitiatorFinish(
                        secretProof: nil, proof: try Signer(mallory.key).signed(proof, using: suite),
                        chain: chain)))
            guard case .accept = try await line.receive() else {
                Issue.record("an honest member is refused")
                return
            }
            try await until("it is trusted") { await alice.state(of: mallory.node) == .trusted }
        }
    }

    @Test("gets nothing by guessing tags")
    func guessedTag() async throws {
        try await besieged { alice, _, _, mallory, line in
            let victim = Victim(alice)
            let tags = (0..<16).map { _ in Persona.nonce }
            try line.send(
                .hello(InitiatorHello(hello: mallory.hello(), invite: nil, anchors: tags)))
            try await victim.refused(line.denial(), because: .peerUnknown)
        }
    }

    @Test("gets nothing with a credential of an anchor of its own")
    func otherAnchor() async throws {
        try await besieged { alice, _, domain, mallory, line in
            let victim = Victim(alice)
            let own = Signer(mallory.key)
            let foreign = CredentialChain(
                anchor: mallory.key.publicKey, issuer: nil,
                credential: try credential(of: mallory, in: DomainID(mallory.key.pin.digest), by: own),
                authority: nil)
            let denial = try await present(foreign, mallory, domain, over: line)
            try await victim.refused(denial, because: .domainUnknown, saying: .domainUnknown)
        }
    }

    @Test("learns nothing by the anchor of another domain above what that anchor never signed")
    func borrowedAnchor() async throws {
        try await besieged { alice, _, domain, mallory, line in
            let victim = Victim(alice)
            let other = IdentityKey.ephemeral()
            let foreign = CredentialChain(
                anchor: other.publicKey, issuer: nil,
                credential: try credential(
                    of: mallory, in: DomainID(other.pin.digest), by: Signer(mallory.key)),
                authority: nil)
            let denial = try await present(foreign, mallory, domain, over: line)
            try await victim.refused(denial, because: .credentialInvalid, saying: .handshakeRefused)
        }
    }

    @Test("gets nothing with a member's credential and without that member's key")
    func stolen() async throws {
        try await besieged { alice, anchor, domain, mallory, line in
            let victim = Victim(alice)
            let key = try #require(try AnchorKey.publicKey(at: alice.home.anchorKey))
            let stolen = CredentialChain(
                anchor: key, issuer: nil,
                credential: try credential(of: try Persona("bob"), in: domain, by: anchor), authority: nil)
            let denial = try await present(stolen, mallory, domain, over: line)
            try await victim.refused(denial, because: .credentialInvalid)
        }
    }

    @Test("gets nothing with a credential that is over")
    func expired() async throws {
        try await besieged { alice, anchor, domain, mallory, line in
            let victim = Victim(alice)
            let key = try #require(try AnchorKey.publicKey(at: alice.home.anchorKey))
            let over = CredentialChain(
                anchor: key, issuer: nil,
                credential: try credential(
                    of: mallory, in: domain, by: anchor, issued: Persona.now - .seconds(7_200)),
                authority: nil)
            let denial = try await present(over, mallory, domain, over: line)
            try await victim.refused(denial, because: .credentialExpired)
        }
    }

    @Test("gets nothing with a credential that a member signed, which was never made an issuer")
    func noIssuer() async throws {
        try await besieged { alice, anchor, domain, mallory, line in
            let victim = Victim(alice)
            let key = try #require(try AnchorKey.publicKey(at: alice.home.anchorKey))
            let bob = try Persona("bob")
            _ = try credential(of: bob, in: domain, by: anchor)
            let made = IssuerCertificate(
                domain: domain, node: bob.node, key: bob.key.publicKey, roles: .member, issued: Persona.now,
                until: Persona.now + .seconds(3_600))
            let forged = CredentialChain(
                anchor: key, issuer: try Signer(bob.key).signed(made, using: suite),
                credential: try credential(of: mallory, in: domain, by: Signer(bob.key)), authority: nil)
            let denial = try await present(forged, mallory, domain, over: line)
            try await victim.refused(denial, because: .issuerInvalid)
        }
    }

    @Test("enrols with no token of another domain, and stores nothing")
    func foreignToken() async throws {
        try await besieged(.pairing) { alice, _, domain, mallory, line in
            let victim = Victim(alice)
            let token = IdentityKey.ephemeral()
            let other = IdentityKey.ephemeral()
            let record = TokenRecord(
                domain: DomainID(other.pin.digest), label: mallory.name, key: token.publicKey, roles: .member,
                until: Persona.now + .seconds(3_600), uses: 9)
            let script = try ScriptedHandshake(
                mallory, over: line, hello: hello(mallory, domain, over: line))
            let answer = try await script.begin()
            let transcript = try script.transcript(answer).digest
            let proof = InitiatorProof(
                transcript: transcript, grants: Grants(name: mallory.name, trust: true),
                request: EnrolmentRequest(houseAgreement: answer.houseAgreement))
            let presented = TokenPresentation(
                record: try Signer(other).signed(record, using: suite),
                proof: try Signer(token).signed(TokenProof(transcript: transcript), using: suite))
            try line.send(
                .finish(
                    InitiatorFinish(
                        secretProof: nil, proof: try Signer(mallory.key).signed(proof, using: suite),
                        token: presented)))
            let denial = try await line.denial()
            #expect(denial.code == .tokenForeign)
            #expect(await alice.plane.node.trust.pins.peers.isEmpty)
            #expect(await alice.plane.node.trust.domains.tokens.isEmpty)
            victim.stayedShut()
        }
    }
}
