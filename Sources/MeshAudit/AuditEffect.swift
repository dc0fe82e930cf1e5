/// What the audit log orders.
public enum AuditEffect: Equatable, Sendable {
    /// Append these records, in this order, before anything that was ordered after them becomes visible to
    /// anybody.
    case write([AuditRecord], AuditDurability)

    /// Records that one write takes at most: with the longest of them it stays within a segment of the
    /// journal.
    public static let recordsPerWrite = 256

    /// Any number of records, in their order. Only the last write asks for what all must survive: a sync
    /// covers what was written before it.
    public static func writes(of records: [AuditRecord], _ durability: AuditDurability) -> [AuditEffect] {
        guard records.count > recordsPerWrite else { return [.write(records, durability)] }
        let first = AuditEffect.write(Array(records.prefix(recordsPerWrite)), .written)
        return [first] + writes(of: Array(records.dropFirst(recordsPerWrite)), durability)
    }
}

/// What must be survived before what was written may become visible.
public enum AuditDurability: String, Equatable, Sendable {
    /// The end of the process.
    case written
    /// The loss of power.
    case synced

    /// What survives whatever either of the two survives.
    public func joined(with other: AuditDurability) -> AuditDurability {
        self == .synced || other == .synced ? .synced : .written
    }
}
