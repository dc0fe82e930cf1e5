import Crypto
import Foundation
import MeshBase
import MeshTrust
import SwiftASN1
import X509

@testable import MeshCredentials

/// Makes certificates that are of the profile but for what a test changes.
struct CertificateWorkshop {
    var statement: IdentityStatement
    var version = Certificate.Version.v3
    var life: Duration = .seconds(24 * 3600)
    var name = DistinguishedName()
    var key = Certificate.PrivateKey(P256.Signing.PrivateKey())
    var signer: Certificate.PrivateKey?
    var usage: KeyUsage? = KeyUsage(digitalSignature: true)
    var extendedUsage: [ExtendedKeyUsage.Usage]? = [.clientAuth, .serverAuth]
    var statementBytes: [UInt8]?
    var hasStatement = true
    var more: [Certificate.Extension] = []

    init(statement: IdentityStatement) { self.statement = statement }

    init() {
        let identity = IdentityKey.ephemeral()
        self.init(
            statement: IdentityStatement(
                node: identity.nodeID, identityKey: identity.publicKey,
                signature: Octets([UInt8](repeating: 1, count: 64))))
    }

    func changed(_ change: (inout CertificateWorkshop) -> Void) -> CertificateWorkshop {
        var workshop = self
        change(&workshop)
        return workshop
    }

    func certificate(from notBefore: WallTime = WallTime(milliseconds: 1_795_251_600_000)) throws -> [UInt8] {
        var extensions: [Certificate.Extension] = []
        if let usage { extensions.append(try Certificate.Extension(usage, critical: true)) }
        if let extendedUsage {
            extensions.append(try Certificate.Extension(ExtendedKeyUsage(extendedUsage), critical: false))
        }
        if hasStatement {
            var carrier = try StatementExtension(statement).inCertificate()
            if let statementBytes { carrier.value = statementBytes[...] }
            extensions.append(carrier)
        }
        let certificate = try Certificate(
            version: version, serialNumber: Certificate.SerialNumber(), publicKey: key.publicKey,
            notValidBefore: Date(timeIntervalSince1970: Double(notBefore.milliseconds / 1000)),
            notValidAfter: Date(timeIntervalSince1970: Double((notBefore + life).milliseconds / 1000)),
            issuer: name,
            subject: name, extensions: Certificate.Extensions(extensions + more),
            issuerPrivateKey: signer ?? key)
        return try der(certificate)
    }
}

func der(_ value: some DERSerializable) throws -> [UInt8] {
    var serializer = DER.Serializer()
    try serializer.serialize(value)
    return serializer.serializedBytes
}
