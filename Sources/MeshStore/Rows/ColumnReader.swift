import Foundation
import GRDB
import MeshBase

/// A row that can be put into its table and read from it.
protocol StoredRow: Equatable, Sendable {
    init(_ columns: ColumnReader) throws(StoreError)
    func put(in database: Database) throws
}

/// Reads the columns of one row, and says which one is not what this program writes.
struct ColumnReader {
    let row: Row
    let table: String
    let path: String

    func text(_ column: String) throws(StoreError) -> String { try value(column, row.converted(column)) }
    func integer(_ column: String) throws(StoreError) -> Int64 { try value(column, row.converted(column)) }
    func bytes(_ column: String) throws(StoreError) -> [UInt8] { try value(column, optionalBytes(column)) }
    func wall(_ column: String) throws(StoreError) -> WallTime { WallTime(milliseconds: try integer(column)) }
    func node(_ column: String) throws(StoreError) -> NodeID { try value(column, NodeID(text(column))) }
    func name(_ column: String) throws(StoreError) -> NodeName { try value(column, NodeName(text(column))) }
    func domain(_ column: String) throws(StoreError) -> DomainID { try value(column, DomainID(text(column))) }
    func digest(_ column: String) throws(StoreError) -> Digest { try value(column, Digest(bytes(column))) }
    func resourceName(_ column: String) throws(StoreError) -> ResourceName {
        try value(column, ResourceName(text(column)))
    }

    func optionalText(_ column: String) throws(StoreError) -> String? { try optional(column) }
    func optionalInteger(_ column: String) throws(StoreError) -> Int64? { try optional(column) }

    func optionalBytes(_ column: String) throws(StoreError) -> [UInt8]? {
        guard let data: Data = try optional(column) else { return nil }
        return [UInt8](data)
    }

    func optionalWall(_ column: String) throws(StoreError) -> WallTime? {
        guard let milliseconds: Int64 = try optional(column) else { return nil }
        return WallTime(milliseconds: milliseconds)
    }

    func optionalPin(_ column: String) throws(StoreError) -> Pin? {
        guard let bytes = try optionalBytes(column) else { return nil }
        return Pin(try value(column, Digest(bytes)))
    }

    /// A document that this program wrote as JSON.
    func document<Value: Decodable>(_ column: String) throws(StoreError) -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(text(column).utf8))
        } catch {
            throw .corrupt(path: path, detail: "column \(column) of table \(table): \(error)")
        }
    }

    /// Such a document; nil for NULL.
    func optionalDocument<Value: Decodable>(_ column: String) throws(StoreError) -> Value? {
        guard row.hasValue(column) else { return nil }
        return try document(column)
    }

    /// Nil for NULL only: a value of another type is not nothing.
    private func optional<Value: DatabaseValueConvertible>(_ column: String) throws(StoreError) -> Value? {
        guard row.hasValue(column) else { return nil }
        return try value(column, row.converted(column) as Value?)
    }

    /// `value`, or the error that names its column when it is nil.
    func value<Value>(_ column: String, _ value: Value?) throws(StoreError) -> Value {
        guard let value else { throw .corrupt(path: path, detail: "column \(column) of table \(table)") }
        return value
    }
}

extension Row {
    /// Whether the column is there and not NULL.
    func hasValue(_ column: String) -> Bool { (self[column] as (any DatabaseValueConvertible)?) != nil }

    /// The value of a column; nil when it is NULL, missing, or of another type. GRDB's own subscript stops
    /// the process when a file that somebody changed holds another type than it should.
    func converted<Value: DatabaseValueConvertible>(_ column: String) -> Value? {
        (self[column] as (any DatabaseValueConvertible)?).flatMap {
            Value.fromDatabaseValue($0.databaseValue)
        }
    }
}

extension [UInt8] {
    /// As SQLite takes it.
    var blob: Data { Data(self) }
}

extension Encodable {
    /// As JSON with sorted members.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
