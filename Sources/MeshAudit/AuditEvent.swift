import MeshBase

/// What happened, for those who ask later: one event for each attempt at an invocation on each side that it
/// reached, one that closes a call at its originator, and one for each change of trust, agreement, breaker
/// and administration.
public struct AuditEvent: Equatable, Sendable, Codable {
    /// Unique at this node: a UUIDv7, so that events sort by time.
    public var id: CorrelationID
    /// When it began, by this node's wall clock.
    public var time: WallTime
    /// What kind of event it is.
    public var type: AuditEventType
    /// Ties the events of one call together, on both sides; nil for what is no call.
    public var correlation: CorrelationID?
    /// Who asked: the consumer's node.
    public var source: NodeID
    /// Who was asked; for what concerns this node only, itself.
    public var target: NodeID
    /// Who asked, within the source node.
    public var principal: Principal?
    /// What was asked for.
    public var resource: ResourceName?
    /// What of it.
    public var capability: ResourceName?
    /// What was done, in the field's words: `invoke`, `trusted`, `suspended`, `agreement accepted`.
    public var action: String
    /// Whether it succeeded.
    public var success: Bool
    /// Why not; empty when it succeeded.
    public var refusals: [Refusal]
    /// How long it took, in milliseconds.
    public var durationInMilliseconds: Int64
    /// The agreement under which it was decided, by content id.
    public var agreement: Digest?
    /// SHA-256 of the request body; nil above 4 KiB.
    public var requestDigest: Digest?
    /// Length of the request body in bytes.
    public var requestLength: Int64
    /// SHA-256 of the answer's body; nil above 4 KiB or without an answer.
    public var answerDigest: Digest?
    /// Length of the answer's body in bytes.
    public var answerLength: Int64
    /// HTTP status of the answer; nil without one.
    public var status: UInt16?
    /// Which attempt it was, from 1; 0 for the event that closes a call, and for what is no call.
    public var attempt: UInt8
    /// W3C trace context.
    public var traceparent: String?
    /// The breaker's state at the decision: `closed`, `open`, `half-open`; nil where none was asked.
    public var breaker: String?
    /// Anything else, in reading order, as facts: never a secret.
    public var metadata: [Fact]

    public init(
        id: CorrelationID, time: WallTime, type: AuditEventType, correlation: CorrelationID? = nil,
        source: NodeID,
        target: NodeID, principal: Principal? = nil, resource: ResourceName? = nil,
        capability: ResourceName? = nil,
        action: String, success: Bool, refusals: [Refusal] = [], durationInMilliseconds: Int64 = 0,
        agreement: Digest? = nil, requestDigest: Digest? = nil, requestLength: Int64 = 0,
        answerDigest: Digest? = nil,
        answerLength: Int64 = 0, status: UInt16? = nil, attempt: UInt8 = 0, traceparent: String? = nil,
        breaker: String? = nil, metadata: [Fact] = []
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
        self.durationInMilliseconds = durationInMilliseconds
        self.agreement = agreement
        self.requestDigest = requestDigest
        self.requestLength = requestLength
        self.answerDigest = answerDigest
        self.answerLength = answerLength
        self.status = status
        self.attempt = attempt
        self.traceparent = traceparent
        self.breaker = breaker
        self.metadata = metadata
    }
}

/// The kinds of event.
public enum AuditEventType: String, Sendable, Codable, CaseIterable {
    /// One attempt at a call, as the consumer saw it.
    case attempt
    /// One attempt at a call, as the provider saw it.
    case service
    /// The end of a call at its originator.
    case call
    /// A change of trust in a peer, or a refused attempt at one.
    case trust
    /// A link that came up or went down.
    case link
    /// A change of an agreement.
    case agreement
    /// A breaker that changed its state.
    case breaker
    /// Something the operator did.
    case administration
    /// Something about this node itself: start, stop, recovery.
    case node
}

/// One record of the journal. A call's *admitted* and *settled* are together its one event; everything else
/// is one record. An event is kept apart from it: records pass through several hands.
public enum AuditRecord: Equatable, Sendable {
    /// Written before the first byte goes on to the peer or to the resource. `success` is false and the end
    /// unknown as yet.
    indirect case admitted(AuditEvent)
    /// Written before the last frame of the answer is let go: names the admitted event by id and says how it
    /// ended.
    case settled(AuditSettlement)
    /// A whole event of its own.
    indirect case event(AuditEvent)
}

/// How an admitted call ended.
public struct AuditSettlement: Equatable, Sendable {
    /// The admitted event.
    public let id: CorrelationID
    /// When it ended.
    public let time: WallTime
    /// Whether it succeeded.
    public let success: Bool
    /// Why not.
    public let refusals: [Refusal]
    /// From admission to the end, in milliseconds.
    public let durationInMilliseconds: Int64
    /// SHA-256 of the answer's body; nil above 4 KiB or without an answer.
    public let answerDigest: Digest?
    /// Length of the answer's body in bytes.
    public let answerLength: Int64
    /// HTTP status of the answer; nil without one.
    public let status: UInt16?
    /// What of the request's body passed, of one that streamed; nil: what was admitted stands.
    public let request: BodySummary?

    public init(
        id: CorrelationID, time: WallTime, success: Bool, refusals: [Refusal] = [],
        durationInMilliseconds: Int64,
        answerDigest: Digest? = nil, answerLength: Int64 = 0, status: UInt16? = nil,
        request: BodySummary? = nil
    ) {
        self.id = id
        self.time = time
        self.success = success
        self.refusals = refusals
        self.durationInMilliseconds = durationInMilliseconds
        self.answerDigest = answerDigest
        self.answerLength = answerLength
        self.status = status
        self.request = request
    }
}
