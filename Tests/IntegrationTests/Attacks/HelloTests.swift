import MeshBase
import MeshTrust
import Testing

@testable import MeshCredentials

/// What may be wrong with a trusted peer's hello under its own good certificate, and what it is called.
enum Lie: String, CaseIterable, Sendable {
    case noCommonVersion, noCommonBinding, zeroNonce, clockAhead, clockBehind, otherInception,
        forgedInception,
        otherKey

    var code: RefusalCode {
        switch self {
        case .noCommonVersion: .versionUnsupported
        case .noCommonBinding: .bindingUnsupported
        case .zeroNonce: .nonceReused
        case .clockAhead, .clockBehind: .clockSkew
        case .otherInception, .forgedInception: .inceptionInvalid
        case .otherKey: .identityMismatch
        }
    }

    func told(by persona: Persona) throws -> Hello {
        let honest = persona.hello()
        return Hello(
            versions: self == .noCommonVersion ? [2] : honest.versions,
            bindings: self == .noCommonBinding ? [2] : honest.bindings,
            nonce: self == .zeroNonce ? .zero : honest.nonce, node: honest.node,
            identityKey: self == .otherKey ? IdentityKey.ephemeral().publicKey : honest.identityKey,
            inception: try inception(of: persona), boot: honest.boot, time: time(of: honest))
    }

    private func time(of honest: Hello) -> WallTime {
        switch self {
        case .clockAhead: honest.time + .seconds(400)
        case .clockBehind: honest.time - .seconds(400)
        default: honest.time
        }
    }

    private func inception(of persona: Persona) throws -> Signed<Inception> {
        let body = Inception(
            key: persona.key.publicKey, nextKeyDigest: IdentityKey.ephemeral().pin.digest)
        return switch self {
        case .otherInception: try Signer(persona.key).signed(body, using: SystemSuite())
        case .forgedInception: try Signer(IdentityKey.ephemeral()).signed(body, using: SystemSuite())
        default: persona.inception
        }
    }
}

@Suite("A hello that is not as it must be", .timeLimit(.minutes(1)))
struct HelloTests {
    @Test("is refused for its own reason, which a trusted peer is told", arguments: Lie.allCases)
    func refused(_ lie: Lie) async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.start("alice")
            let bob = try Persona("bob")
            try await bob.join(alice)
            let attacker = try mesh.attacker(bob.credentials)
            let victim = Victim(alice)
            let line = try await attacker.dial(alice.link)
            try line.send(.hello(InitiatorHello(hello: lie.told(by: bob), invite: nil)))
            let denial = try await line.denial()
            #expect(denial.code == lie.code)
            #expect(try await alice.refusal(under: denial.reference)?.code == lie.code)
            victim.stayedShut()
        }
    }

    @Test("is refused to a stranger without a reason, but for a clock that is off", arguments: Lie.allCases)
    func ofStranger(_ lie: Lie) async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.start("alice")
            let mallory = try Persona("mallory")
            let attacker = try mesh.attacker(mallory.credentials)
            let victim = Victim(alice)
            let line = try await attacker.dial(alice.link)
            try line.send(.hello(InitiatorHello(hello: lie.told(by: mallory), invite: nil)))
            let denial = try await line.denial()
            #expect(denial.code == (lie.code == .clockSkew ? .clockSkew : .handshakeRefused))
            #expect(try await alice.refusal(under: denial.reference) != nil)
            victim.stayedShut()
        }
    }

    @Test("is refused under a certificate whose day is over")
    func expired() async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.start("alice")
            let bob = try Persona("bob")
            try await bob.join(alice)
            let old = try NodeCertificate.issue(
                for: bob.node, by: bob.key, at: Persona.now - .seconds(24 * 3_600))
            let attacker = try mesh.attacker(
                .init(certificate: old.certificate, privateKey: old.privateKey))
            let victim = Victim(alice)
            let line = try await attacker.dial(alice.link)
            try line.send(.hello(InitiatorHello(hello: bob.hello(), invite: nil)))
            let denial = try await line.denial()
            #expect(try await alice.refusal(under: denial.reference)?.code == .certificateExpired)
            victim.stayedShut()
        }
    }
}
