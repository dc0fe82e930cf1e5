import GRDB
import MeshBase

/// What is used of one agreement's quotas on this side, through all its versions.
public struct MeterRow: StoredRow {
    /// The agreement's own id, which others may have chosen too.
    public var agreement: String
    /// Who provides: a node or a domain.
    public var source: String
    /// Who consumes.
    public var target: String
    /// In the words of MeshAgreements.
    public var record: String

    public init(agreement: String, source: String, target: String, record: String) {
        self.agreement = agreement
        self.source = source
        self.target = target
        self.record = record
    }

    init(_ columns: ColumnReader) throws(StoreError) {
        agreement = try columns.text("agreement_id")
        source = try columns.text("source")
        target = try columns.text("target")
        record = try columns.text("record")
    }

    func put(in database: Database) throws {
        let sql = """
            INSERT INTO meters (agreement_id, source, target, record) VALUES (?, ?, ?, ?)
            ON CONFLICT (agreement_id, source, target) DO UPDATE SET record = excluded.record
            """
        let values: StatementArguments = [agreement, source, target, record]
        try database.cachedStatement(sql: sql).execute(arguments: values)
    }
}
