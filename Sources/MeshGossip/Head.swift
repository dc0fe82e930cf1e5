import MeshBase

/// An owner's signed summary of all that it has in one audience (protocol section 6). One signature a change,
/// not one a record.
///
/// What is not under the newest head does not exist: deletion needs no tombstone.
public struct Head: SignedBody {
    public static let kind = DocumentKind.head

    /// Bytes of a head as its owner wrote it: it is passed on as it came, beside much else in one frame, and
    /// white space is no reason to be longer.
    static let payloadMax = 1024

    /// Whose records they are.
    public let owner: NodeID
    /// Who may know of them.
    public let audience: Audience
    /// Counts fresh starts after a clock that ran ahead, from 0.
    public let epoch: Int64
    /// The last sequence of the epoch before, which this one gives up; nil in epoch 0.
    public let givenUp: Int64?
    /// max(stored + 1, milliseconds << 10): strictly rising within an epoch.
    public let sequence: Int64
    /// How many records there are, 0 ... `Limits.recordsPerHead`.
    public let count: Int
    /// The Merkle root over the records' leaves, by rising key.
    public let root: Digest
    /// To which key the payload of calls to the owner is sealed (Docs/Protocol.md, Sealed payloads); nil: to
    /// none.
    public internal(set) var encryption: EncryptionKey?
    /// When the owner signed it.
    public let issued: WallTime
    /// When it ends, at most an hour after.
    public let expires: WallTime

    /// The same with some of it changed: what an owner that lies would sign. For tests and the simulator.
    public func changed(
        owner: NodeID? = nil, sequence: Int64? = nil, count: Int? = nil, root: Digest? = nil,
        issued: WallTime? = nil, expires: WallTime? = nil
    ) -> Head {
        Head(
            owner: owner ?? self.owner, audience: audience, epoch: epoch, givenUp: givenUp,
            sequence: sequence ?? self.sequence, count: count ?? self.count, root: root ?? self.root,
            encryption: encryption,
            issued: issued ?? self.issued, expires: expires ?? self.expires)
    }

    /// Whether both offer the same under the same key; two that do not cannot stand at one position.
    func saysTheSame(as other: Head) -> Bool { root == other.root && encryption == other.encryption }

    /// Where it stands among the owner's heads.
    var position: HeadPosition { HeadPosition(epoch: epoch, sequence: sequence) }
}

/// Orders the heads of one owner in one audience.
public struct HeadPosition: Equatable, Comparable, Sendable, Codable {
    /// The head's epoch.
    public let epoch: Int64
    /// The head's sequence within that epoch.
    public let sequence: Int64

    public static func < (left: Self, right: Self) -> Bool {
        (left.epoch, left.sequence) < (right.epoch, right.sequence)
    }
}
