import MeshBase

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

/// Records under one root: what a head is made over.
struct RecordSet: Equatable, Sendable {
    let records: OrderedTable<ResourceName, Record>
    /// One a record, by rising key.
    let leaves: [RecordLeaf]
    let root: Digest

    init(_ records: OrderedTable<ResourceName, Record>, using suite: some SignatureSuite) {
        self.records = records
        leaves = records.values.map { RecordTree.leaf($0, using: suite) }
        root = RecordTree.root(leaves.map(\.digest), using: suite)
    }
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
