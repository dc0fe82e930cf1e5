import GRDB
import MeshBase

/// One value under a key: a remembered port, the boot number.
public struct SettingRow: StoredRow {
    /// Unique.
    public var key: String
    /// As its owner writes it.
    public var value: String

    public init(key: String, value: String) {
        self.key = key
        self.value = value
    }

    init(_ columns: ColumnReader) throws(StoreError) {
        key = try columns.text("key")
        value = try columns.text("value")
    }

    func put(in database: Database) throws {
        let sql = """
            INSERT INTO settings (key, value)
            VALUES (?, ?)
            ON CONFLICT (key) DO UPDATE SET value = excluded.value
            """
        let arguments: StatementArguments = [key, value]
        try database.cachedStatement(sql: sql).execute(arguments: arguments)
    }
}
