import GRDB
import MeshBase

/// A key that was ever pinned for a node. It is kept for ever, also when the peer is forgotten.
public struct PinnedKeyRow: StoredRow {
    /// Unique.
    public var pin: Pin
    /// Whose it was.
    public var node: NodeID
    /// What it is now.
    public var state: PinnedKeyState

    public init(pin: Pin, node: NodeID, state: PinnedKeyState) {
        self.pin = pin
        self.node = node
        self.state = state
    }

    init(_ columns: ColumnReader) throws(StoreError) {
        pin = Pin(try columns.digest("pin"))
        node = try columns.node("node_id")
        state = try columns.value("state", PinnedKeyState(rawValue: columns.text("state")))
    }

    func put(in database: Database) throws {
        let sql = """
            INSERT INTO pinned_keys (pin, node_id, state)
            VALUES (?, ?, ?)
            ON CONFLICT (pin) DO UPDATE SET node_id = excluded.node_id, state = excluded.state
                WHERE pinned_keys.state <> 'revoked'
            """
        let arguments: StatementArguments = [pin.digest.bytes.blob, node.description, state.rawValue]
        try database.cachedStatement(sql: sql).execute(arguments: arguments)
    }
}

/// What a pinned key is now.
public enum PinnedKeyState: String, Equatable, Sendable, CaseIterable {
    /// The key of its node.
    case pinned
    /// Revoked here, for ever.
    case revoked
}
