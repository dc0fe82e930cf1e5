import MeshBase

/// Makes whole events of records, read in the order in which they were written.
public struct AuditFold: Equatable, Sendable {
    private var admitted = OrderedTable<CorrelationID, AuditEvent>()
    private var lastAttempts = OrderedTable<CorrelationID, AuditEvent>()
    /// Settlements whose call is not among the records read: it stands before them, or is lost.
    public private(set) var orphans: [AuditSettlement] = []

    public init() {}

    /// Calls that were admitted and not settled, in the order of their ids.
    public var open: [AuditEvent] { admitted.values }

    /// Of each own call that had an attempt and that no event closes: its last attempt as it was admitted.
    public var unclosed: [AuditEvent] { lastAttempts.values }

    /// What a start that finds exactly these records has to finish.
    public var unfinished: UnfinishedCalls { UnfinishedCalls(underWay: open, unclosed: unclosed) }

    /// Takes the next record; answers the event that is whole by it, nil when none is.
    public mutating func add(_ record: AuditRecord) -> AuditEvent? {
        switch record {
        case .event(let event):
            if event.type == .call, let call = event.correlation { lastAttempts[call] = nil }
            return event
        case .admitted(let event):
            admitted[event.id] = event
            if event.type == .attempt, let call = event.correlation { lastAttempts[call] = event }
            return nil
        case .settled(let settlement):
            guard let event = admitted.remove(settlement.id) else {
                orphans.append(settlement)
                return nil
            }
            return event.settled(by: settlement)
        }
    }
}

/// An event as a reader sees it.
public struct AuditEntry: Equatable, Sendable {
    /// The event; while it is under way, what its end tells is empty.
    public var event: AuditEvent
    /// Whether it has ended.
    public var stage: AuditStage

    public init(event: AuditEvent, stage: AuditStage) {
        self.event = event
        self.stage = stage
    }

    /// The newer first; of one millisecond, the greater id first.
    public static func isNewer(_ left: AuditEntry, than right: AuditEntry) -> Bool {
        (left.event.time, left.event.id) > (right.event.time, right.event.id)
    }
}

/// How far an event has come.
public enum AuditStage: String, Equatable, Sendable, Codable {
    /// Admitted, not settled.
    case underWay = "under-way"
    /// Whole.
    case ended
}
