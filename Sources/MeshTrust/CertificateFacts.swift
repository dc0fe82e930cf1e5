import MeshBase

/// What a TLS certificate says, read strictly from its DER, before anybody believes any of it.
public struct CertificateFacts: Equatable, Sendable {
    /// SHA-256 of the certificate's DER.
    public let certificateDigest: Digest
    /// The key that TLS proved.
    public let certificateKey: PublicKey
    /// The beginning of its validity.
    public let notBefore: WallTime
    /// The end of its validity.
    public let notAfter: WallTime
    /// What the identity key says of it.
    public let statement: IdentityStatement

    public init(
        certificateDigest: Digest, certificateKey: PublicKey, notBefore: WallTime, notAfter: WallTime,
        statement: IdentityStatement
    ) {
        self.certificateDigest = certificateDigest
        self.certificateKey = certificateKey
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.statement = statement
    }

    /// Whether the statement is the identity key's, over this very certificate key and validity.
    public func isStatementValid(using suite: some SignatureSuite) -> Bool {
        let bytes = IdentityStatement.signedBytes(
            node: statement.node, certificateKey: certificateKey, notBefore: notBefore, notAfter: notAfter)
        return suite.isValid(statement.signature.bytes, over: bytes, by: statement.identityKey)
    }
}

/// The extension of a node certificate (protocol section 1): the identity key, and its signature over the key
/// that TLS uses.
///
/// libp2p's pattern (its TLS specification, "Public Key Extension") with a validity: a stolen TLS key dies by
/// itself.
public struct IdentityStatement: Equatable, Sendable {
    /// The node whose certificate it is.
    public let node: NodeID
    /// The node's identity key.
    public let identityKey: PublicKey
    /// The identity key's signature over `signedBytes`.
    public let signature: Octets

    public init(node: NodeID, identityKey: PublicKey, signature: Octets) {
        self.node = node
        self.identityKey = identityKey
        self.signature = signature
    }

    /// What the identity key signs: (label, node ID, certificate key, notBefore, notAfter), times in
    /// milliseconds.
    public static func signedBytes(
        node: NodeID, certificateKey: PublicKey, notBefore: WallTime, notAfter: WallTime
    ) -> [UInt8] {
        var fields = FieldSequence(.nodeCertificate)
        fields.append(node.digest)
        fields.append(certificateKey.info.bytes)
        fields.append(notBefore.milliseconds)
        fields.append(notAfter.milliseconds)
        return fields.bytes
    }
}

/// What TLS could tell about the other side's certificate.
public enum PresentedCertificate: Equatable, Sendable {
    /// There was none: no client certificate, or a resumed session that brought none.
    case missing
    /// There was one, and this is wrong with it.
    case malformed(String)
    /// There was one, well formed.
    case wellFormed(CertificateFacts)
}

extension SecuredConnection {
    /// Why the other end is not `node`, as far as TLS and the certificate show; nil when it is. Enough to see
    /// who listens somewhere, never enough for a link.
    public func refusal(unlessOf node: NodeID, using suite: some SignatureSuite) -> RefusalCode? {
        switch presented {
        case .missing: return .certificateMissing
        case .malformed: return .certificateMalformed
        case .wellFormed(let facts):
            guard facts.isStatementValid(using: suite) else { return .identityStatementInvalid }
            let pin = suite.pin(of: facts.statement.identityKey)
            return facts.statement.node == node && pin.digest == node.digest ? nil : .identityMismatch
        }
    }
}
