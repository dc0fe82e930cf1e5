import MeshBase

/// What another policy would have meant for calls that were really made (protocol section 7): how many would
/// be refused that were not, how many allowed that were not, whose they are and which.
///
///     call with two verdicts ──> alike: counted
///                           └──> lost or gained: counted, and put with those of the same caller, resource,
///                                capability and reason
///
/// The two verdicts are the caller's business: what was decided then and what would be decided now, or what
/// each of two agreements says. Calls come in any order; two nodes that tell of the same calls come to the
/// same counts and, up to `groupsMax` kinds, to the same kinds and examples.
public struct PolicyReplay: Equatable, Sendable {
    /// Kinds of change that are told apart at most; calls of others are in `ungrouped`.
    public static let groupsMax = 256
    /// Calls that stand for one kind of change.
    public static let examplesMax = 3

    /// Calls that were decided twice.
    public private(set) var calls = 0
    /// Of these, permitted both times.
    public private(set) var permitted = 0
    /// Refused both times.
    public private(set) var refused = 0
    /// Permitted the first time only.
    public private(set) var lost = 0
    /// Permitted the second time only.
    public private(set) var gained = 0
    /// Of those lost and gained, the ones that found no place among the kinds that are told apart.
    public private(set) var ungrouped = 0
    private var groups = OrderedTable<ReplayChange, ReplayShare>()

    /// Nothing replayed yet.
    public init() {}

    /// What changes, the most calls first.
    public var changes: [(change: ReplayChange, share: ReplayShare)] {
        groups.map { (change: $0, share: $1) }
            .sorted { ($0.share.count, $1.change) > ($1.share.count, $0.change) }
    }

    /// Takes one call with its two verdicts.
    /// - Parameter correlation: the call's, minted by its originator.
    public mutating func add(
        _ question: PolicyQuestion, correlation: CorrelationID, first: ReplayVerdict, second: ReplayVerdict
    ) {
        calls += 1
        switch (first, second) {
        case (.permitted, .permitted): permitted += 1
        case (.refused, .refused): refused += 1
        case (.permitted, .refused(let code)):
            lost += 1
            put(ReplayChange(question, .lost, code), correlation)
        case (.refused(let code), .permitted):
            gained += 1
            put(ReplayChange(question, .gained, code), correlation)
        }
    }

    private mutating func put(_ change: ReplayChange, _ correlation: CorrelationID) {
        if groups.update(change, { $0.add(correlation) }) != nil { return }
        guard groups.count < Self.groupsMax else {
            ungrouped += 1
            return
        }
        groups[change] = ReplayShare(correlation)
    }
}

/// What a policy says of one call.
public enum ReplayVerdict: Equatable, Sendable {
    /// It may be made.
    case permitted
    /// It may not; the first reason.
    case refused(RefusalCode)

    /// What the evaluator said.
    public init(_ verdict: Verdict) {
        switch verdict {
        case .permitted: self = .permitted
        case .refused(let reasons): self = .refused(reasons.first?.code ?? .agreementMissing)
        }
    }
}

/// Calls that change alike.
public struct ReplayChange: Hashable, Comparable, Sendable {
    /// Which way a call changes.
    public enum Direction: String, Sendable, CaseIterable {
        /// It was, or would be, permitted first, and is refused second.
        case lost
        /// It was, or would be, refused first, and is permitted second.
        case gained
    }

    /// Which way.
    public let direction: Direction
    /// Who asked.
    public let caller: NodeID
    /// Who there.
    public let principal: Principal
    /// Who was asked.
    public let callee: NodeID
    /// For what.
    public let resource: ResourceName
    /// What of it.
    public let capability: ResourceName
    /// Why it is refused, the time that it is.
    public let code: RefusalCode

    init(_ question: PolicyQuestion, _ direction: Direction, _ code: RefusalCode) {
        self.direction = direction
        caller = question.caller
        principal = question.principal
        callee = question.callee
        resource = question.resource
        capability = question.capability
        self.code = code
    }

    public static func < (left: Self, right: Self) -> Bool {
        if left.direction != right.direction { return left.direction == .lost }
        if (left.caller, left.principal, left.callee) != (right.caller, right.principal, right.callee) {
            return (left.caller, left.principal, left.callee)
                < (right.caller, right.principal, right.callee)
        }
        return (left.resource, left.capability, left.code.rawValue)
            < (right.resource, right.capability, right.code.rawValue)
    }
}

/// How many calls change alike, and which to look at.
public struct ReplayShare: Equatable, Sendable {
    /// How many they are.
    public private(set) var count = 1
    /// The newest of them, by correlation id, at most `PolicyReplay.examplesMax`.
    public private(set) var examples: [CorrelationID]

    init(_ correlation: CorrelationID) { examples = [correlation] }

    mutating func add(_ correlation: CorrelationID) {
        count += 1
        // Attempts at one call share their correlation id.
        guard !examples.contains(correlation) else { return }
        let place = examples.firstIndex { $0 < correlation } ?? examples.count
        guard place < PolicyReplay.examplesMax else { return }
        examples.insert(correlation, at: place)
        if examples.count > PolicyReplay.examplesMax { examples.removeLast() }
    }
}

extension PolicyEvaluator {
    /// What this one agreement says of `question` while it is in force, whatever its times and whether or not
    /// it is signed: what a person weighs before signing.
    public static func decide(_ question: PolicyQuestion, bySigned terms: AgreementTerms) -> Verdict {
        let inForce = AgreementTerms(
            contentID: terms.contentID, agreement: terms.agreement, standing: .active)
        let within = terms.agreement.validUntil - AgreementLimits.clockMargin
        return decide(question.asked(at: within), over: [inForce])
    }
}

extension PolicyQuestion {
    /// The same of members as their credentials prove them.
    public func placed(_ caller: Membership?, _ callee: Membership?) -> PolicyQuestion {
        PolicyQuestion(
            side: side, caller: self.caller, callee: self.callee, resource: resource, capability: capability,
            safety: safety, method: method, principal: principal, purpose: purpose, callerRoles: callerRoles,
            callerMembership: caller, calleeMembership: callee, callerAddress: callerAddress,
            payload: payload, relays: relays, now: now)
    }

    /// The same at another time.
    public func asked(at now: WallTime) -> PolicyQuestion {
        var question = self
        question.now = now
        return question
    }
}
