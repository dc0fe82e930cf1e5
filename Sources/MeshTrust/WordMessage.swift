import MeshBase

/// What travels between M2 and M3 when two people compare words.
public enum WordMessage: Equatable, Sendable {
    /// Initiator to responder: its nonce, sealed.
    case commitment(WordCommitment)
    /// Responder to initiator: its nonce.
    case nonce(WordNonce)
    /// Initiator to responder: the nonce that it committed to.
    case opening(WordNonce)
    /// Responder to initiator: its operator said yes; the initiator may sign.
    case ready(WordReadiness)
}

/// The initiator's nonce, sealed: whatever the responder answers, the nonce stands.
public struct WordCommitment: Codable, Equatable, Sendable {
    /// SHA-256 of label, nonce, and the initiator's node ID and pin.
    public let commitment: Digest

    public init(commitment: Digest) { self.commitment = commitment }

    init(nonce: Digest, of hello: Hello, using suite: some SignatureSuite) {
        var fields = FieldSequence(.wordCommitment)
        fields.append(nonce)
        fields.append(hello.node.digest)
        fields.append(suite.pin(of: hello.identityKey).digest)
        commitment = suite.digest(fields.bytes)
    }
}

/// One side's nonce.
public struct WordNonce: Codable, Equatable, Sendable {
    /// 32 bytes that nobody could foresee.
    public let nonce: Digest

    public init(nonce: Digest) { self.nonce = nonce }
}

/// The responder's operator said yes.
public struct WordReadiness: Codable, Equatable, Sendable {
    /// To this handshake's transcript.
    public let transcript: Digest

    public init(transcript: Digest) { self.transcript = transcript }
}

/// How M1 asks to make trust, where it names no invite.
public enum PairingManner: String, Codable, Equatable, Sendable {
    /// Two people compare words.
    case words
}
