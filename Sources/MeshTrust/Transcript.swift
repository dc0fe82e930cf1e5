import MeshBase

/// What both sides of a handshake sign (protocol section 2): everything that was said, by whom, over which
/// certificates.
///
/// T = H(label, version, binding type and value, H(M1), H(M2 without its signature), then for initiator and
/// responder: role, node ID, pin, SHA-256 of its TLS certificate and of that certificate's key, nonce, time).
/// Both identities and both roles are covered (no misbinding, no reflection), both hellos (no downgrade), and
/// the certificates: each side takes its own from the context in use and the peer's from TLS, never from a
/// message, so a relay between two honest nodes makes two transcripts.
struct Transcript: Equatable, Sendable {
    /// One side's part.
    struct Side: Equatable, Sendable {
        let hello: Hello
        let certificateDigest: Digest
        let certificateKey: PublicKey
    }

    /// What is signed.
    let digest: Digest

    init(
        version: Int, binding: Int, initiator: Side, responder: Side, hello: InitiatorHello,
        answer: ResponderHello,
        using suite: some SignatureSuite
    ) {
        var fields = FieldSequence(.transcript)
        fields.append(Int64(version))
        fields.append(Int64(binding))
        fields.append(Transcript.bindingValue(initiator, responder, using: suite))
        fields.append(suite.digest(suite.encoded(hello)))
        fields.append(suite.digest(suite.encoded(answer.unsigned)))
        for (role, side) in [("initiator", initiator), ("responder", responder)] {
            fields.append(role)
            fields.append(side.hello.node.digest)
            fields.append(suite.pin(of: side.hello.identityKey).digest)
            fields.append(side.certificateDigest)
            fields.append(suite.digest(side.certificateKey.info.bytes))
            fields.append(side.hello.nonce)
            fields.append(side.hello.time.milliseconds)
        }
        digest = suite.digest(fields.bytes)
    }

    /// Binding type 1: both certificates' digests.
    private static func bindingValue(_ initiator: Side, _ responder: Side, using suite: some SignatureSuite)
        -> Digest
    {
        suite.digest(initiator.certificateDigest.bytes + responder.certificateDigest.bytes)
    }

    /// The proof, by `role`, that its maker knows an invite's secret.
    func secretProof(_ role: HandshakeRole, secret: Octets, using suite: some SignatureSuite) -> Digest {
        var fields = FieldSequence(.inviteProof)
        fields.append(role == .initiator ? "I" : "R")
        fields.append(digest)
        return suite.authenticationCode(of: fields.bytes, under: secret.bytes)
    }
}

/// Which end of a connection this side is.
public enum HandshakeRole: String, Sendable, Codable, Hashable {
    /// It dialled.
    case initiator
    /// It was dialled.
    case responder
}
