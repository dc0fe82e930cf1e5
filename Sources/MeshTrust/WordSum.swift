import MeshBase

/// What two people compare: 32 bits of both nonces and the transcript, shown as four words (protocol section
/// 3).
///
/// HKDF with SHA-256 (RFC 5869): the transcript is the salt, both nonces are the keying material, the
/// initiator's first. Who is in the middle makes two transcripts, and each nonce was drawn before the other
/// was known; so the two screens agree by chance only, once in 2^32 tries.
public struct WordSum: Hashable, Sendable, CustomStringConvertible {
    /// Four bytes: one word each.
    public let octets: Octets

    /// As many bytes, and words.
    public static let length = 4

    /// Nil unless there are four bytes.
    public init?(_ octets: Octets) {
        guard octets.bytes.count == Self.length else { return nil }
        self.octets = octets
    }

    init(
        initiatorNonce: Digest, responderNonce: Digest, transcript: Digest, using suite: some SignatureSuite
    ) {
        let key = suite.authenticationCode(
            of: initiatorNonce.bytes + responderNonce.bytes, under: transcript.bytes)
        let expanded = suite.authenticationCode(of: Label.words.bytes + [1], under: key.bytes)
        octets = Octets(Array(expanded.bytes.prefix(Self.length)))
    }

    /// Eight hexadecimal digits.
    public var description: String { Hexadecimal.encode(octets.bytes) }
}

/// 32 random bytes that one window for pairing draws its nonces from. Nothing shows them.
public struct PairingSeed: Equatable, Sendable {
    private let octets: Octets

    /// - Parameter octets: 32 bytes from the system's generator.
    public init(_ octets: Octets) {
        precondition(octets.bytes.count == 32, "a seed has 32 bytes, not \(octets.bytes.count)")
        self.octets = octets
    }

    /// The nonce of one side of one handshake: unforeseeable, since the seed is secret, and fresh, since the
    /// transcript holds this side's nonce of the hello.
    func nonce(
        as role: HandshakeRole, in transcript: Digest, using suite: some SignatureSuite
    ) -> Digest {
        var fields = FieldSequence(.wordNonce)
        fields.append(role.rawValue)
        fields.append(transcript)
        return suite.authenticationCode(of: fields.bytes, under: octets.bytes)
    }
}

extension PairingSeed: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// That there is one.
    public var description: String { "a seed for pairing" }
    /// That there is one.
    public var debugDescription: String { description }
    /// Nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
