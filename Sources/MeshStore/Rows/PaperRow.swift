import GRDB
import MeshBase

/// The newest paper of one kind of one domain: what it decided about others, or its bundle.
public struct PaperRow: StoredRow {
    /// Which papers there are.
    public enum Kind: String, Sendable, CaseIterable {
        case bundle, partnerships
    }

    /// Unique together with `domain`.
    public var kind: Kind
    /// Whose paper it is.
    public var domain: DomainID
    /// The JWS, as it was signed.
    public var document: [UInt8]
    /// When the row was last changed.
    public var updated: WallTime

    public init(kind: Kind, domain: DomainID, document: [UInt8], updated: WallTime) {
        self.kind = kind
        self.domain = domain
        self.document = document
        self.updated = updated
    }

    init(_ columns: ColumnReader) throws(StoreError) {
        kind = try columns.value("kind", Kind(rawValue: try columns.text("kind")))
        domain = try columns.domain("domain")
        document = try columns.bytes("document")
        updated = try columns.wall("updated")
    }

    func put(in database: Database) throws {
        let sql = """
            INSERT INTO domain_papers (kind, domain, document, updated)
            VALUES (?, ?, ?, ?)
            ON CONFLICT (kind, domain) DO UPDATE SET document = excluded.document, updated = excluded.updated
            """
        let arguments: StatementArguments = [
            kind.rawValue, domain.description, document.blob, updated.milliseconds,
        ]
        try database.cachedStatement(sql: sql).execute(arguments: arguments)
    }
}
