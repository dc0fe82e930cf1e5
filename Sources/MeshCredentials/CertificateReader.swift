import Crypto
import Foundation
import MeshBase
import MeshTrust
import SwiftASN1
import X509

/// Reads the node certificate that a peer showed in TLS, strictly and before anybody believes any of it
/// (protocol section 1).
///
/// What is not exactly of the profile is refused: a reader that forgives teaches writers to err. Whether the
/// times are right now and whether the statement is truly the identity key's is not asked here; that is the
/// handshake machine's to decide and explain.
public enum CertificateReader {
    /// Ours take about 560 bytes.
    public static let sizeLimit = 8 * 1024

    /// What the certificate says.
    /// - Parameter der: the bytes that TLS delivered.
    /// - Throws: `certificateMalformed` with the first rule that it breaks; nothing of the certificate's own
    ///   text.
    public static func facts(der: [UInt8]) throws(CredentialError) -> CertificateFacts {
        guard der.count <= sizeLimit else {
            throw .certificateMalformed(what: "more than \(sizeLimit) bytes")
        }
        let certificate = try parsed(der)
        guard certificate.version == .v3 else { throw .certificateMalformed(what: "not X.509 version 3") }
        guard certificate.subject.isEmpty, certificate.issuer.isEmpty else {
            throw .certificateMalformed(what: "a name where the profile has none")
        }
        let certificateKey = try key(of: certificate, as: der)
        try checkUsage(of: certificate)
        let statement = try statement(in: certificate)
        let (notBefore, notAfter) = try validity(of: certificate)
        return CertificateFacts(
            certificateDigest: sha256(der), certificateKey: certificateKey, notBefore: notBefore,
            notAfter: notAfter,
            statement: statement)
    }

    /// The library refuses trailing bytes, duplicate extensions and more than 32 of them. Its errors quote
    /// what they read, so they go no further than here.
    private static func parsed(_ der: [UInt8]) throws(CredentialError) -> Certificate {
        do {
            return try Certificate(derEncoded: der)
        } catch {
            throw .certificateMalformed(what: "not one X.509 certificate in DER")
        }
    }

    private static func key(of certificate: Certificate, as der: [UInt8]) throws(CredentialError) -> PublicKey
    {
        guard let key = P256.Signing.PublicKey(certificate.publicKey) else {
            throw .certificateMalformed(what: "a key that is not P-256")
        }
        guard isSigned(certificate, as: der, by: key) else {
            throw .certificateMalformed(what: "not signed by its own key with ECDSA and SHA-256")
        }
        return PublicKey(info: [UInt8](key.derRepresentation))
    }

    /// Whether the holder of the key wrote these very bytes. What stands behind the signed part is compared
    /// with its one encoding: the library would take a signature with unused bits or with a negative number.
    private static func isSigned(_ certificate: Certificate, as der: [UInt8], by key: P256.Signing.PublicKey)
        -> Bool
    {
        do {
            let signature = try P256.Signing.ECDSASignature(
                derRepresentation: certificate.signature.rawRepresentation)
            let encoded = signature.derRepresentation
            let tail = ecdsaWithSHA256 + [0x03, UInt8(encoded.count + 1), 0x00] + encoded
            return der.suffix(tail.count).elementsEqual(tail)
                && key.isValidSignature(signature, for: certificate.tbsCertificateBytes)
        } catch {
            // No ECDSA signature at all, or numbers out of range.
            return false
        }
    }

    /// AlgorithmIdentifier in DER (RFC 5758 section 3.2): no parameters.
    private static let ecdsaWithSHA256: [UInt8] = [
        0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02,
    ]

    private static func checkUsage(of certificate: Certificate) throws(CredentialError) {
        let usage: KeyUsage?
        let extended: ExtendedKeyUsage?
        do {
            usage = try certificate.extensions.keyUsage
            extended = try certificate.extensions.extendedKeyUsage
        } catch {
            throw .certificateMalformed(what: "a key usage that cannot be read")
        }
        guard usage == KeyUsage(digitalSignature: true) else {
            throw .certificateMalformed(what: "a key usage other than digitalSignature")
        }
        guard let extended, extended.count == 2, extended.contains(.clientAuth),
            extended.contains(.serverAuth)
        else {
            throw .certificateMalformed(what: "an extended key usage other than clientAuth and serverAuth")
        }
        let understood: [ASN1ObjectIdentifier] = [
            .X509ExtensionID.keyUsage, .X509ExtensionID.extendedKeyUsage, StatementExtension.identifier,
        ]
        guard certificate.extensions.allSatisfy({ !$0.critical || understood.contains($0.oid) }) else {
            throw .certificateMalformed(what: "a critical extension that is not of the profile")
        }
    }

    private static func statement(in certificate: Certificate) throws(CredentialError) -> IdentityStatement {
        guard let carrier = certificate.extensions[oid: StatementExtension.identifier] else {
            throw .certificateMalformed(what: "no identity statement")
        }
        do {
            return try StatementExtension(derEncoded: carrier.value).statement
        } catch {
            throw .certificateMalformed(what: "an identity statement that cannot be read")
        }
    }

    private static func validity(of certificate: Certificate) throws(CredentialError) -> (WallTime, WallTime)
    {
        // Dates in X.509 are whole seconds up to the year 9999: a Double holds them exactly.
        let notBefore = WallTime(milliseconds: Int64(certificate.notValidBefore.timeIntervalSince1970) * 1000)
        let notAfter = WallTime(milliseconds: Int64(certificate.notValidAfter.timeIntervalSince1970) * 1000)
        guard notBefore.milliseconds >= 0, notBefore < notAfter else {
            throw .certificateMalformed(what: "a validity that ends before it begins, or begins before 1970")
        }
        // A stolen TLS key dies by itself only if nobody accepts a longer life.
        guard notAfter - notBefore <= NodeCertificate.life else {
            throw .certificateMalformed(what: "a life of more than 24 hours")
        }
        return (notBefore, notAfter)
    }
}
