import MeshBase

/// The first entry of a node's identity log (protocol section 1): its first key, and a commitment to the next
/// one.
///
/// Signed by that first key, carried in every hello, and pinned by its digest together with the node ID. Who
/// later steals the current key cannot rotate it, because the next key was committed here.
public struct Inception: SignedBody {
    public static let kind = DocumentKind.inception

    /// The first identity key; its pin is the node ID.
    public let key: PublicKey
    /// SHA-256 of the next identity key's SubjectPublicKeyInfo.
    public let nextKeyDigest: Digest

    public init(key: PublicKey, nextKeyDigest: Digest) {
        self.key = key
        self.nextKeyDigest = nextKeyDigest
    }
}

extension Signed where Body == Inception {
    /// Whether this is the inception of `node`: signed by the key it names, whose pin is the node ID.
    func isInception(of node: NodeID, using suite: some SignatureSuite) -> Bool {
        suite.pin(of: body.key).digest == node.digest && isSigned(by: body.key, using: suite)
    }
}
