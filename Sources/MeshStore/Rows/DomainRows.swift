import GRDB
import MeshBase

/// The credential that a peer showed, with its issuer's certificate.
public struct CredentialRow: StoredRow {
    /// Unique.
    public var node: NodeID
    /// The chain, as a JSON document.
    public var chain: [UInt8]

    public init(node: NodeID, chain: [UInt8]) {
        self.node = node
        self.chain = chain
    }

    init(_ columns: ColumnReader) throws(StoreError) {
        node = try columns.node("node_id")
        chain = try columns.bytes("chain")
    }

    func put(in database: Database) throws {
        let sql = """
            INSERT INTO credentials (node_id, chain)
            VALUES (?, ?)
            ON CONFLICT (node_id) DO UPDATE SET chain = excluded.chain
            """
        try database.cachedStatement(sql: sql).execute(arguments: [node.description, chain.blob])
    }
}

/// Whom this node enrolled under one join token.
public struct TokenUseRow: StoredRow {
    /// The token's key; unique.
    public var token: Pin
    /// The token's end.
    public var until: WallTime
    /// The keys that it served, in their order, 32 bytes each.
    public var usedBy: [Pin]

    public init(token: Pin, until: WallTime, usedBy: [Pin]) {
        self.token = token
        self.until = until
        self.usedBy = usedBy
    }

    init(_ columns: ColumnReader) throws(StoreError) {
        token = Pin(try columns.digest("token"))
        until = try columns.wall("until")
        let bytes = try columns.bytes("used_by")
        usedBy = try stride(from: 0, to: bytes.count, by: 32).map { start throws(StoreError) in
            Pin(try columns.value("used_by", Digest(bytes[start..<min(start + 32, bytes.count)])))
        }
    }

    func put(in database: Database) throws {
        let sql = """
            INSERT INTO token_uses (token, until, used_by)
            VALUES (?, ?, ?)
            ON CONFLICT (token) DO UPDATE SET until = excluded.until, used_by = excluded.used_by
            """
        let pins = usedBy.flatMap(\.digest.bytes)
        let arguments: StatementArguments = [token.digest.bytes.blob, until.milliseconds, pins.blob]
        try database.cachedStatement(sql: sql).execute(arguments: arguments)
    }
}

/// A member of the node's domain that it never met, and that told two things.
public struct ConvictionRow: StoredRow {
    /// Unique.
    public var node: NodeID
    /// What it signed, in words.
    public var evidence: String
    /// When both were seen together.
    public var since: WallTime

    public init(node: NodeID, evidence: String, since: WallTime) {
        self.node = node
        self.evidence = evidence
        self.since = since
    }

    init(_ columns: ColumnReader) throws(StoreError) {
        node = try columns.node("node_id")
        evidence = try columns.text("evidence")
        since = try columns.wall("since")
    }

    func put(in database: Database) throws {
        let sql = """
            INSERT INTO convictions (node_id, evidence, since)
            VALUES (?, ?, ?)
            ON CONFLICT (node_id) DO UPDATE SET evidence = excluded.evidence, since = excluded.since
            """
        let arguments: StatementArguments = [node.description, evidence, since.milliseconds]
        try database.cachedStatement(sql: sql).execute(arguments: arguments)
    }
}
