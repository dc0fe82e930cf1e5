import MeshAgreements
import MeshBase

/// What this node would say now to calls that were made before: by what stands, and by what would stand if
/// some agreements were signed and others ended.
///
/// Of a past call its method, roles and address count as they were; trust, membership, agreements and times
/// count as they are.
public struct StandingPolicy: Equatable, Sendable {
    private let view: CallView
    private let added: [AgreementTerms]
    private let withdrawn: [Digest]

    /// - Parameters:
    ///   - added: counted as if both had signed them and their time were now.
    ///   - withdrawn: content ids of what is counted as ended.
    public init(_ view: CallView, adding added: [AgreementTerms] = [], withdrawing withdrawn: [Digest] = []) {
        self.view = view
        self.added = added
        self.withdrawn = withdrawn
    }

    /// What would come of `past` at `wall`.
    public func verdict(on past: PastCall, at wall: WallTime) -> ReplayVerdict {
        let question = past.question.asked(at: wall)
        let isOutgoing = question.caller == view.me
        let peer = isOutgoing ? question.callee : question.caller
        if let refusal = view.trustRefusal(peer) { return .refused(refusal.code) }
        for terms in added {
            if case .permitted = PolicyEvaluator.decide(question, bySigned: terms) { return .permitted }
        }
        let standing = (view.agreements[peer] ?? []).map { terms in
            guard withdrawn.contains(terms.contentID) else { return terms }
            return AgreementTerms(contentID: terms.contentID, agreement: terms.agreement, standing: .ended)
        }
        let house =
            isOutgoing
            ? view.house(calling: peer, question.resource)
            : view.house(calledBy: peer, question.resource, at: wall)
        return ReplayVerdict(PolicyEvaluator.decide(question, over: standing, house: house))
    }
}
