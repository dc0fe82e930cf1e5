import GRDB
import GRDBSQLite
import MeshBase

/// A statement that is run for one row after the other: its values are bound where they stand, without a box
/// around each. For the audit's index, which gets rows for every call.
///
/// It is used within one access to the database only, whose cache owns the statement.
struct RowStatement {
    private let statement: Statement
    private var column: Int32 = 0
    private var result = SQLITE_OK

    /// - Parameter sql: one statement, whose parameters are `?`.
    init(_ sql: String, in database: Database) throws {
        statement = try database.cachedStatement(sql: sql)
    }

    /// Nil is bound as NULL.
    mutating func bind(_ number: Int64?) {
        column += 1
        guard let number else { return note(sqlite3_bind_null(statement.sqliteStatement, column)) }
        note(sqlite3_bind_int64(statement.sqliteStatement, column, number))
    }

    /// Bound as text without a copy; nil is bound as NULL.
    /// - Precondition: UTF-8 that stays where it is until the statement has run.
    mutating func bind(text: UnsafeRawBufferPointer?) {
        column += 1
        guard let text else { return note(sqlite3_bind_null(statement.sqliteStatement, column)) }
        note(
            sqlite3_bind_text(
                statement.sqliteStatement, column, text.bindMemory(to: CChar.self).baseAddress,
                Int32(text.count), nil))
    }

    /// Bound as a blob without a copy; nil is bound as NULL.
    /// - Precondition: bytes that stay where they are until the statement has run.
    mutating func bind(blob: UnsafeRawBufferPointer?) {
        column += 1
        guard let blob else { return note(sqlite3_bind_null(statement.sqliteStatement, column)) }
        note(
            sqlite3_bind_blob(
                statement.sqliteStatement, column, blob.baseAddress, Int32(blob.count), nil))
    }

    /// Sixteen bytes that sort as the id does.
    mutating func bind(_ id: CorrelationID) {
        column += 1
        let bound = withUnsafeBytes(of: (id.high.bigEndian, id.low.bigEndian)) {
            sqlite3_bind_blob(
                statement.sqliteStatement, column, $0.baseAddress, Int32($0.count), Self.copied)
        }
        note(bound)
    }

    /// Runs the statement with what was bound since the last time, which must be all that it takes.
    mutating func run() throws {
        precondition(column == sqlite3_bind_parameter_count(statement.sqliteStatement), "\(column) are bound")
        column = 0
        if result == SQLITE_OK { result = sqlite3_step(statement.sqliteStatement) }
        defer { result = SQLITE_OK }
        let reset = sqlite3_reset(statement.sqliteStatement)
        guard result == SQLITE_DONE else {
            throw DatabaseError(resultCode: ResultCode(rawValue: reset == SQLITE_OK ? result : reset))
        }
    }

    private mutating func note(_ code: Int32) { if result == SQLITE_OK { result = code } }

    /// SQLITE_TRANSIENT, which C writes as a cast that Swift does not import.
    private static var copied: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }
}
