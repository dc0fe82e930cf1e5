import Crypto
import Foundation
import MeshBase
import MeshTrust
import SwiftASN1
import X509

/// The certificate under which this process speaks TLS (protocol section 1): a key of its own that is never
/// on disk, a life of at most a day, and the identity key's signature over both.
///
/// It is self-signed with empty names: what makes it somebody's is the identity statement, not a path to an
/// authority. Whoever wires the node issues another at `renewAt` and rebuilds its TLS contexts.
public struct NodeCertificate: Sendable {
    /// From `notBefore` to `notAfter`.
    public static let life: Duration = .seconds(24 * 3600)
    /// How long before its issue it is valid, so that a peer whose clock is slow names the skew and not the
    /// certificate.
    public static let headStart: Duration = .seconds(3600)

    /// The certificate, X.509 version 3 in DER.
    public let certificate: [UInt8]
    /// The private key of the certificate for the TLS library, PKCS#8 in DER: it exists in this process's
    /// memory only.
    public let privateKey: [UInt8]
    /// What a reader of `certificate` finds, for this side's own part of a handshake.
    public let facts: CertificateFacts
    /// When to issue the next one: two thirds of its life after `notBefore`.
    public let renewAt: WallTime

    /// Whether another is to be issued: most of its life is over, or it has not begun, since the clock was
    /// put back.
    public func isDueForRenewal(at now: WallTime) -> Bool { now >= renewAt || now < facts.notBefore }

    /// Issues a certificate with a fresh key.
    /// - Parameters:
    ///   - node: the node's lasting name: the pin of its first identity key.
    ///   - identity: the node's present identity key.
    /// - Throws: `certificateNotMade`, `signingFailed`.
    public static func issue(
        for node: NodeID, by identity: IdentityKey, at now: WallTime
    ) throws(CredentialError) -> NodeCertificate {
        let key = P256.Signing.PrivateKey()
        let validity = try Validity(from: now - headStart)
        let certificateKey = PublicKey(info: [UInt8](key.publicKey.derRepresentation))
        let signature = try identity.sign(
            IdentityStatement.signedBytes(
                node: node, certificateKey: certificateKey, notBefore: validity.notBefore,
                notAfter: validity.notAfter))
        let statement = IdentityStatement(
            node: node, identityKey: identity.publicKey, signature: Octets(signature))
        let certificate: [UInt8]
        do {
            certificate = try encoded(statement, under: key, validity)
        } catch {
            throw .certificateNotMade
        }
        return NodeCertificate(
            certificate: certificate, privateKey: [UInt8](key.derRepresentation),
            facts: CertificateFacts(
                certificateDigest: sha256(certificate), certificateKey: certificateKey,
                notBefore: validity.notBefore,
                notAfter: validity.notAfter, statement: statement),
            renewAt: validity.notBefore + life * 2 / 3)
    }

    /// X.509 counts whole seconds.
    private struct Validity {
        let notBefore: WallTime
        var notAfter: WallTime { notBefore + NodeCertificate.life }

        init(from time: WallTime) throws(CredentialError) {
            // Beyond the year 9999 a date has no encoding.
            guard (0...253_402_000_000_000).contains(time.milliseconds) else { throw .certificateNotMade }
            notBefore = WallTime(milliseconds: time.milliseconds / 1000 * 1000)
        }
    }

    private static func encoded(
        _ statement: IdentityStatement, under key: P256.Signing.PrivateKey, _ validity: Validity
    ) throws -> [UInt8] {
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(),
            publicKey: Certificate.PublicKey(key.publicKey),
            notValidBefore: validity.notBefore.date, notValidAfter: validity.notAfter.date,
            issuer: DistinguishedName(), subject: DistinguishedName(),
            extensions: Certificate.Extensions([
                Certificate.Extension(KeyUsage(digitalSignature: true), critical: true),
                Certificate.Extension(ExtendedKeyUsage([.serverAuth, .clientAuth]), critical: false),
                StatementExtension(statement).inCertificate(),
            ]),
            issuerPrivateKey: Certificate.PrivateKey(key))
        var serializer = DER.Serializer()
        try serializer.serialize(certificate)
        return serializer.serializedBytes
    }
}

extension NodeCertificate: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Whose it is and until when; nothing of the private key.
    public var description: String {
        "node certificate of \(facts.statement.node.brief) until \(facts.notAfter.milliseconds) ms"
    }
    /// Whose it is and until when; nothing of the private key.
    public var debugDescription: String { description }
    /// Everything but the private key.
    public var customMirror: Mirror { Mirror(self, children: ["facts": facts, "renewAt": renewAt]) }
}

extension WallTime {
    fileprivate var date: Date { Date(timeIntervalSince1970: Double(milliseconds / 1000)) }
}
