/// What the audit log orders.
public enum AuditEffect: Equatable, Sendable {
    /// Append these records, in this order, before anything that was ordered after them becomes visible to
    /// anybody.
    case write([AuditRecord], AuditDurability)
}

/// What must be survived before what was written may become visible.
public enum AuditDurability: String, Equatable, Sendable {
    /// The end of the process.
    case written
    /// The loss of power.
    case synced
}
