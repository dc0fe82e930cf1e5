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
    /// What stands with each peer without what is withdrawn.
    private let standing: OrderedTable<NodeID, AgreementIndex>
    /// What holds for whole domains, without what is withdrawn.
    private let domains: AgreementIndex

    /// - Parameters:
    ///   - added: counted as if both had signed them and their time were now.
    ///   - withdrawn: content ids of what is counted as ended.
    public init(_ view: CallView, adding added: [AgreementTerms] = [], withdrawing withdrawn: [Digest] = []) {
        self.view = view
        self.added = added
        let adds = Set(added.map(\.contentID))
        func without(_ index: AgreementIndex) -> AgreementIndex {
            func isTouched(_ terms: AgreementTerms) -> Bool {
                withdrawn.contains(terms.contentID) || adds.contains(terms.contentID)
            }
            guard index.terms.contains(where: isTouched) else { return index }
            return AgreementIndex(
                index.terms.compactMap { terms in
                    // It stands among what is added.
                    if adds.contains(terms.contentID) { return nil }
                    guard withdrawn.contains(terms.contentID) else { return terms }
                    return AgreementTerms(
                        contentID: terms.contentID, agreement: terms.agreement, standing: .ended)
                })
        }
        var standing = view.agreements
        for (peer, index) in view.agreements { standing[peer] = without(index) }
        domains = without(view.domainAgreements)
        self.standing = standing
    }

    /// What would come of `past` at `wall`.
    public func verdict(on past: PastCall, at wall: WallTime) -> ReplayVerdict {
        let question = past.question.asked(at: wall)
        let isOutgoing = question.caller == view.me
        let peer = isOutgoing ? question.callee : question.caller
        if let refusal = view.trustRefusal(peer) { return .refused(refusal.code) }
        let own = view.domain?.membership
        let theirs = view.peers[peer]?.membership
        let placed = question.placed(isOutgoing ? own : theirs, isOutgoing ? theirs : own)
        var lacking: Verdict?
        for terms in added {
            let verdict = PolicyEvaluator.decide(placed, bySigned: terms)
            if case .permitted = verdict { return .permitted }
            let isNear = terms.agreement.grants.contains { $0.resource == question.resource }
            if isNear, lacking == nil { lacking = verdict }
        }
        let house =
            isOutgoing
            ? view.house(calling: peer, question.resource)
            : view.house(calledBy: peer, question.resource, at: wall)
        let verdict = PolicyEvaluator.decide(
            placed, over: standing[peer] ?? [], domains: domains, house: house)
        // What is weighed is the reason, where nothing that stands permits the call either.
        if case .refused = verdict, let lacking { return ReplayVerdict(lacking) }
        return ReplayVerdict(verdict)
    }
}
