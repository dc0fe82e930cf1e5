import Foundation
import MeshBase
import MeshCredentials
import MeshTrust
import Synchronization

/// A node with a key and a certificate of its own.
struct Person {
    let key: IdentityKey
    let certificate: NodeCertificate
    let wall = WallTime(milliseconds: Person.wallNow)

    /// The wall clock, in milliseconds.
    static var wallNow: Int64 { Int64(Date().timeIntervalSince1970 * 1_000) }

    /// The key that its inception commits to.
    private let next: MeshBase.Digest

    init() throws {
        let folder = try Scratch()
        try self.init(try IdentityKey.create(at: folder.path + "/identity.key"))
    }

    init(_ key: IdentityKey, next: MeshBase.Digest = .zero) throws {
        self.key = key
        self.next = next
        certificate = try NodeCertificate.issue(for: key.nodeID, by: key, at: wall)
    }

    func side() throws -> HandshakeSide {
        let signer = Signer(key)
        let inception = try signer.signed(
            Inception(key: key.publicKey, nextKeyDigest: next), using: SystemSuite())
        guard let name = NodeName("node-\(key.nodeID.description.prefix(8))".lowercased()) else {
            throw Unfit("a node ID makes no name")
        }
        let identity = OwnIdentity(
            node: key.nodeID, key: key.publicKey, inception: inception, name: name,
            boot: BootID(number: wall.milliseconds, random: 1))
        return HandshakeSide(
            identity: identity, certificate: try CertificateReader.facts(der: certificate.certificate),
            sign: { try signer.sign($0) })
    }
}

/// The real suite, which counts how many signatures it checks.
struct CountingSuite: SignatureSuite {
    /// Shared by the copies that machines hold.
    final class Count: Sendable {
        let checked = Atomic(0)
    }

    let count = Count()
    private let suite = SystemSuite()

    func digest(_ bytes: [UInt8]) -> MeshBase.Digest { suite.digest(bytes) }
    func authenticationCode(of message: [UInt8], under key: [UInt8]) -> MeshBase.Digest {
        suite.authenticationCode(of: message, under: key)
    }
    func isValid(_ signature: [UInt8], over bytes: [UInt8], by key: PublicKey) -> Bool {
        count.checked.add(1, ordering: .relaxed)
        return suite.isValid(signature, over: bytes, by: key)
    }
    func encoded(_ value: some Encodable & Sendable) -> [UInt8] { suite.encoded(value) }

    /// How many signatures both machines of one handshake make, and check.
    static func countsOfHandshake() throws -> (made: Int, checked: Int) {
        let (suite, made) = (CountingSuite(), Count())
        let people = [try Person(), try Person()]
        let sides = try people.map { person in
            let side = try person.side()
            return HandshakeSide(identity: side.identity, certificate: side.certificate) {
                made.checked.add(1, ordering: .relaxed)
                return try side.sign($0)
            }
        }
        var pair = try HandshakePair(sides, suite: suite, at: people[0].wall)
        let before = (made.checked.load(ordering: .relaxed), suite.count.checked.load(ordering: .relaxed))
        try pair.shakeHands()
        return (
            made.checked.load(ordering: .relaxed) - before.0,
            suite.count.checked.load(ordering: .relaxed) - before.1
        )
    }
}
