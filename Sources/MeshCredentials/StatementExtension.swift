import MeshBase
import MeshTrust
import SwiftASN1
import X509

/// The private extension of a node certificate that carries the identity statement (protocol section 1):
///
///     IdentityStatement ::= SEQUENCE {
///         nodeID OCTET STRING (SIZE (32)), identityKey OCTET STRING, signature OCTET STRING (SIZE (64)) }
///
/// `identityKey` holds a SubjectPublicKeyInfo in DER. The extension is not critical, so that common tools can
/// show the certificate.
struct StatementExtension: DERSerializable, DERParseable {
    /// UUID 8a9b0d3a-49e6-490f-a208-76ed4b98fca0 in seven arcs below the arc that anybody may use for a UUID
    /// of their own (`Certs/README.md` says why not 2.25).
    static let identifier: ASN1ObjectIdentifier = [
        1, 2, 840, 113556, 1, 8000, 2554, 35483, 3386, 18918, 18703, 41480, 7_793_995, 10_026_144,
    ]

    let statement: IdentityStatement

    init(_ statement: IdentityStatement) { self.statement = statement }

    init(derEncoded rootNode: ASN1Node) throws {
        let fields = try DER.sequence(rootNode, identifier: .sequence) { nodes in
            (
                node: try ASN1OctetString(derEncoded: &nodes).bytes,
                key: try ASN1OctetString(derEncoded: &nodes).bytes,
                signature: try ASN1OctetString(derEncoded: &nodes).bytes
            )
        }
        let identityKey = PublicKey(info: Array(fields.key))
        guard let node = MeshBase.Digest(fields.node), CanonicalKey(identityKey) != nil,
            fields.signature.count == 64
        else {
            throw CredentialError.certificateMalformed(what: "a field of the identity statement")
        }
        statement = IdentityStatement(
            node: NodeID(node), identityKey: identityKey, signature: Octets(Array(fields.signature)))
    }

    func serialize(into coder: inout DER.Serializer) throws {
        try coder.appendConstructedNode(identifier: .sequence) { coder in
            try coder.serialize(ASN1OctetString(contentBytes: statement.node.digest.bytes[...]))
            try coder.serialize(ASN1OctetString(contentBytes: statement.identityKey.info.bytes[...]))
            try coder.serialize(ASN1OctetString(contentBytes: statement.signature.bytes[...]))
        }
    }

    /// The extension as it stands in a certificate.
    func inCertificate() throws -> Certificate.Extension {
        var serializer = DER.Serializer()
        try serialize(into: &serializer)
        return Certificate.Extension(
            oid: Self.identifier, critical: false, value: serializer.serializedBytes[...])
    }
}
