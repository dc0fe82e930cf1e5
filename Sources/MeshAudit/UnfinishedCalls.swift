/// What the end of a process left unfinished, as the journal tells at the next start.
///
/// The two are told apart by looking, not one from the other: what a loss of power leaves of a write may hold
/// an attempt's settlement without the event that closes its call, and a call that waits for a link between
/// two attempts has none under way.
public struct UnfinishedCalls: Equatable, Sendable {
    /// Events that were admitted and never settled: attempts of this node, and services for peers.
    public var underWay: [AuditEvent]
    /// Of each call of this node that had an attempt and that no event closes: its last attempt.
    public var unclosed: [AuditEvent]

    public init(underWay: [AuditEvent] = [], unclosed: [AuditEvent] = []) {
        self.underWay = underWay
        self.unclosed = unclosed
    }

    /// Whether everything came to its end.
    public var isEmpty: Bool { underWay.isEmpty && unclosed.isEmpty }
}
