import MeshAgreements
import MeshBase
import MeshRouting

/// How calls are held against a policy engine besides the agreements (protocol section 7): an additional
/// condition, that can only refuse.
public struct ExternalPolicyRules: Equatable, Sendable {
    /// Whether calls that leave this node are asked about.
    public var asksAsConsumer: Bool
    /// Whether calls that peers make here are asked about.
    public var asksAsProvider: Bool
    /// How long an answer is waited for, 10 ms ... 5 s; after that the call is refused.
    public var patience: Duration
    /// How long an answer counts for calls that are alike in all that the engine is told but time and
    /// correlation; zero: each call is asked about.
    public var cacheLife: Duration

    public init(
        asksAsConsumer: Bool = true, asksAsProvider: Bool = true, patience: Duration = .milliseconds(500),
        cacheLife: Duration = .zero
    ) {
        self.asksAsConsumer = asksAsConsumer
        self.asksAsProvider = asksAsProvider
        self.patience = patience
        self.cacheLife = cacheLife
    }

    func asks(as side: PolicyQuestion.Side) -> Bool {
        switch side {
        case .consumer: asksAsConsumer
        case .provider: asksAsProvider
        }
    }
}

/// What the engine is told of one call, but for its time and correlation id.
public struct ExternalQuestion: Hashable, Sendable {
    /// On which side it is asked.
    public let side: PolicyQuestion.Side
    /// Who calls.
    public let caller: NodeID
    /// Who is called.
    public let callee: NodeID
    /// What people here call the other of the two.
    public let peerName: NodeName
    /// Who asks, within the caller.
    public let principal: Principal
    /// What the call is for, in the caller's word; nil: it says none.
    public let purpose: Purpose?
    /// What of the callee's.
    public let resource: ResourceName
    /// What of the resource.
    public let capability: ResourceName
    /// What repeating it does.
    public let safety: Safety
    /// The HTTP method.
    public let method: String
    /// Beneath the resource's URL, in normal form, without the query.
    public let path: String
    /// By which agreement it is permitted.
    public let agreement: Digest
    /// The roles that the caller's credential proves; only what the asking side can judge.
    public let callerRoles: [DomainRole]
    /// From where the caller's link comes; nil at the consumer.
    public let callerAddress: IPAddress?
}

/// What the engine answered, or that it did not.
public enum ExternalAnswer: Equatable, Sendable {
    /// It may be made.
    case allowed(decision: String?)
    /// It may not, for these reasons, each plain and of at most 256 bytes; at most 8.
    case denied(decision: String?, reasons: [String])
    /// There is no answer: the call is refused.
    case failed(ExternalFailure)
}

/// Why an engine gave no answer. Each of them refuses the call.
public enum ExternalFailure: Equatable, Sendable {
    /// The rule gives no result for this input: 200 without `result` (OPA's REST API, "Get a Document").
    case undefined
    /// It answered with this status.
    case status(Int)
    /// It took too long.
    case late
    /// What it answered is no decision.
    case malformed(String)
    /// It could not be asked.
    case unreachable

    /// As people read it.
    var words: String {
        switch self {
        case .undefined: "the rule is undefined for this call"
        case .status(let status): "it answered with status \(status)"
        case .late: "it did not answer in time"
        case .malformed(let what): "its answer is no decision: \(what)"
        case .unreachable: "it could not be asked"
        }
    }
}

/// How long an engine has given no answer, as the calls since then found out.
public struct ExternalOutage: Equatable, Sendable {
    /// When the first question since the last answer went without one, by this node's clock.
    public let since: WallTime
    /// Questions since then, which refused as many calls or candidates.
    public internal(set) var questions: Int
    /// What was wrong the last time, as people read it: `it did not answer in time`.
    public internal(set) var why: String
}

/// Which question an answer belongs to.
public struct ExternalTicket: Hashable, Sendable {
    let subject: CallSubject
    let number: UInt64
}

/// Answers that still count, and the numbers of questions. Failures are never kept.
///
///     asked ──answered──> kept for `cacheLife` ──over, or no room──> forgotten
///
/// And whether the engine is well: it is out from the first question without an answer to the next answer,
/// whatever that is. That a rule says nothing of one call is an answer. Nobody asks to find out.
struct ExternalPolicy: Equatable, Sendable {
    /// Answers that are kept.
    static let cachedMax = 4_096

    private struct Entry: Equatable, Sendable {
        let answer: ExternalAnswer
        let until: Instant
    }

    private var entries: [ExternalQuestion: Entry] = [:]
    /// Questions in the order in which their answers came.
    private var order: [ExternalQuestion] = []
    private var asked: UInt64 = 0
    /// Since when the engine gives no answer; nil: the last question had one, or there was none.
    private(set) var outage: ExternalOutage?

    /// What became of a question.
    mutating func note(_ answer: ExternalAnswer, at wall: WallTime) {
        switch answer {
        case .allowed, .denied, .failed(.undefined): outage = nil
        case .failed(let failure):
            var current = outage ?? ExternalOutage(since: wall, questions: 0, why: "")
            current.questions += 1
            current.why = failure.words
            outage = current
        }
    }

    /// A number that no question had.
    mutating func newTicket(for subject: CallSubject) -> ExternalTicket {
        asked += 1
        return ExternalTicket(subject: subject, number: asked)
    }

    /// What still counts.
    func answer(to question: ExternalQuestion, at now: Instant) -> ExternalAnswer? {
        guard let entry = entries[question], now < entry.until else { return nil }
        return entry.answer
    }

    /// Keeps an answer for `life`.
    mutating func keep(
        _ answer: ExternalAnswer, to question: ExternalQuestion, for life: Duration, at now: Instant
    ) {
        if case .failed = answer { return }
        guard life > .zero else { return }
        if entries[question] == nil {
            if order.count >= Self.cachedMax { dropOldest() }
            order.append(question)
        }
        entries[question] = Entry(answer: answer, until: now + life)
    }

    /// A quarter at once, so that each answer costs the same in the long run.
    private mutating func dropOldest() {
        for question in order.prefix(Self.cachedMax / 4) { entries[question] = nil }
        order.removeFirst(Self.cachedMax / 4)
    }

    /// Nothing that was answered counts any more: another engine is asked, or the same otherwise.
    mutating func forgetAll() {
        outage = nil
        entries = [:]
        order = []
    }
}

extension ExternalAnswer {
    /// Why the call is refused; nil when it is not.
    func refusal(at side: PolicyQuestion.Side) -> Refusal? {
        let decided = Fact("decided at", side.rawValue)
        switch self {
        case .allowed: return nil
        case .denied(let decision, let reasons):
            return Refusal(
                .externalPolicyDenied,
                [Fact("decision", decision ?? "without an id")] + reasons.map { Fact("reason", $0) }
                    + [decided])
        case .failed(let failure):
            return Refusal(.externalPolicyFailed, [Fact("because", failure.words), decided])
        }
    }

    /// What the event of a call says of it.
    var facts: [Fact] {
        guard case .allowed(let decision) = self else { return [] }
        return [Fact("external policy", "allowed"), Fact("decision", decision ?? "without an id")]
    }
}
