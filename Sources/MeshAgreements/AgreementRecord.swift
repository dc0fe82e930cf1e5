import MeshBase

/// One version of an agreement with what became of it: what the store keeps.
public struct AgreementRecord: Equatable, Sendable, Codable {
    /// SHA-256 of the document's payload.
    public let contentID: Digest
    /// The other party.
    public let peer: NodeID
    /// One signature while it is offered, two once it is active.
    public internal(set) var document: Signed<Agreement>
    /// What became of it.
    public internal(set) var state: AgreementState
    /// What people of either party said about it, at most `AgreementLimits.approvalsPerParty` of each.
    public internal(set) var approvals: [ApprovalRecord]
    /// How it came about here.
    public let origin: AgreementOrigin
    /// Of its end so many days ahead was told last; nil: it was not.
    public internal(set) var warned: Int64?

    public init(
        contentID: Digest, peer: NodeID, document: Signed<Agreement>, state: AgreementState,
        origin: AgreementOrigin, approvals: [ApprovalRecord] = [], warned: Int64? = nil
    ) {
        self.contentID = contentID
        self.peer = peer
        self.document = document
        self.state = state
        self.origin = origin
        self.approvals = approvals
        self.warned = warned
    }

    /// The content.
    public var agreement: Agreement { document.body }

    /// What the evaluator needs of it.
    public var terms: AgreementTerms {
        let standing: AgreementTerms.Standing =
            switch state {
            case .offered: .pending
            case .signed: .unapproved
            // Whatever the state says: without its approvals nothing is honoured.
            case .active: isApproved && veto == nil ? .active : .unapproved
            case .ended: .ended
            }
        var callsUnderWay = CallsAtEnd.finish
        // A higher version that takes its place goes on with what is under way.
        if case .ended(.revoked) = state { callsUnderWay = agreement.callsAtEnd ?? .finish }
        return AgreementTerms(
            contentID: contentID, agreement: agreement, standing: standing, ending: ending, lacking: lacking,
            callsUnderWay: callsUnderWay)
    }
}

/// The life of one version of an agreement: offered, signed, active, ended.
public enum AgreementState: Equatable, Sendable, Codable {
    /// One party has signed.
    case offered
    /// Both have; approvals are missing, or the other party has not said that it has them.
    case signed(acceptance: AgreementAcceptance)
    /// It is in force; `automatic` tells whether a person accepted it here.
    case active(acceptance: AgreementAcceptance)
    /// For good.
    case ended(AgreementEnding)
}

/// How the second signature came about.
public enum AgreementAcceptance: String, Sendable, Codable {
    /// The rule of protocol section 7 accepted it here.
    case automatic
    /// A person accepted it here.
    case byOperator = "operator"
    /// The peer accepted what was offered from here.
    case byPeer = "peer"
}

/// Why an agreement is over.
public enum AgreementEnding: Equatable, Sendable, Codable {
    /// The party to whom it was offered said no, with these reasons.
    case rejected([Refusal])
    /// A higher version became active.
    case replaced
    /// A person said no; who and why stands among the approvals.
    case vetoed
    /// One party ended the agreement, by this word. `isHeard`: the other party has it.
    case revoked(Signed<AgreementRevocation>, isHeard: Bool)
}

/// Who brought a version of an agreement to this node.
public enum AgreementOrigin: String, Sendable, Codable {
    /// The peer offered it.
    case peer
    /// The operator of this node offered it.
    case byOperator = "operator"
    /// The built-in offer of `echo` to every trusted peer.
    case builtIn = "built-in"
}

/// One version of an agreement, as the book orders them.
struct AgreementVersion: Comparable, Hashable, Sendable {
    let id: AgreementID
    let version: Int64

    init(_ agreement: Agreement) {
        id = agreement.id
        version = agreement.version
    }

    static func < (left: Self, right: Self) -> Bool { (left.id, left.version) < (right.id, right.version) }
}
