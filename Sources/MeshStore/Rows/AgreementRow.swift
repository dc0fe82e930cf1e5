import GRDB
import MeshBase

/// One version of an agreement, with its evidence.
public struct AgreementRow: StoredRow {
    /// SHA-256 of the payload; unique.
    public var contentID: Digest
    /// The agreement's own id, alike in all versions.
    public var agreement: String
    /// Rises.
    public var version: Int64
    /// The other party.
    public var peer: NodeID
    /// What this node is in it, in the words of MeshAgreements.
    public var role: String
    /// In the words of MeshAgreements.
    public var state: String
    /// The JWS, as it was signed.
    public var document: [UInt8]
    /// What people of both parties said about it, in the words of MeshAgreements; nil: nothing.
    public var approvals: [UInt8]?
    /// When it ends by itself.
    public var validUntil: WallTime
    /// How many days ahead its end was told last; nil: it was not.
    public var warned: Int64?
    /// When the row was last changed.
    public var updated: WallTime

    public init(
        contentID: Digest, agreement: String, version: Int64, peer: NodeID, role: String, state: String,
        document: [UInt8], approvals: [UInt8]? = nil, validUntil: WallTime, warned: Int64? = nil,
        updated: WallTime
    ) {
        self.contentID = contentID
        self.agreement = agreement
        self.version = version
        self.peer = peer
        self.role = role
        self.state = state
        self.document = document
        self.approvals = approvals
        self.validUntil = validUntil
        self.warned = warned
        self.updated = updated
    }

    init(_ columns: ColumnReader) throws(StoreError) {
        contentID = try columns.digest("content_id")
        agreement = try columns.text("agreement_id")
        version = try columns.integer("version")
        peer = try columns.node("peer")
        role = try columns.text("role")
        state = try columns.text("state")
        document = try columns.bytes("document")
        approvals = try columns.optionalBytes("approvals")
        validUntil = try columns.wall("valid_until")
        warned = try columns.optionalInteger("warned")
        updated = try columns.wall("updated")
    }

    func put(in database: Database) throws {
        let sql = """
            INSERT INTO agreements (content_id, agreement_id, version, peer, role, state, document,
                approvals, valid_until, warned, updated)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (content_id) DO UPDATE SET agreement_id = excluded.agreement_id,
                version = excluded.version,
                peer = excluded.peer,
                role = excluded.role,
                state = excluded.state,
                document = excluded.document,
                approvals = excluded.approvals,
                valid_until = excluded.valid_until,
                warned = excluded.warned,
                updated = excluded.updated
            """
        let arguments: StatementArguments = [
            contentID.bytes.blob, agreement, version, peer.description, role, state, document.blob,
            approvals?.blob, validUntil.milliseconds, warned, updated.milliseconds,
        ]
        try database.cachedStatement(sql: sql).execute(arguments: arguments)
    }
}
