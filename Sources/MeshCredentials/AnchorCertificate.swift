import Crypto
import Foundation
import MeshBase
import SwiftASN1
import X509

/// The certificate of a domain's anchor, for readers of SPIFFE: a self-signed authority whose only name is
/// the trust domain `spiffe://DOMAIN-ID` (X509-SVID sections 2, 3.2 and 4).
///
/// This program issues no SVID under it and builds no path to it: what counts in a bundle is the key. A
/// domain's ID is letters and digits in lower case, 53 of them, so it is a trust domain's name as it stands;
/// its label is not unique.
enum AnchorCertificate {
    /// X.509's way to say that no end is set (RFC 5280 section 4.1.2.5): the key is the domain for ever.
    private static let noEnd = Date(timeIntervalSince1970: 253_402_300_799)
    /// No earlier than any clock that made a domain.
    private static let beginning = Date(timeIntervalSince1970: 1_577_836_800)

    /// The certificate in DER.
    /// - Throws: `certificateNotMade`.
    static func made(by anchor: IdentityKey) throws(CredentialError) -> [UInt8] {
        let domain = DomainID(anchor.pin.digest)
        do {
            let certificate = try Certificate(
                version: .v3, serialNumber: Certificate.SerialNumber(),
                publicKey: anchor.certificateKey.publicKey, notValidBefore: beginning, notValidAfter: noEnd,
                issuer: DistinguishedName { OrganizationName(domain.description) },
                subject: DistinguishedName { OrganizationName(domain.description) },
                extensions: Certificate.Extensions {
                    Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                    Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                    SubjectAlternativeNames([.uniformResourceIdentifier("spiffe://\(domain)")])
                    SubjectKeyIdentifier(hash: anchor.certificateKey.publicKey)
                },
                issuerPrivateKey: anchor.certificateKey)
            var serializer = DER.Serializer()
            try serializer.serialize(certificate)
            return serializer.serializedBytes
        } catch {
            throw .certificateNotMade
        }
    }

    /// The key of the authority that `der` is a certificate of; nil when it is of none, or of another kind of
    /// key.
    static func key(in der: [UInt8]) -> PublicKey? {
        do {
            let certificate = try Certificate(derEncoded: der)
            guard case .isCertificateAuthority? = try certificate.extensions.basicConstraints,
                let key = P256.Signing.PublicKey(certificate.publicKey)
            else { return nil }
            return PublicKey(info: [UInt8](key.derRepresentation))
        } catch {
            // That it is no certificate is the answer; the library's errors quote what they read.
            return nil
        }
    }
}
