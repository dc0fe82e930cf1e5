import Crypto
import MeshBase
import SwiftASN1
import X509

@testable import MeshCredentials
@testable import MeshTrust

/// Certificates as TLS delivers them, and what is inside them.
extension FuzzTargets {
    static let credentials = [
        certificate, signedCertificate, identityStatement, publicKey, joinToken, bundleFile,
    ]

    /// The file of a join token: whoever wrote it, what is taken is a key that fits its record.
    private static let joinToken = FuzzTarget(
        "join-token", longest: HeldToken.lengthMax,
        samples: {
            let draft = HeldToken.Draft()
            guard let label = NodeName("acme"), let roles = RoleList([.member]) else { return [] }
            let anchor = IdentityKey.ephemeral()
            let domain = DomainID(anchor.pin.digest)
            let record = TokenRecord(
                domain: domain, label: label, key: draft.publicKey, roles: roles,
                until: WallTime(milliseconds: 1_795_229_494_556), uses: 2)
            let signed = try Signer(anchor).signed(record, using: SystemSuite())
            return [Array(try draft.held(under: JoinToken(record: signed, domain: domain)).text().utf8)]
        },
        read: { bytes in
            guard let token = try refusing({ try HeldToken(bytes) }) else { return .refused }
            let again = try HeldToken(Array(try token.text().utf8))
            try hold(again.token == token.token, "written and read again it is another token")
            try hold(
                SystemSuite().pin(of: token.token.record.body.key) == token.signer.pin,
                "a token whose key is not its record's")
            return .taken
        })

    private static let certificate = FuzzTarget(
        "certificate", longest: 2_048,
        samples: { [try CertificateWorkshop().certificate()] },
        read: { der in
            guard let facts = try refusingCredential({ try CertificateReader.facts(der: der) }) else {
                return .refused
            }
            try check(facts, der)
            return .taken
        })

    /// The signed part, signed by the key that it names: what a stranger can make who knows no secret.
    private static let signedCertificate = FuzzTarget(
        "certificate-signed", longest: 2_048,
        samples: {
            var workshop = CertificateWorkshop()
            workshop.key = Certificate.PrivateKey(try key())
            return [Array(try Certificate(derEncoded: workshop.certificate()).tbsCertificateBytes)]
        },
        read: { tbs in
            let der = try enveloped(tbs, by: key())
            guard let facts = try refusingCredential({ try CertificateReader.facts(der: der) }) else {
                return .refused
            }
            try check(facts, der)
            return .taken
        })

    private static let identityStatement = FuzzTarget(
        "identity-statement", longest: 512,
        samples: { [try der(StatementExtension(CertificateWorkshop().statement))] },
        read: { bytes in
            let read: StatementExtension
            do { read = try StatementExtension(derEncoded: bytes) } catch { return .refused }
            try hold(try der(read) == bytes, "one statement has two encodings")
            return .taken
        })

    private static let publicKey = FuzzTarget(
        "public-key", longest: 128,
        samples: { [CertificateWorkshop().statement.identityKey.info.bytes] },
        read: { bytes in
            guard let canonical = CanonicalKey(PublicKey(info: bytes)) else { return .refused }
            try hold([UInt8](canonical.key.derRepresentation) == bytes, "one key has two encodings")
            return .taken
        })

    private static func check(_ facts: CertificateFacts, _ der: [UInt8]) throws {
        try hold(facts.certificateDigest == sha256(der), "the digest is of other bytes")
        try hold(facts.notAfter - facts.notBefore <= NodeCertificate.life, "a life of more than a day")
        try hold(facts.notBefore < facts.notAfter, "a life that ends before it begins")
        try hold(CanonicalKey(facts.certificateKey) != nil, "a key with two encodings")
        try hold(CanonicalKey(facts.statement.identityKey) != nil, "an identity key with two encodings")
    }

    /// `tbs` with algorithm and signature behind it, as RFC 5280 section 4.1 has it.
    private static func enveloped(_ tbs: [UInt8], by key: P256.Signing.PrivateKey) throws -> [UInt8] {
        let algorithm: [UInt8] = [
            0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02,
        ]
        let signature = [UInt8](try key.signature(for: tbs).derRepresentation)
        let body = tbs + algorithm + [0x03, UInt8(signature.count + 1), 0] + signature
        return [0x30, 0x82, UInt8(body.count >> 8), UInt8(body.count & 0xff)] + body
    }

    private static func key() throws -> P256.Signing.PrivateKey {
        try P256.Signing.PrivateKey(rawRepresentation: Array(1...32))
    }

    private static func refusingCredential<Value>(_ read: () throws -> Value) throws -> Value? {
        do {
            return try read()
        } catch let error as CredentialError {
            guard case .certificateMalformed = error else { throw Breach("another error: \(error)") }
            return nil
        }
    }
}
