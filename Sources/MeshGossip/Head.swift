import MeshBase

/// An owner's signed summary of all that it has in one audience (protocol section 6). One signature a change, not one a record.
///
/// What is not under the newest head does not exist: deletion needs no tombstone.
public struct Head: SignedBody {
    public static let kind = DocumentKind.head

    /// Whose records they are.
    public let owner: NodeID
    /// Who may know of them.
    public let audience: Audience
    /// Counts fresh starts after a clock that ran ahead, from 0.
    public let epoch: Int64
    /// max(stored + 1, milliseconds << 10): strictly rising within an epoch.
    public let sequence: Int64
    /// How many records there are, 0 ... `Limits.recordsPerHead`.
    public let count: Int
    /// The Merkle root over the records' leaves, by rising key.
    public let root: Digest
    /// When the owner signed it.
    public let issued: WallTime
    /// When it ends, at most an hour after.
    public let expires: WallTime

    /// Where it stands among the owner's heads.
    var position: HeadPosition { HeadPosition(epoch: epoch, sequence: sequence) }
}

/// Orders the heads of one owner in one audience.
public struct HeadPosition: Equatable, Comparable, Sendable, Codable {
    public let epoch: Int64
    public let sequence: Int64

    public static func < (left: Self, right: Self) -> Bool {
        (left.epoch, left.sequence) < (right.epoch, right.sequence)
    }
}

/// Who may know of a record. So far: two nodes.
public struct Audience: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    /// The smaller node ID.
    public let first: NodeID
    /// The greater one.
    public let second: NodeID

    /// The audience of these two, in either order.
    public static func pair(_ one: NodeID, _ other: NodeID) -> Audience {
        Audience(first: min(one, other), second: max(one, other))
    }

    private init(first: NodeID, second: NodeID) {
        self.first = first
        self.second = second
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let parts = try container.decode(String.self).split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "pair", let first = NodeID(String(parts[1])),
            let second = NodeID(String(parts[2])), first < second
        else { throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an audience") }
        self.init(first: first, second: second)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    public static func < (left: Self, right: Self) -> Bool {
        (left.first, left.second) < (right.first, right.second)
    }

    /// `pair:NODE:NODE`, the smaller first.
    public var description: String { "pair:\(first):\(second)" }
}

/// One thing that an owner tells an audience: so far, a resource that it offers.
public struct Record: Codable, Equatable, Sendable {
    /// Whose it is.
    public let owner: NodeID
    /// Who may know of it.
    public let audience: Audience
    /// Unique within owner and audience.
    public let key: ResourceName
    /// What it tells.
    public let resource: ResourceDescription
}

/// A record's place under a head.
public struct RecordLeaf: Codable, Equatable, Sendable {
    /// The record's key.
    public let key: ResourceName
    /// SHA-256 over label and encoded record.
    public let digest: Digest
}

/// The tree over an owner's records: RFC 9162 section 2.1 with labels of our own, leaves by rising key.
enum RecordTree {
    static func leaf(_ record: Record, using suite: some SignatureSuite) -> RecordLeaf {
        RecordLeaf(key: record.key, digest: suite.digest(Label.recordLeaf.bytes + suite.encoded(record)))
    }

    /// The root over `leaves`; zero over none.
    static func root(_ leaves: [Digest], using suite: some SignatureSuite) -> Digest {
        switch leaves.count {
        case 0: return .zero
        case 1: return leaves[0]
        default:
            var split = 1
            while split * 2 < leaves.count { split *= 2 }
            let left = root(Array(leaves[..<split]), using: suite)
            let right = root(Array(leaves[split...]), using: suite)
            return suite.digest(Label.recordBranch.bytes + left.bytes + right.bytes)
        }
    }
}

/// What one side believes of a pair's registry, small enough for every ping: equal on both sides, and there is nothing to do.
public struct RegistrySummary: Equatable, Sendable, Hashable {
    /// SHA-256 over (owner, epoch, root) of both heads.
    public let digest: Digest
    public init(digest: Digest) { self.digest = digest }
}

/// What travels between two nodes about their registry.
public enum GossipMessage: Equatable, Sendable {
    /// The sender's newest head, the leaves under it, and as many records as fit.
    case head(HeadPush)
    /// The sender lacks these records under that head of the receiver.
    case want(RecordRequest)
    /// Records that were asked for.
    case records(RecordBatch)
    /// Where the sender stands: what it holds of both.
    case list(RegistryList)
}

/// A head with what lies under it.
public struct HeadPush: Codable, Equatable, Sendable {
    public let head: Signed<Head>
    public let leaves: [RecordLeaf]
    public let records: [Record]
}

/// Asks for records under one head.
public struct RecordRequest: Codable, Equatable, Sendable {
    public let position: HeadPosition
    public let keys: [ResourceName]
}

/// Answers a `RecordRequest`.
public struct RecordBatch: Codable, Equatable, Sendable {
    public let position: HeadPosition
    public let records: [Record]
}

/// What one side holds of a pair's registry.
public struct RegistryList: Codable, Equatable, Sendable {
    /// The newest position of the sender's own head; nil when it never made one.
    public let mine: HeadPosition?
    /// The newest of the receiver's heads that the sender holds, whole: a receiver that lost it takes it from here.
    public let yours: Signed<Head>?
    /// Whether the sender holds every record under it.
    public let isComplete: Bool
}
