import MeshBase

/// What the store can still take: the last measurement, less what was written and promised since.
///
/// A measurement may miss what was written while it was made: a few records, for which the store keeps a
/// margin.
struct AuditRoom: Equatable, Sendable {
    /// Nothing until it is first told: no call before.
    private var measured: Int64 = 0
    private var written: Int64 = 0
    /// Promised to calls that are under way.
    private(set) var reserved: Int64 = 0

    /// Bytes that may be promised or written; below zero when promises exceed what is left.
    var available: Int64 { measured - written - reserved }

    mutating func measure(_ bytes: Int64) {
        measured = bytes
        written = 0
    }

    mutating func reserve(_ bytes: Int64) { reserved += bytes }

    mutating func release(_ bytes: Int64) {
        precondition(bytes <= reserved, "\(bytes) bytes released, \(reserved) reserved")
        reserved -= bytes
    }

    mutating func wrote(_ bytes: Int64) { written += bytes }
}
