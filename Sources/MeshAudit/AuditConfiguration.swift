import MeshBase

/// What the audit log may use.
public struct AuditConfiguration: Sendable, Equatable {
    /// Bytes that one record takes at most, with its frame: what is promised for each of a call's two
    /// records.
    public var recordBytesMax: Int64
    /// Bytes that one record takes as a rule: what is counted between two measurements of the room.
    public var recordBytesTypical: Int64
    /// Bytes that the whole store may take; refusals get a tenth of it. Above zero.
    public var storeBytes: Int64
    /// How long events are kept. At least an hour.
    public var retention: Duration
    /// Refusals of one peer with one code, a minute, that are events of their own. At least one.
    public var refusalsPerMinute: Int
    /// Pairs of peer and code that are counted at once; beyond it the oldest is summed up early. At least
    /// one.
    public var refusalWindows: Int
    /// Calls under way at once; beyond it none is admitted. At least one.
    public var openCalls: Int

    public init(
        recordBytesMax: Int64 = Int64(Limits.auditRecord) + 64, recordBytesTypical: Int64 = 512,
        storeBytes: Int64 = 2 << 30, retention: Duration = .seconds(90 * 24 * 3_600),
        refusalsPerMinute: Int = Limits.refusalEventsPerMinute, refusalWindows: Int = 4_096,
        openCalls: Int = 65_536
    ) {
        self.recordBytesMax = recordBytesMax
        self.recordBytesTypical = recordBytesTypical
        self.storeBytes = storeBytes
        self.retention = retention
        self.refusalsPerMinute = refusalsPerMinute
        self.refusalWindows = refusalWindows
        self.openCalls = openCalls
    }

    /// All that is wrong with it.
    public func problems() -> [String] {
        var problems: [String] = []
        if recordBytesMax < 1 || recordBytesTypical < 1 {
            problems.append("a record takes at least one byte")
        }
        if storeBytes < 1 { problems.append("the audit needs a store of at least one byte") }
        if retention < .seconds(3_600) { problems.append("the audit keeps events for at least an hour") }
        if refusalsPerMinute < 1 { problems.append("at least one refusal a minute is an event") }
        if refusalWindows < 1 { problems.append("refusals are counted for at least one peer and code") }
        if openCalls < 1 { problems.append("at least one call may be under way") }
        return problems
    }
}
