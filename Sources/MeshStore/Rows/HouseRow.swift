import GRDB
import MeshBase

/// The newest house agreement of one domain.
public struct HouseRow: StoredRow {
    /// Unique.
    public var domain: DomainID
    /// Rises.
    public var version: Int64
    /// The anchor's key, as SubjectPublicKeyInfo.
    public var anchor: [UInt8]
    /// The JWS, as it was signed.
    public var document: [UInt8]
    /// When the row was last changed.
    public var updated: WallTime

    public init(domain: DomainID, version: Int64, anchor: [UInt8], document: [UInt8], updated: WallTime) {
        self.domain = domain
        self.version = version
        self.anchor = anchor
        self.document = document
        self.updated = updated
    }

    init(_ columns: ColumnReader) throws(StoreError) {
        domain = try columns.domain("domain")
        version = try columns.integer("version")
        anchor = try columns.bytes("anchor")
        document = try columns.bytes("document")
        updated = try columns.wall("updated")
    }

    func put(in database: Database) throws {
        let sql = """
            INSERT INTO house_agreements (domain, version, anchor, document, updated)
            VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (domain) DO UPDATE SET version = excluded.version,
                anchor = excluded.anchor,
                document = excluded.document,
                updated = excluded.updated
            """
        let arguments: StatementArguments = [
            domain.description, version, anchor.blob, document.blob, updated.milliseconds,
        ]
        try database.cachedStatement(sql: sql).execute(arguments: arguments)
    }
}
