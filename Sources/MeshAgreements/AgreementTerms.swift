import MeshBase

/// What the evaluator needs to know about one version of an agreement: its content, and whether it is in
/// force.
public struct AgreementTerms: Equatable, Sendable {
    /// The content id of the document.
    public let contentID: Digest
    /// What was agreed.
    public let agreement: Agreement
    /// Whether both signed it and neither ended it.
    public let standing: Standing
    /// How it ended, for a refusal that rests on it; empty while it has not.
    public let ending: [Fact]
    /// What becomes of calls under way under it now: cut once it was revoked, if it says so.
    public let callsUnderWay: CallsAtEnd

    /// Whose approval is missing, for a refusal that rests on it; empty when nobody's is.
    public let lacking: [Fact]

    public init(
        contentID: Digest, agreement: Agreement, standing: Standing, ending: [Fact] = [],
        lacking: [Fact] = [],
        callsUnderWay: CallsAtEnd = .finish
    ) {
        self.contentID = contentID
        self.agreement = agreement
        self.standing = standing
        self.ending = ending
        self.lacking = lacking
        self.callsUnderWay = callsUnderWay
    }

    /// Whether an agreement is in force, apart from its times.
    public enum Standing: Equatable, Sendable {
        /// One party has signed it.
        case pending
        /// Both have; not everybody has approved who must, or not both know it.
        case unapproved
        /// It is in force.
        case active
        /// It was rejected, replaced, vetoed or revoked.
        case ended
    }
}
