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
/// An element is what a summary covers of a head: owner, epoch and root, fixed when the owner signed. The key
/// comes of two nonces that the two sides draw after that, for this session alone. So who chooses heads so
/// that two have one id, or one checksum, must foretell a keyed function whose key is not drawn yet, and
/// neither side alone can choose it: by luck two among a million meet once in 2^25 sessions, and the next
/// session has another key. The peer of the session knows the key, and needs no collision: it may send
/// whatever it likes, which `SymbolDecoder` bounds.
public struct SessionKey: Equatable, Sendable {
    private let ids: SipHash
    private let checks: SipHash

    /// Bytes of each side's nonce.
    public static let nonceLength = 12

    /// - Parameters:
    ///   - salt: the asking side's nonce, which names the session.
    ///   - nonce: the answering side's.
    ///   - audience: whose elements are compared.
    ///   - nodes: the two of the session, so that the nonces name nothing alike elsewhere.
    public init(
        salt: Octets, nonce: Octets, audience: Audience, nodes: NodePair, using suite: some SignatureSuite
    ) {
        var fields = FieldSequence(.reconciliation)
        fields.append(salt.bytes)
        fields.append(nonce.bytes)
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

    /// The id of a head of `owner`: over 72 bytes, the owner's digest, the epoch (big-endian) and the root.
    public func id(of owner: NodeID, epoch: Int64, root: Digest) -> SaltedID {
        let (owner, root) = (owner.digest.words, root.words)
        let words: InlineArray<9, UInt64> = [
            owner.0.byteSwapped, owner.1.byteSwapped, owner.2.byteSwapped, owner.3.byteSwapped,
            UInt64(bitPattern: epoch).byteSwapped,
            root.0.byteSwapped, root.1.byteSwapped, root.2.byteSwapped, root.3.byteSwapped,
        ]
        return SaltedID(ids.hash(of: words))
    }

    /// The id of the head that stands there.
    func id(of place: HeadPlace) -> SaltedID {
        id(of: place.owner, epoch: place.position.epoch, root: place.root)
    }

    /// Of an id: 32 bits to check it by, and the seed of the symbols in which it is.
    @inline(__always)
    func check(of id: UInt64) -> UInt64 { checks.hash(of: id) }
}
