import GRDB
import MeshBase

/// What is used of one agreement's quotas on this side, through all its versions.
public struct MeterRow: StoredRow {
    /// The agreement's own id.
    public var agreement: String
    /// In the words of MeshAgreements.
    public var record: String

    public init(agreement: String, record: String) {
        self.agreement = agreement
        self.record = record
    }

    init(_ columns: ColumnReader) throws(StoreError) {
        agreement = try columns.text("agreement_id")
        record = try columns.text("record")
    }

    func put(in database: Database) throws {
        let sql = """
            INSERT INTO meters (agreement_id, record) VALUES (?, ?)
            ON CONFLICT (agreement_id) DO UPDATE SET record = excluded.record
            """
        try database.cachedStatement(sql: sql).execute(arguments: [agreement, record])
    }
}
