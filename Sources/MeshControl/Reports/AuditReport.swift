import MeshBase

/// Which audit events are asked for; all that are set must match.
public struct AuditFilter: Codable, Equatable, Sendable {
    /// A peer's name or node ID, as source or target.
    public var peer: String?
    /// The resource.
    public var resource: ResourceName?
    /// The kind of event: `attempt`, `service`, `call`, `trust`, `link`, `agreement`, `breaker`,
    /// `administration`, `node`.
    public var type: String?
    /// A refusal code that it carries.
    public var code: RefusalCode?
    /// Only successes, or only failures.
    public var success: Bool?
    /// Not before.
    public var since: Timestamp?
    /// One call.
    public var correlation: CorrelationID?

    public init(
        peer: String? = nil, resource: ResourceName? = nil, type: String? = nil, code: RefusalCode? = nil,
        success: Bool? = nil, since: Timestamp? = nil, correlation: CorrelationID? = nil
    ) {
        self.peer = peer
        self.resource = resource
        self.type = type
        self.code = code
        self.success = success
        self.since = since
        self.correlation = correlation
    }
}

/// Audit events of this node.
public struct AuditReport: Codable, Equatable, Sendable {
    /// The version of this form: 1.
    public var version = 1
    /// Newest first.
    public var events: [AuditEventReport]
    /// Whether there are older ones that match.
    public var hasMore: Bool

    public init(events: [AuditEventReport], hasMore: Bool) {
        self.events = events
        self.hasMore = hasMore
    }
}

/// One audit event.
public struct AuditEventReport: Codable, Equatable, Sendable {
    /// Unique at the node that wrote it.
    public var id: CorrelationID
    /// By that node's wall clock.
    public var time: Timestamp
    /// The kind of event.
    public var type: String
    /// The call; nil for what is none.
    public var correlation: CorrelationID?
    /// Who asked.
    public var source: NodeReference
    /// Who was asked.
    public var target: NodeReference
    /// Who asked, within the source node.
    public var principal: Principal?
    /// What was asked for.
    public var resource: ResourceName?
    /// What of it.
    public var capability: ResourceName?
    /// What was done.
    public var action: String
    /// Whether it succeeded.
    public var success: Bool
    /// Why not.
    public var refusals: [Refusal]
    /// How long it took.
    public var durationMilliseconds: Int64
    /// The agreement's content id in hexadecimal digits.
    public var agreement: String?
    /// Bytes of the request's body.
    public var requestLength: Int64
    /// SHA-256 of the request's body in hexadecimal digits; nil above 4 KiB.
    public var requestDigest: String?
    /// Bytes of the answer's body.
    public var answerLength: Int64
    /// SHA-256 of the answer's body in hexadecimal digits; nil above 4 KiB or without an answer.
    public var answerDigest: String?
    /// HTTP status of the answer; nil without one.
    public var status: Int?
    /// From 1; 0 for the event that closes a call, and for what is none.
    public var attempt: Int
    /// W3C trace context.
    public var traceparent: String?
    /// The breaker's state at the decision.
    public var breaker: String?
    /// Anything else.
    public var metadata: [Fact]

    public init(
        id: CorrelationID, time: Timestamp, type: String, correlation: CorrelationID?, source: NodeReference,
        target: NodeReference, principal: Principal? = nil, resource: ResourceName? = nil,
        capability: ResourceName? = nil, action: String, success: Bool, refusals: [Refusal] = [],
        durationMilliseconds: Int64 = 0, agreement: String? = nil, requestLength: Int64 = 0,
        requestDigest: String? = nil, answerLength: Int64 = 0, answerDigest: String? = nil,
        status: Int? = nil,
        attempt: Int = 0, traceparent: String? = nil, breaker: String? = nil, metadata: [Fact] = []
    ) {
        self.id = id
        self.time = time
        self.type = type
        self.correlation = correlation
        self.source = source
        self.target = target
        self.principal = principal
        self.resource = resource
        self.capability = capability
        self.action = action
        self.success = success
        self.refusals = refusals
        self.durationMilliseconds = durationMilliseconds
        self.agreement = agreement
        self.requestLength = requestLength
        self.requestDigest = requestDigest
        self.answerLength = answerLength
        self.answerDigest = answerDigest
        self.status = status
        self.attempt = attempt
        self.traceparent = traceparent
        self.breaker = breaker
        self.metadata = metadata
    }
}

/// One call as all sides remember it.
public struct TraceReport: Codable, Equatable, Sendable {
    /// The version of this form: 1.
    public var version = 1
    /// The call.
    public var correlation: CorrelationID
    /// Who was asked, this node first.
    public var sides: [TraceSide]
    /// By time.
    public var events: [TraceEvent]
    /// Where two sides say different things about one attempt.
    public var disagreements: [TraceDisagreement]

    public init(
        correlation: CorrelationID, sides: [TraceSide], events: [TraceEvent],
        disagreements: [TraceDisagreement]
    ) {
        self.correlation = correlation
        self.sides = sides
        self.events = events
        self.disagreements = disagreements
    }
}

/// One side of a trace.
public struct TraceSide: Codable, Equatable, Sendable {
    /// Whose audit.
    public var node: NodeReference
    /// Whether that is this node.
    public var isHere: Bool
    /// Why its half is missing; nil when it is here.
    public var missing: Refusal?

    public init(node: NodeReference, isHere: Bool, missing: Refusal?) {
        self.node = node
        self.isHere = isHere
        self.missing = missing
    }
}

/// One event of a trace, and who wrote it.
public struct TraceEvent: Codable, Equatable, Sendable {
    /// Who wrote it.
    public var side: NodeReference
    /// What it says.
    public var event: AuditEventReport

    public init(side: NodeReference, event: AuditEventReport) {
        self.side = side
        self.event = event
    }
}

/// Where two sides say different things about one attempt.
public struct TraceDisagreement: Codable, Equatable, Sendable {
    /// Which attempt.
    public var attempt: Int
    /// What differs: `status`, `success`, `request digest`, `event missing`.
    public var what: String
    /// What each side says: its name and the value.
    public var values: [Fact]

    public init(attempt: Int, what: String, values: [Fact]) {
        self.attempt = attempt
        self.what = what
        self.values = values
    }
}

extension AuditEventReport {
    /// The name of the fact that says that the end of an event is not known.
    public static let stage = "stage"

    /// Whether its end is not known yet.
    var isUnderWay: Bool { metadata.first?.name == Self.stage }
}
