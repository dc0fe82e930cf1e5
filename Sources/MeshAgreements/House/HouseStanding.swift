import MeshBase

/// What the evaluator needs to know about a house agreement.
public struct HouseTerms: Equatable, Sendable {
    /// The content id of the document.
    public let contentID: Digest
    /// What the anchor signed.
    public let agreement: HouseAgreement

    public init(contentID: Digest, agreement: HouseAgreement) {
        self.contentID = contentID
        self.agreement = agreement
    }
}

/// What one call rests on where its two parties are, or were, members of one domain.
public struct HouseStanding: Equatable, Sendable {
    /// The newest house agreement that is known here of the domain of whoever decides; nil: none yet.
    public let terms: HouseTerms?
    /// What counts of the caller's credential; nil: nothing.
    public let caller: Membership?
    /// What counts of the callee's credential; nil: nothing.
    public let callee: Membership?
    /// Whether the callee offers the resource to its domain.
    public let isOffered: Bool

    public init(terms: HouseTerms?, caller: Membership?, callee: Membership?, isOffered: Bool) {
        self.terms = terms
        self.caller = caller
        self.callee = callee
        self.isOffered = isOffered
    }
}

/// The evaluator's part for houses: a call is permitted while both are proved members of the domain whose
/// house agreement is in force, and what is called is offered to that domain; and only then.
extension PolicyEvaluator {
    /// Whether the house agreement permits the call.
    static func permits(_ house: HouseStanding, at now: WallTime) -> Bool {
        let end = now + AgreementLimits.clockMargin
        guard house.isOffered, let terms = house.terms?.agreement, terms.permits == .whatMembersOffer,
            end <= terms.until
        else { return false }
        return sharedDomain(of: house, until: end) == terms.domain
    }

    /// The domain of which both are proved members up to `end`; nil when there is none.
    private static func sharedDomain(of house: HouseStanding, until end: WallTime) -> DomainID? {
        guard let caller = house.caller, let callee = house.callee, caller.domain == callee.domain,
            end <= caller.until, end <= callee.until
        else { return nil }
        return caller.domain
    }

    /// Everything that the house lacks to permit the call.
    static func shortcomings(of house: HouseStanding, for question: PolicyQuestion) -> [Refusal] {
        let decided = Fact("decided at", question.side.rawValue)
        guard house.isOffered else {
            // It says something only where the offer is what is missing.
            guard let domain = house.callee?.domain, domain == house.caller?.domain else { return [] }
            return [
                Refusal(
                    .notOfferedToDomain,
                    [
                        Fact("resource", question.resource), Fact("callee", question.callee),
                        Fact("domain", domain), decided,
                    ])
            ]
        }
        var missing: [Refusal] = []
        let end = question.now + AgreementLimits.clockMargin
        let domain = sharedDomain(of: house, until: end)
        if domain == nil {
            missing.append(
                Refusal(
                    .membershipMissing,
                    [
                        Fact("caller", question.caller), Fact("caller is", words(house.caller)),
                        Fact("callee", question.callee), Fact("callee is", words(house.callee)),
                        Fact("now", RFC3339.text(question.now)), decided,
                    ]))
        }
        guard let terms = house.terms, terms.agreement.domain == domain ?? terms.agreement.domain,
            terms.agreement.permits == .whatMembersOffer
        else {
            let wanted = domain ?? house.callee?.domain ?? house.caller?.domain
            return missing + [
                Refusal(
                    .houseAgreementMissing,
                    [Fact("domain", wanted.map(\.description) ?? "none"), decided])
            ]
        }
        if end > terms.agreement.until {
            missing.append(
                Refusal(
                    .agreementExpired,
                    [
                        Fact("agreement", terms.agreement.name), Fact("version", terms.agreement.version),
                        decided, Fact("until", RFC3339.text(terms.agreement.until)),
                        Fact("now", RFC3339.text(question.now)),
                        Fact("margin in ms", AgreementLimits.clockMargin.wholeMilliseconds),
                    ]))
        }
        return missing
    }

    private static func words(_ membership: Membership?) -> String {
        guard let membership else { return "no member that is known here" }
        return "member of \(membership.domain) until \(RFC3339.text(membership.until))"
    }
}
