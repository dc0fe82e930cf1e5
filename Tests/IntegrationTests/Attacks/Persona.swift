import Crypto
import Foundation
import MeshBase
import MeshLink
import MeshTrust

@testable import MeshCredentials

/// A node that exists only in a test: every key of it is the test's to use and to abuse.
struct Persona: Sendable {
    let name: NodeName
    let key: IdentityKey
    let inception: Signed<Inception>
    let certificate: NodeCertificate
    let boot: BootID

    private static let suite = SystemSuite()

    init(_ name: String) throws {
        guard let name = NodeName(name) else { fatalError("\(name) is no name") }
        self.name = name
        key = IdentityKey.ephemeral()
        let body = Inception(key: key.publicKey, nextKeyDigest: IdentityKey.ephemeral().pin.digest)
        inception = try Signer(key).signed(body, using: Self.suite)
        certificate = try NodeCertificate.issue(for: key.nodeID, by: key, at: Self.now)
        boot = BootID(number: Self.now.milliseconds, random: .random(in: .min ... .max))
    }

    static var now: WallTime { WallTime(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000)) }
    static var nonce: MeshBase.Digest {
        guard let digest = MeshBase.Digest((0..<32).map { _ in UInt8.random(in: .min ... .max) }) else {
            fatalError("32 bytes are a digest's")
        }
        return digest
    }

    var node: NodeID { key.nodeID }
    var credentials: LinkCredentials {
        LinkCredentials(certificate: certificate.certificate, privateKey: certificate.privateKey)
    }

    /// What an honest node would say first.
    func hello(nonce: MeshBase.Digest = nonce) -> Hello {
        Hello(
            versions: [1], bindings: [1], nonce: nonce, node: node, identityKey: key.publicKey,
            inception: inception, boot: boot, time: Self.now)
    }
}
