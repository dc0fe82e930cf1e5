import Foundation
import MeshBase
import MeshNode
import MeshTrust
import MeshWire
import Testing

@Suite(
    "Who comes with openssl s_client",
    .enabled(if: OpenSSL.isHere, "needs \(OpenSSL.path) (Debian: apt-get install openssl)"),
    .timeLimit(.minutes(1)))
struct SessionTests {
    @Test("gets nothing without a client certificate")
    func noCertificate() async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.start("alice")
            let victim = Victim(alice)
            try await refused(
                try await OpenSSL.visit(alice.link, []), by: victim, because: .certificateMissing)
        }
    }

    @Test("gets nothing with a self-signed certificate of openssl's making")
    func foreignCertificate() async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.start("alice")
            let victim = Victim(alice)
            let (key, certificate) = (mesh.folder.file("k.pem"), mesh.folder.file("c.pem"))
            try await OpenSSL.run([
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                key, "-out", certificate, "-days", "2", "-subj", "/CN=somebody",
            ])
            let visit = try await OpenSSL.visit(alice.link, ["-cert", certificate, "-key", key])
            try await refused(visit, by: victim, because: .certificateMalformed)
        }
    }

    @Test("gets nothing by taking up a session while its peer is trusted: nothing was proved anew")
    func resumed() async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.start("alice")
            let bob = try Persona("bob")
            try await bob.join(alice)
            let files = try await SessionFiles(of: bob, in: mesh.folder)
            let first = try await OpenSSL.visit(alice.link, files.leaf + ["-sess_out", files.session])
            #expect(!first.isResumed)
            let victim = Victim(alice)
            let second = try await OpenSSL.visit(
                alice.link, ["-sess_in", files.session], sending: try hello(of: bob))
            #expect(second.isResumed)
            try await refused(second, by: victim, because: .certificateMissing)
        }
    }

    @Test("gets nothing by taking up a saved session after a revocation, with the leaf or without")
    func revoked() async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.start("alice")
            let bob = try Persona("bob")
            try await bob.join(alice)
            let files = try await SessionFiles(of: bob, in: mesh.folder)
            _ = try await OpenSSL.visit(alice.link, files.leaf + ["-sess_out", files.session])
            try await alice.decide(.revoke, about: bob.node)
            let victim = Victim(alice)
            let bare = try await OpenSSL.visit(
                alice.link, ["-sess_in", files.session], sending: try hello(of: bob))
            #expect(!bare.isResumed)
            try await refused(bare, by: victim, because: .certificateMissing)
            let proved = try await OpenSSL.visit(
                alice.link, files.leaf + ["-sess_in", files.session], sending: try hello(of: bob))
            #expect(!proved.isResumed)
            try await refused(proved, by: victim, because: .peerRevoked)
        }
    }

    @Test("gets nothing with TLS 1.2")
    func oldTLS() async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.start("alice")
            let victim = Victim(alice)
            let visit = try await OpenSSL.visit(alice.link, [], version: "-tls1_2")
            #expect(visit.text.contains("alert protocol version"))
            #expect(visit.refusedReference == nil && !visit.sawMore)
            victim.stayedShut()
        }
    }

    private func hello(of persona: Persona) throws -> [UInt8] {
        try Document.encode(
            LinkDocument.handshake(.hello(InitiatorHello(hello: persona.hello(), invite: nil))))
    }

    private func refused(_ visit: OpenSSL.Visit, by victim: Victim, because code: RefusalCode) async throws {
        #expect(!visit.sawMore)
        let reference = try #require(visit.refusedReference, "no denial in: \(visit.text.suffix(400))")
        #expect(try await victim.agent.refusal(under: reference)?.code == code)
        victim.stayedShut()
    }
}

/// A persona's leaf as files for openssl, and a place for the session.
private struct SessionFiles {
    let session: String
    let leaf: [String]

    init(of persona: Persona, in folder: TestFolder) async throws {
        session = folder.file("session.pem")
        let (certificate, key) = (folder.file("leaf.der"), folder.file("leaf-key.der"))
        try Data(persona.certificate.certificate).write(to: URL(filePath: certificate))
        try Data(persona.certificate.privateKey).write(to: URL(filePath: key))
        leaf = ["-cert", certificate, "-certform", "DER", "-key", key, "-keyform", "DER"]
    }
}
