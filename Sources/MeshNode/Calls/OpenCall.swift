import MeshAudit
import MeshBase
import MeshRouting

/// One request on its way.
struct OpenCall: Sendable, Equatable {
    /// Where it stands.
    enum Phase: Sendable, Equatable {
        /// Between two others.
        case weighed
        /// For a link.
        case waiting
        /// For the external policy's answer.
        indirect case judging(ExternalTicket, ExternalQuestion)
        /// One attempt is out.
        case attempting(AttemptID)
        /// A second one is out as well, because the first took long.
        case hedged(first: AttemptID, second: AttemptID)
        /// The answer passes to the application.
        case answering(AttemptID)
    }

    /// Whom a further attempt may go to.
    enum Reach: Sendable, Equatable {
        /// Anybody; the first attempt.
        case anyone
        /// Those not tried yet; where `orAgain`, else the tried ones.
        case others(orAgain: Bool)
        /// This one only.
        case only(NodeID)
    }

    /// Apart from the rest, which is copied again and again.
    private indirect enum Asked: Sendable, Equatable { case request(LocalRequest) }

    private let asked: Asked
    let correlation: CorrelationID
    let began: Moment
    /// When it is given up; later and later while bytes move, where only the wait for its answer is bounded.
    var deadline: Instant
    /// The request's path in normal form.
    let path: String
    var phase = Phase.weighed
    var reach = Reach.anyone
    var attemptCount: UInt8 = 0
    /// When a second attempt follows the one that is out; nil: none does.
    var hedgeDue: Instant?
    var tried: [NodeID] = []
    /// Those of them that would not: what they said before is not given in their place.
    var refusers: [NodeID] = []
    /// One fact for each attempt, for the event that closes the call.
    var history: [Fact] = []
    /// The last attempt's reasons.
    var reasons: [Refusal] = []
    /// The last attempt's agreement and capability.
    var agreement: Digest?
    var capability: ResourceName?
    /// What the external policy said for this call; what it allowed counts for one attempt.
    var judged: [ExternalJudgement] = []
    /// Whether all that has left of its body can be sent again.
    var isBodyKept = true
    /// The whole of a streamed body, once it has passed.
    var passed: BodySummary?

    init(
        _ request: LocalRequest, correlation: CorrelationID, began: Moment, deadline: Instant, path: String
    ) {
        asked = .request(request)
        self.correlation = correlation
        self.began = began
        self.deadline = deadline
        self.path = path
    }

    /// What the application asks.
    var request: LocalRequest {
        switch asked {
        case .request(let request): request
        }
    }

    /// The attempts that are out.
    var underWay: [AttemptID] {
        switch phase {
        case .weighed, .waiting, .judging: []
        case .attempting(let attempt), .answering(let attempt): [attempt]
        case .hedged(let first, let second): [first, second]
        }
    }

    /// The other of two attempts that are out; nil where `attempt` is the only one.
    func rival(of attempt: AttemptID) -> AttemptID? {
        guard case .hedged(let first, let second) = phase else { return nil }
        return attempt == first ? second : first
    }

    /// Of two attempts this one is the call's: it is told by where that went, and by what permits that.
    mutating func rests(on attempt: OpenAttempt) {
        agreement = attempt.agreement
        capability = attempt.capability
        tried.removeAll { $0 == attempt.way.node }
        tried.append(attempt.way.node)
    }

    /// What its time bounds: without a word from the application, of `/mesh` the wait for the answer.
    var scope: DeadlineScope {
        request.deadline == nil && !request.form.isInvoke ? .answerHead : .wholeCall
    }
}

/// One attempt on its way.
struct OpenAttempt: Sendable, Equatable {
    let way: RouteBook.Way
    /// What it owes the breakers; spent once the answer has begun.
    var pass: RouteBook.Pass
    let isLocal: Bool
    /// Whether it asks by HEAD for an application that asked by `/invoke`.
    let isHead: Bool
    let event: CorrelationID
    let began: Instant
    /// How long it may take, or may wait for its answer since bytes last moved.
    let patience: Duration
    /// When it is given up.
    var timeout: Instant
    let what: Capability
    /// What permits it; nil for this node.
    let agreement: Digest?
    /// To which key its payload is sealed; nil: to none.
    let sealedTo: EncryptionKey?
    /// The idempotency key that it began at this node's own resource; nil where it began none.
    var key: IdempotencyBook.Key?
    /// At this node's own resource, until its answer begins.
    var place: ServicePlace?
    /// Once the answer has begun.
    var status: UInt16?
    /// The answer's, once it has begun, where there is a key.
    var headers: [HeaderField] = []

    var capability: ResourceName { what.name }
    var safety: Safety { what.safety }
}
