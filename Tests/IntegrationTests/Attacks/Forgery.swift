import Crypto
import Foundation
import MeshBase
import MeshLink
import MeshTrust
import SwiftASN1
import X509

@testable import MeshCredentials

/// Certificates that no honest node would show, with the keys to show them.
enum Forgery {
    /// In the form of a node certificate, for a key of the forger's, with somebody's statement copied.
    static func copying(_ statement: IdentityStatement) throws -> LinkCredentials {
        let key = P256.Signing.PrivateKey()
        return try credentials(
            key, signedBy: key, extensions: [StatementExtension(statement).inCertificate()])
    }

    /// In the form of a node certificate that names `victim`, whose statement the forger signed himself.
    static func naming(_ victim: OwnIdentity) throws -> LinkCredentials {
        let key = P256.Signing.PrivateKey()
        let (from, until) = validity
        let bytes = IdentityStatement.signedBytes(
            node: victim.node, certificateKey: PublicKey(info: [UInt8](key.publicKey.derRepresentation)),
            notBefore: wall(from), notAfter: wall(until))
        let signature = try IdentityKey.ephemeral().sign(bytes)
        let statement = IdentityStatement(
            node: victim.node, identityKey: victim.key, signature: Octets(signature))
        return try credentials(
            key, signedBy: key, extensions: [StatementExtension(statement).inCertificate()])
    }

    /// An ordinary self-signed certificate.
    static func selfSigned() throws -> LinkCredentials {
        let key = P256.Signing.PrivateKey()
        return try credentials(key, signedBy: key, extensions: [])
    }

    /// A certificate that some authority issued.
    static func ofAnAuthority() throws -> LinkCredentials {
        try credentials(P256.Signing.PrivateKey(), signedBy: P256.Signing.PrivateKey(), extensions: [])
    }

    private static var validity: (from: Date, until: Date) {
        let begin = Date(timeIntervalSince1970: (Date().timeIntervalSince1970 - 60).rounded(.down))
        return (begin, begin.addingTimeInterval(3_600))
    }

    private static func wall(_ date: Date) -> WallTime {
        WallTime(milliseconds: Int64(date.timeIntervalSince1970) * 1_000)
    }

    private static func credentials(
        _ key: P256.Signing.PrivateKey, signedBy issuer: P256.Signing.PrivateKey,
        extensions: [Certificate.Extension]
    ) throws -> LinkCredentials {
        let (from, until) = validity
        let isForged = !extensions.isEmpty
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(),
            publicKey: Certificate.PublicKey(key.publicKey), notValidBefore: from, notValidAfter: until,
            issuer: isForged ? DistinguishedName() : DistinguishedName { CommonName("an authority") },
            subject: isForged ? DistinguishedName() : DistinguishedName { CommonName("somebody") },
            extensions: Certificate.Extensions(
                [
                    Certificate.Extension(KeyUsage(digitalSignature: true), critical: true),
                    Certificate.Extension(ExtendedKeyUsage([.serverAuth, .clientAuth]), critical: false),
                ] + extensions),
            issuerPrivateKey: Certificate.PrivateKey(issuer))
        var serializer = DER.Serializer()
        try serializer.serialize(certificate)
        return LinkCredentials(
            certificate: serializer.serializedBytes, privateKey: [UInt8](key.derRepresentation))
    }
}
