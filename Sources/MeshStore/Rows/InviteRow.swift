import GRDB
import MeshBase

/// One invite that this node gave out.
public struct InviteRow: StoredRow {
    /// Its public name, eight bytes.
    public var id: [UInt8]
    /// What the line carries, sixteen bytes.
    public var secret: [UInt8]
    /// When it ends.
    public var expires: WallTime
    /// Whose it is since it was used; nil before.
    public var usedBy: Pin?
    /// How many proofs under it were wrong.
    public var wrongProofs: Int64
    /// Whether the operator confirms the joiner's words.
    public var asksFirst: Bool
    /// When it was made.
    public var created: WallTime

    public init(
        id: [UInt8], secret: [UInt8], expires: WallTime, usedBy: Pin? = nil, wrongProofs: Int64,
        asksFirst: Bool, created: WallTime
    ) {
        self.id = id
        self.secret = secret
        self.expires = expires
        self.usedBy = usedBy
        self.wrongProofs = wrongProofs
        self.asksFirst = asksFirst
        self.created = created
    }

    init(_ columns: ColumnReader) throws(StoreError) {
        id = try columns.bytes("id")
        secret = try columns.bytes("secret")
        expires = try columns.wall("expires")
        usedBy = try columns.optionalPin("used_by_pin")
        wrongProofs = try columns.integer("wrong_proofs")
        asksFirst = try columns.integer("ask") != 0
        created = try columns.wall("created")
    }

    func put(in database: Database) throws {
        let sql = """
            INSERT INTO invites (id, secret, expires, used_by_pin, wrong_proofs, ask, created)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET secret = excluded.secret,
                expires = excluded.expires,
                used_by_pin = excluded.used_by_pin,
                wrong_proofs = excluded.wrong_proofs,
                ask = excluded.ask,
                created = excluded.created
            """
        let arguments: StatementArguments = [
            id.blob, secret.blob, expires.milliseconds, usedBy?.digest.bytes.blob, wrongProofs, asksFirst,
            created.milliseconds,
        ]
        try database.cachedStatement(sql: sql).execute(arguments: arguments)
    }
}
