import GRDB
import MeshBase

/// The highest head of one owner for one audience.
public struct HeadRow: StoredRow {
    /// Whose records it sums up.
    public var owner: NodeID
    /// For whom, in the words of MeshGossip.
    public var audience: String
    /// Rises.
    public var epoch: Int64
    /// Rises within its epoch.
    public var sequence: Int64
    /// The Merkle root of its records.
    public var root: Digest
    /// The JWS, as it was signed.
    public var document: [UInt8]

    public init(
        owner: NodeID, audience: String, epoch: Int64, sequence: Int64, root: Digest, document: [UInt8]
    ) {
        self.owner = owner
        self.audience = audience
        self.epoch = epoch
        self.sequence = sequence
        self.root = root
        self.document = document
    }

    init(_ columns: ColumnReader) throws(StoreError) {
        owner = try columns.node("owner")
        audience = try columns.text("audience")
        epoch = try columns.integer("epoch")
        sequence = try columns.integer("sequence")
        root = try columns.digest("root")
        document = try columns.bytes("document")
    }

    func put(in database: Database) throws {
        let sql = """
            INSERT INTO heads (owner, audience, epoch, sequence, root, document)
            VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (owner, audience) DO UPDATE SET epoch = excluded.epoch,
                sequence = excluded.sequence,
                root = excluded.root,
                document = excluded.document
            """
        let arguments: StatementArguments = [
            owner.description, audience, epoch, sequence, root.bytes.blob, document.blob,
        ]
        try database.cachedStatement(sql: sql).execute(arguments: arguments)
    }
}

/// One record beneath a head.
public struct RecordRow: StoredRow {
    /// The head's owner.
    public var owner: NodeID
    /// The head's audience.
    public var audience: String
    /// Unique beneath its head.
    public var key: String
    /// As it was received.
    public var body: [UInt8]

    public init(owner: NodeID, audience: String, key: String, body: [UInt8]) {
        self.owner = owner
        self.audience = audience
        self.key = key
        self.body = body
    }

    init(_ columns: ColumnReader) throws(StoreError) {
        owner = try columns.node("owner")
        audience = try columns.text("audience")
        key = try columns.text("key")
        body = try columns.bytes("body")
    }

    func put(in database: Database) throws {
        let sql = """
            INSERT INTO records (owner, audience, key, body)
            VALUES (?, ?, ?, ?)
            ON CONFLICT (owner, audience, key) DO UPDATE SET body = excluded.body
            """
        let arguments: StatementArguments = [owner.description, audience, key, body.blob]
        try database.cachedStatement(sql: sql).execute(arguments: arguments)
    }
}
