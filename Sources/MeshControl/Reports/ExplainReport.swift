import MeshBase

/// Why something is as it is.
public struct ExplainReport: Codable, Equatable, Sendable {
    /// The version of this form: 1.
    public var version = 1
    /// What is explained, as people say it: `call A/orders/list at 10:04`.
    public var subject: String
    /// The call; nil for what is none.
    public var correlation: CorrelationID?
    /// How it ended, or would end.
    public var verdict: ExplainVerdict
    /// Every question that was asked, in the order in which it was asked.
    public var branches: [ExplainBranch]

    public init(
        subject: String, correlation: CorrelationID?, verdict: ExplainVerdict, branches: [ExplainBranch]
    ) {
        self.subject = subject
        self.correlation = correlation
        self.verdict = verdict
        self.branches = branches
    }
}

/// How one question was answered.
public enum ExplainVerdict: String, Codable, Sendable, CaseIterable {
    /// Yes.
    case allowed
    /// No.
    case refused
    /// Nobody knows: a side did not answer, or the outcome was lost.
    case unknown
    /// It was not asked: an earlier answer decided.
    case notAsked = "not-asked"
}

/// One question of a decision, and what one side answered.
public struct ExplainBranch: Codable, Equatable, Sendable {
    /// Who was asked; nil for this node.
    public var side: NodeReference?
    /// The question: `is the peer trusted?`
    public var question: String
    /// The answer.
    public var verdict: ExplainVerdict
    /// Why not; empty when it was.
    public var reasons: [Refusal]
    /// What was compared, where no reason carries it.
    public var facts: [Fact]
    /// The one command that would change it; nil when there is none.
    public var next: String?

    public init(
        side: NodeReference?, question: String, verdict: ExplainVerdict, reasons: [Refusal] = [],
        facts: [Fact] = [],
        next: String? = nil
    ) {
        self.side = side
        self.question = question
        self.verdict = verdict
        self.reasons = reasons
        self.facts = facts
        self.next = next
    }
}
