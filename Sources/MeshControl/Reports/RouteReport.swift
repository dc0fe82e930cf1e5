import MeshBase

/// For each resource that can be called: who could answer.
public struct RoutesReport: Codable, Equatable, Sendable {
    /// The version of this form: 1.
    public var version = 1
    /// By resource.
    public var routes: [RouteReport]

    public init(routes: [RouteReport]) { self.routes = routes }
}

/// Who could answer a call to one resource.
public struct RouteReport: Codable, Equatable, Sendable {
    /// The resource.
    public var resource: ResourceName
    /// By which labels the operator prefers providers.
    public var prefer: [LabelPreference]
    /// Who takes every call for as long as it is ready; nil: nobody.
    public var preferred: NodeReference?
    /// Who comes first among the others.
    public var order: RouteOrder
    /// After how long without an answer a safe call is sent to a second provider as well; nil: none is.
    public var hedge: HedgeTime?
    /// Best first.
    public var candidates: [CandidateReport]

    public init(
        resource: ResourceName, prefer: [LabelPreference] = [], preferred: NodeReference? = nil,
        order: RouteOrder = .localFirst, hedge: HedgeTime? = nil, candidates: [CandidateReport]
    ) {
        self.resource = resource
        self.prefer = prefer
        self.preferred = preferred
        self.order = order
        self.hedge = hedge
        self.candidates = candidates
    }
}

/// One provider of a resource, as the router sees it.
public struct CandidateReport: Codable, Equatable, Sendable {
    /// Who.
    public var peer: NodeReference
    /// Whether that is this node.
    public var isHere: Bool
    /// Whether the router may pick it; another is only asked by name.
    public var isProvider: Bool
    /// Why it may not be picked now; empty when it may.
    public var reasons: [Refusal]
    /// How much the operator prefers it by its name (`comity route --via PEER:WEIGHT`); 1: not.
    public var weight: Int64
    /// By which of its labels it is preferred or avoided.
    public var labels: [LabelPreference]
    /// Weight and labels together: it is taken as if it were so many times as fast.
    public var wholeWeight: Double
    /// Lower is better: peak latency in milliseconds x (calls in flight + 1) / weight; nil before the first
    /// call.
    public var score: Double?
    /// Peak-EWMA of the latency; nil before the first call.
    public var latencyMilliseconds: Double?
    /// Calls under way.
    public var inFlight: Int
    /// The relay that carries the link to it; nil: none does.
    public var relay: NodeReference?
    /// The breaker of this resource at this peer.
    public var breaker: BreakerReport.State
    /// After how long without its answer a safe call is sent to a second provider as well; nil: none is,
    /// because the operator wants none, or too few of its answers are known.
    public var hedgeAfterMilliseconds: Double?
    /// How busy the resource is, where this node has it and it was used.
    public var load: LoadReport?

    public init(
        peer: NodeReference, isHere: Bool, isProvider: Bool, reasons: [Refusal],
        weight: Int64 = 1, labels: [LabelPreference] = [], wholeWeight: Double = 1, score: Double?,
        latencyMilliseconds: Double?, inFlight: Int, relay: NodeReference? = nil,
        breaker: BreakerReport.State, hedgeAfterMilliseconds: Double? = nil,
        load: LoadReport? = nil
    ) {
        self.peer = peer
        self.isHere = isHere
        self.isProvider = isProvider
        self.reasons = reasons
        self.weight = weight
        self.labels = labels
        self.wholeWeight = wholeWeight
        self.score = score
        self.latencyMilliseconds = latencyMilliseconds
        self.inFlight = inFlight
        self.relay = relay
        self.breaker = breaker
        self.hedgeAfterMilliseconds = hedgeAfterMilliseconds
        self.load = load
    }
}

/// How busy a resource of this node is.
public struct LoadReport: Codable, Equatable, Sendable {
    /// Calls of all callers whose answer has not begun.
    public var inHand: Int
    /// How many of these there may be now; nil: as many as come.
    public var limit: Int?
    /// Among how many partners they are shared.
    public var partners: Int
    /// Calls that were refused for it since the start.
    public var refused: UInt64
    /// How long a call takes that waits for no other; nil before that is known.
    public var aloneMilliseconds: Double?

    public init(inHand: Int, limit: Int?, partners: Int, refused: UInt64, aloneMilliseconds: Double?) {
        self.inHand = inHand
        self.limit = limit
        self.partners = partners
        self.refused = refused
        self.aloneMilliseconds = aloneMilliseconds
    }
}

/// One breaker.
public struct BreakerReport: Codable, Equatable, Sendable {
    /// Its three states.
    public enum State: String, Codable, Sendable, CaseIterable {
        /// Calls pass.
        case closed
        /// No call passes.
        case open
        /// One probe passes.
        case halfOpen = "half-open"
    }
    /// Whose.
    public var peer: NodeReference
    /// Of which resource; nil for the breaker of the whole link.
    public var resource: ResourceName?
    /// Its state.
    public var state: State
    /// Since when.
    public var since: Timestamp
    /// When the next probe is let through; nil unless open.
    public var probeAt: Timestamp?
    /// What opened it: `5 consecutive transport failures`.
    public var why: String

    public init(
        peer: NodeReference, resource: ResourceName?, state: State, since: Timestamp, probeAt: Timestamp?,
        why: String
    ) {
        self.peer = peer
        self.resource = resource
        self.state = state
        self.since = since
        self.probeAt = probeAt
        self.why = why
    }
}
