import GRDB
import MeshBase

/// A person for whom this node vouches, or did.
public struct PersonRow: StoredRow {
    /// Unique.
    public var name: NodeName
    /// The statement: a JWS, as it was signed.
    public var document: [UInt8]
    /// When it was ended before its time; nil: it was not.
    public var ended: WallTime?
    /// When the row was last changed.
    public var updated: WallTime

    public init(name: NodeName, document: [UInt8], ended: WallTime?, updated: WallTime) {
        self.name = name
        self.document = document
        self.ended = ended
        self.updated = updated
    }

    init(_ columns: ColumnReader) throws(StoreError) {
        name = try columns.name("name")
        document = try columns.bytes("document")
        ended = try columns.optionalWall("ended")
        updated = try columns.wall("updated")
    }

    func put(in database: Database) throws {
        let sql = """
            INSERT INTO people (name, document, ended, updated)
            VALUES (?, ?, ?, ?)
            ON CONFLICT (name) DO UPDATE SET document = excluded.document,
                ended = excluded.ended,
                updated = excluded.updated
            """
        let arguments: StatementArguments = [
            name.description, document.blob, ended?.milliseconds, updated.milliseconds,
        ]
        try database.cachedStatement(sql: sql).execute(arguments: arguments)
    }
}
