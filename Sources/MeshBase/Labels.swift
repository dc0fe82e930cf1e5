/// Every label that separates one use of a hash or a signature from another. None is a prefix of another (a
/// test says so).
public enum Label: String, CaseIterable, Sendable {
    /// The transcript of a handshake.
    case transcript = "comity handshake transcript v1;"
    /// A node certificate's statement by the identity key.
    case nodeCertificate = "comity node certificate v1;"
    /// The public name of an invite, from its secret.
    case inviteName = "comity invite name v1;"
    /// The inviter's key for proofs under an invite.
    case inviteProof = "comity invite proof v1;"
    /// The sealed nonce of who dials to pair by words.
    case wordCommitment = "comity word commitment v1;"
    /// A nonce for words, from a window's seed.
    case wordNonce = "comity word nonce v1;"
    /// The words that two people compare.
    case words = "comity pairing words v1;"
    /// The key of the mDNS tag, from a node ID.
    case sightingTag = "comity sighting tag v1;"
    /// The key of an anchor's tag in a handshake, from the anchor's pin.
    case anchorTag = "comity anchor tag v1;"
    /// The tag of an anchor over a link, from both ends' node IDs.
    case linkTag = "comity link tag v1;"
    /// The salted tag of an audience.
    case audienceTag = "comity audience tag v1;"
    /// What two nodes believe about each other, for the mark that each ping carries.
    case beliefs = "comity beliefs v1;"
    /// The keys of one session of reconciliation, from its salt.
    case reconciliation = "comity reconciliation v1;"
    /// What a call's sealed payload is bound to.
    case sealedCall = "comity sealed call v1;"
    /// The secret from which the key of a sealed answer is made.
    case sealedAnswer = "comity sealed answer v1;"
    /// A leaf of a Merkle tree over records.
    case recordLeaf = "comity record leaf v1;"
    /// An inner node of a Merkle tree over records.
    case recordBranch = "comity record branch v1;"

    /// The label's bytes.
    public var bytes: [UInt8] { Array(rawValue.utf8) }
}

/// Bytes to hash or sign, made of fields that cannot run into one another: each is preceded by its length (4
/// bytes, big-endian).
public struct FieldSequence: Sendable {
    /// The bytes so far, beginning with the label.
    public private(set) var bytes: [UInt8]

    public init(_ label: Label) { bytes = label.bytes }

    /// Adds one field.
    public mutating func append(_ field: [UInt8]) {
        let length = UInt32(field.count)
        for shift in stride(from: 24, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: length >> UInt32(shift)))
        }
        bytes += field
    }

    /// Adds one field of 32 bytes.
    public mutating func append(_ digest: Digest) { append(digest.bytes) }
    /// Adds one field of eight bytes.
    public mutating func append(_ number: Int64) { append(UInt64(bitPattern: number).bigEndianBytes) }
    /// Adds one field of text.
    public mutating func append(_ text: String) { append(Array(text.utf8)) }
}
