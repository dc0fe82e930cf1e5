import MeshBase

/// What one session of reconciliation calls an element of either set: 8 bytes, of no meaning in another
/// session.
public struct SaltedID: Hashable, Comparable, Sendable {
    /// The eight bytes, as a number.
    public let value: UInt64

    public init(_ value: UInt64) { self.value = value }

    public static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}

/// Names elements for one session between two nodes, and checks what is decoded.
///
/// An element is known by a SHA-256 digest, which its owner fixed when it signed; a session's salt is drawn
/// after that. So who chooses heads so that two have one id, or one checksum, must foretell a keyed function
/// whose key is not drawn yet: by luck alone two among a million meet once in 2^25 sessions, and the next
/// session has another salt. The peer of the session knows the salt, and needs no collision: it may send
/// whatever it likes, which `SymbolDecoder` bounds.
public struct SessionKey: Equatable, Sendable {
    private let ids: SipHash
    private let checks: SipHash

    /// Bytes of a salt.
    public static let saltLength = 16

    /// - Parameters:
    ///   - salt: `saltLength` bytes that the asking side drew for this session alone.
    ///   - audience: whose elements are compared.
    ///   - nodes: the two of the session, so that one salt names nothing alike elsewhere.
    public init(salt: Octets, audience: Audience, nodes: NodePair, using suite: some SignatureSuite) {
        var fields = FieldSequence(.reconciliation)
        fields.append(salt.bytes)
        fields.append(audience.description)
        fields.append(nodes.first.digest)
        fields.append(nodes.second.digest)
        let words = suite.digest(fields.bytes).words
        self.init(ids: SipHash(key: words.0, words.1), checks: SipHash(key: words.2, words.3))
    }

    init(ids: SipHash, checks: SipHash) {
        self.ids = ids
        self.checks = checks
    }

    /// The id of the element whose content has this digest.
    public func id(of content: Digest) -> SaltedID {
        let words = content.words
        return SaltedID(
            ids.hash(
                of: (
                    words.0.byteSwapped, words.1.byteSwapped, words.2.byteSwapped, words.3.byteSwapped
                )))
    }

    /// Of an id: 32 bits to check it by, and the seed of the symbols in which it is.
    @inline(__always)
    func check(of id: UInt64) -> UInt64 { checks.hash(of: id) }
}
