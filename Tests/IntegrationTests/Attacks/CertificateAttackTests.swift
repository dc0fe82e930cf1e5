import MeshBase
import MeshLink
import MeshTrust
import Testing

@Suite("Who shows a wrong certificate to a listening agent", .timeLimit(.minutes(1)))
struct CertificateAttackTests {
    @Test("gets nothing with a certificate of no node")
    func selfSigned() async throws {
        try await attack(showing: try Forgery.selfSigned(), because: .certificateMalformed)
    }

    @Test("gets nothing with a certificate of some authority")
    func ofAnAuthority() async throws {
        try await attack(showing: try Forgery.ofAnAuthority(), because: .certificateMalformed)
    }

    @Test("gets nothing with a certificate that names a trusted peer and is signed by another key")
    func naming() async throws {
        try await TestMesh.with { mesh in
            let (alice, bob) = try await mesh.pair()
            let attacker = try mesh.attacker(try Forgery.naming(bob.identity))
            let victim = Victim(alice)
            let line = try await attacker.dial(alice.link)
            try await victim.refused(line.denial(), because: .identityStatementInvalid)
        }
    }

    @Test("gets nothing with a trusted peer's statement copied into a certificate of its own")
    func copied() async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.start("alice")
            let bob = try Persona("bob")
            try await bob.join(alice)
            let attacker = try mesh.attacker(try Forgery.copying(bob.certificate.facts.statement))
            let victim = Victim(alice)
            let line = try await attacker.dial(alice.link)
            try await victim.refused(line.denial(), because: .identityStatementInvalid)
        }
    }

    @Test("gets nothing with a good certificate of a stranger")
    func stranger() async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.start("alice")
            let stranger = try Persona("mallory")
            let attacker = try mesh.attacker(stranger.credentials)
            let victim = Victim(alice)
            let line = try await attacker.dial(alice.link)
            try line.send(.hello(InitiatorHello(hello: stranger.hello(), invite: nil)))
            try await victim.refused(line.denial(), because: .peerUnknown)
        }
    }

    private func attack(showing credentials: LinkCredentials, because code: RefusalCode) async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.start("alice")
            let attacker = try mesh.attacker(credentials)
            let victim = Victim(alice)
            let line = try await attacker.dial(alice.link)
            try await victim.refused(line.denial(), because: code)
        }
    }
}
