import MeshBase

/// What the audit log is told.
public enum AuditInput: Equatable, Sendable {
    /// An admitted call ended. One that is not under way (settled before, or never admitted) is ignored.
    case callEnded(CorrelationID, AuditOutcome)
    /// Something happened that is no call: one event of its own.
    indirect case happened(AuditEvent)
    /// Something was refused before it was admitted. Many of one peer with one code become one event with a
    /// count.
    indirect case refused(AuditEvent)
    /// How many bytes the store can still take, measured now.
    case roomMeasured(bytes: Int64)
    /// At start: what the process before left unfinished.
    case foundUnfinished(UnfinishedCalls)
    /// `nextDeadline` has come.
    case alarmRang
}

/// How a call ended.
public struct AuditOutcome: Equatable, Sendable {
    /// Whether it succeeded.
    public let success: Bool
    /// Why not; empty when it succeeded.
    public let refusals: [Refusal]
    /// SHA-256 of the answer's body; nil above 4 KiB or without an answer.
    public let answerDigest: Digest?
    /// Length of the answer's body in bytes.
    public let answerLength: Int64
    /// HTTP status of the answer; nil without one.
    public let status: UInt16?
    /// What of the request's body passed; nil: what was admitted stands.
    public let request: BodySummary?

    public init(
        success: Bool, refusals: [Refusal] = [], answerDigest: Digest? = nil, answerLength: Int64 = 0,
        status: UInt16? = nil, request: BodySummary? = nil
    ) {
        self.success = success
        self.refusals = refusals
        self.answerDigest = answerDigest
        self.answerLength = answerLength
        self.status = status
        self.request = request
    }
}

/// A body that passed, or as much of it as did.
public struct BodySummary: Equatable, Sendable {
    /// Its length in bytes.
    public var length: Int64
    /// Its SHA-256; nil above `Limits.digestedBody`, and of a body that did not pass whole.
    public var digest: Digest?

    public init(length: Int64, digest: Digest?) {
        self.length = length
        self.digest = digest
    }
}

/// Whether a call may begin.
public enum AuditAdmission: Equatable, Sendable {
    /// It may, under this event id, once the effects posted before are carried out.
    case admitted(CorrelationID)
    /// It may not: the audit could not hold its records.
    case refused(Refusal)
}
