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

    public init(contentID: Digest, agreement: Agreement, standing: Standing) {
        self.contentID = contentID
        self.agreement = agreement
        self.standing = standing
    }

    /// Whether an agreement is in force, apart from its times.
    public enum Standing: Equatable, Sendable {
        /// One party has signed it.
        case pending
        /// Both have.
        case active
        /// It was rejected, replaced or is over.
        case ended
    }
}
