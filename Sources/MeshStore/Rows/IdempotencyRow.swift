import GRDB
import MeshBase

/// One idempotency key that a caller used here.
public struct IdempotencyRow: StoredRow {
    /// Who.
    public var caller: NodeID
    /// Unique for its caller.
    public var key: String
    /// Of the request: another one under this key is refused.
    public var requestDigest: Digest
    /// How far it came.
    public var state: IdempotencyState
    /// The answer; nil until it is known.
    public var outcome: [UInt8]?
    /// When it is forgotten.
    public var expires: WallTime

    public init(
        caller: NodeID, key: String, requestDigest: Digest, state: IdempotencyState, outcome: [UInt8]? = nil,
        expires: WallTime
    ) {
        self.caller = caller
        self.key = key
        self.requestDigest = requestDigest
        self.state = state
        self.outcome = outcome
        self.expires = expires
    }

    init(_ columns: ColumnReader) throws(StoreError) {
        caller = try columns.node("caller")
        key = try columns.text("key")
        requestDigest = try columns.digest("request_digest")
        state = try columns.value("state", IdempotencyState(rawValue: columns.text("state")))
        outcome = try columns.optionalBytes("outcome")
        expires = try columns.wall("expires")
    }

    func put(in database: Database) throws {
        let sql = """
            INSERT INTO idempotency (caller, key, request_digest, state, outcome, expires)
            VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (caller, key) DO UPDATE SET request_digest = excluded.request_digest,
                state = excluded.state,
                outcome = excluded.outcome,
                expires = excluded.expires
            """
        let arguments: StatementArguments = [
            caller.description, key, requestDigest.bytes.blob, state.rawValue, outcome?.blob,
            expires.milliseconds,
        ]
        try database.cachedStatement(sql: sql).execute(arguments: arguments)
    }
}

/// How far a call with an idempotency key came.
public enum IdempotencyState: String, Equatable, Sendable, CaseIterable {
    /// Durable before the effect: whoever repeats it is told `outcome-unknown`.
    case started
    /// Its outcome is known and repeated.
    case finished
}
