import GRDB
import MeshBase

/// One version of an agreement in which a domain is a party, with everything that proves it.
public struct DomainAgreementRow: StoredRow {
    /// Unique.
    public var contentID: Digest
    /// The agreement's own id, which all its versions share.
    public var agreement: String
    /// The documents, as they were signed.
    public var document: [UInt8]
    /// When the row was last changed.
    public var updated: WallTime

    public init(contentID: Digest, agreement: String, document: [UInt8], updated: WallTime) {
        self.contentID = contentID
        self.agreement = agreement
        self.document = document
        self.updated = updated
    }

    init(_ columns: ColumnReader) throws(StoreError) {
        contentID = try columns.digest("content_id")
        agreement = try columns.text("agreement_id")
        document = try columns.bytes("document")
        updated = try columns.wall("updated")
    }

    func put(in database: Database) throws {
        let sql = """
            INSERT INTO domain_agreements (content_id, agreement_id, document, updated)
            VALUES (?, ?, ?, ?)
            ON CONFLICT (content_id) DO UPDATE SET document = excluded.document, updated = excluded.updated
            """
        let arguments: StatementArguments = [
            contentID.bytes.blob, agreement, document.blob, updated.milliseconds,
        ]
        try database.cachedStatement(sql: sql).execute(arguments: arguments)
    }
}
