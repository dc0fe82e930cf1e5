import MeshBase

/// May this node ask that one for this? Default deny; one pure function, used alike at the consumer, at the
/// provider, when an offer is made or answered, and by `explain` (protocol section 7).
///
///     agreements ──> covers the resource? ──> parties, signed, time, capability, conditions, limits?
///                          │ no                 ├─ no: a refusal for each that it lacks
///                          └─ not a near miss  └─ yes: permitted
///     house ──> offered to the domain? ──> both its members? ──> its agreement there, in time? ──> permitted
///
/// What the two agreed with one another comes first. The permitted path allocates nothing; the refused path
/// names what each near miss lacked.
public enum PolicyEvaluator {
    /// Refusals that one verdict names at most.
    public static let refusalsMax = 8

    /// Decides `question` over what stands between the two parties.
    /// - Parameters:
    ///   - agreements: of the two nodes, in a fixed order; the first that permits decides.
    ///   - domains: what holds for whole domains, asked after them: any that permits is enough.
    ///   - meters: what is used of their limits; nil where none is asked for: of a question that is no call.
    ///   - house: what their domain permits; nil where they share none.
    public static func decide(
        _ question: PolicyQuestion, over agreements: AgreementIndex, domains: AgreementIndex = [],
        meters: MeterGlance? = nil, house: HouseStanding? = nil
    ) -> Verdict {
        if let permit = agreements.first(on: question.resource, where: { permits($0, question, meters) })
            ?? domains.first(on: question.resource, where: { permits($0, question, meters) })
        {
            return .permitted(permit.contentID)
        }
        if let house, let terms = house.terms, permits(house, at: question.now) {
            return .permitted(terms.contentID)
        }
        // Of what a domain agreed, nobody outside its two parties is told.
        let shared = domains.terms.filter { isKnown($0.agreement, to: question) }
        let reasons = reasons(against: question, over: agreements.terms + shared, meters, house)
        assert(
            reasons.allSatisfy { refuses(with: $0.code) || RefusalCode.ofLimits.contains($0.code) },
            "\(reasons) holds a code that is not listed")
        return .refused(reasons)
    }

    /// Whether this is a code with which the evaluator refuses, but for limits: what was used of those at
    /// another time nobody knows, so they are not asked again.
    public static func refuses(with code: RefusalCode) -> Bool { RefusalCode.ofAgreements.contains(code) }

    /// Whether `now` lies within the times of `agreement`, with the margin for clocks (protocol section 7).
    public static func isInTime(_ agreement: Agreement, at now: WallTime) -> Bool {
        let hasBegun = agreement.validFrom.map { now - AgreementLimits.clockMargin >= $0 } ?? true
        return hasBegun && now + AgreementLimits.clockMargin <= agreement.validUntil
    }

    private static func permits(
        _ terms: AgreementTerms, _ question: PolicyQuestion, _ meters: MeterGlance?
    ) -> Bool {
        isBetween(terms.agreement, question) && isInTime(terms.agreement, at: question.now)
            && terms.agreement.grants.contains {
                $0.resource == question.resource && $0.covers(question.capability)
            }
            && terms.agreement.conditions?.permit(question) ?? true
            && terms.agreement.limits?.permit(relays: question.relays) ?? true
            && permits(terms.agreement, meters)
    }

    /// Whether its parties are those of the call, this way round.
    private static func isBetween(_ agreement: Agreement, _ question: PolicyQuestion) -> Bool {
        let end = question.now + AgreementLimits.clockMargin
        return agreement.source.includes(question.callee, question.calleeMembership, until: end)
            && agreement.target.includes(question.caller, question.callerMembership, until: end)
    }

    /// Whether the two of the call belong to its two parties, whichever way round.
    private static func isKnown(_ agreement: Agreement, to question: PolicyQuestion) -> Bool {
        let now = question.now
        func belongs(_ callee: AgreementParty, _ caller: AgreementParty) -> Bool {
            callee.includes(question.callee, question.calleeMembership, until: now)
                && caller.includes(question.caller, question.callerMembership, until: now)
        }
        return belongs(agreement.source, agreement.target) || belongs(agreement.target, agreement.source)
    }

    private static func permits(_ agreement: Agreement, _ meters: MeterGlance?) -> Bool {
        guard let limits = agreement.limits, let meters else { return true }
        return meters.meters.permits(limits, of: agreement, at: meters.now)
    }

    private static func reasons(
        against question: PolicyQuestion, over agreements: [AgreementTerms], _ meters: MeterGlance?,
        _ house: HouseStanding?
    ) -> [Refusal] {
        var reasons: [Refusal] = []
        let ofHouse = house.map { shortcomings(of: $0, for: question) } ?? []
        for terms in nearest(of: agreements, to: question) {
            guard let grant = terms.agreement.grants.first(where: { $0.resource == question.resource }) else {
                continue
            }
            for reason in shortcomings(of: terms, grant: grant, for: question, meters)
            where reasons.count < refusalsMax - ofHouse.count {
                reasons.append(reason)
            }
        }
        guard reasons.isEmpty else { return reasons + ofHouse }
        let missing = Refusal(
            .agreementMissing,
            [
                Fact("caller", question.caller), Fact("callee", question.callee),
                Fact("resource", question.resource), Fact("capability", question.capability),
                Fact("principal", question.principal),
                Fact("agreements between the two", agreements.count),
                Fact("decided at", question.side.rawValue),
            ])
        // The first reason is the one whose remedy is named: what is offered to a domain lacks nothing but
        // what the domain gives.
        return house?.isOffered == true ? ofHouse + [missing] : [missing] + ofHouse
    }

    /// Those of `agreements` on the question's resource that explain a refusal, the nearest first, for the
    /// first reason is the one whose remedy is named. Where one is in force, what it lacks is the reason, or
    /// what another lacks to come into force; only where none is, what is over explains anything, of which
    /// the latest alone, and last what was agreed the other way round.
    private static func nearest(
        of agreements: [AgreementTerms], to question: PolicyQuestion
    ) -> [AgreementTerms] {
        var ranked: [[AgreementTerms]] = [[], [], [], []]
        for terms in agreements
        where terms.agreement.grants.contains(where: { $0.resource == question.resource }) {
            ranked[remoteness(of: terms, to: question)].append(terms)
        }
        guard ranked[0].isEmpty else { return ranked[0] + ranked[1] }
        let latest = ranked[2].max {
            ($0.agreement.created, $0.contentID) < ($1.agreement.created, $1.contentID)
        }
        return ranked[1] + (latest.map { [$0] } ?? []) + ranked[3]
    }

    /// How far `terms` is from permitting: 0 agreed this way and in force, or will be by its time alone,
    /// 1 neither signed nor approved by all, 2 over, 3 the other way round.
    private static func remoteness(of terms: AgreementTerms, to question: PolicyQuestion) -> Int {
        guard isBetween(terms.agreement, question) else { return 3 }
        let hasExpired = question.now + AgreementLimits.clockMargin > terms.agreement.validUntil
        if terms.standing == .ended || hasExpired { return 2 }
        return terms.standing == .active ? 0 : 1
    }

    /// Everything that `terms` lacks. What never held (another direction, not signed, ended) hides what
    /// would follow from it.
    private static func shortcomings(
        of terms: AgreementTerms, grant: Grant, for question: PolicyQuestion, _ meters: MeterGlance?
    ) -> [Refusal] {
        let agreement = terms.agreement
        let named = [
            Fact("agreement", agreement.id), Fact("version", agreement.version),
            Fact("decided at", question.side.rawValue),
        ]
        guard isBetween(agreement, question) else {
            return [
                Refusal(
                    .partyMismatch,
                    named + [
                        Fact("agreed provider", agreement.source), Fact("callee", question.callee),
                        Fact("agreed consumer", agreement.target), Fact("caller", question.caller),
                    ])
            ]
        }
        switch terms.standing {
        case .pending:
            let pending = Refusal(.agreementPending, named + [Fact("offered by", agreement.createdBy)])
            return terms.lacking.isEmpty
                ? [pending] : [pending, Refusal(.approvalMissing, named + terms.lacking)]
        case .unapproved: return [Refusal(.approvalMissing, named + terms.lacking)]
        case .ended: return [Refusal(.agreementEnded, named + terms.ending)]
        case .active: break
        }
        var missing: [Refusal] = []
        if let refusal = timeRefusal(agreement, at: question.now, named: named) { missing.append(refusal) }
        if !grant.covers(question.capability) {
            let agreed = (grant.capabilities ?? []).prefix(8).map(\.description).joined(separator: ", ")
            missing.append(
                Refusal(
                    .capabilityNotAgreed,
                    named + [
                        Fact("resource", question.resource), Fact("capability", question.capability),
                        Fact("agreed capabilities", agreed),
                    ]))
        }
        if let conditions = agreement.conditions {
            missing += conditions.shortcomings(for: question, named: named)
        }
        if let limits = agreement.limits, !limits.permit(relays: question.relays) {
            missing.append(
                Refusal(
                    .hopsExceeded,
                    named + [
                        Fact("nodes that relay the link", question.relays),
                        Fact("hops at most", limits.hops ?? 0),
                    ]))
        }
        if let limits = agreement.limits, let meters {
            missing += meters.meters.shortcomings(of: limits, of: agreement, at: meters.now, named: named)
        }
        return missing
    }

    /// Why `agreement` is not honoured at `now`; nil when its times allow it.
    static func timeRefusal(_ agreement: Agreement, at now: WallTime, named: [Fact]) -> Refusal? {
        guard !isInTime(agreement, at: now) else { return nil }
        let margin = Fact("margin in ms", AgreementLimits.clockMargin.wholeMilliseconds)
        let clock = Fact("now", RFC3339.text(now))
        if let from = agreement.validFrom, now - AgreementLimits.clockMargin < from {
            return Refusal(
                .agreementNotYetValid, named + [Fact("from", RFC3339.text(from)), clock, margin])
        }
        return Refusal(
            .agreementExpired,
            named + [Fact("until", RFC3339.text(agreement.validUntil)), clock, margin])
    }
}

/// What the evaluator is asked.
public struct PolicyQuestion: Equatable, Sendable {
    /// Where it is decided; it changes no verdict, only what a refusal says.
    public let side: Side
    /// Who asks.
    public let caller: NodeID
    /// Who is asked.
    public let callee: NodeID
    /// What of the callee's.
    public let resource: ResourceName
    /// What of the resource.
    public let capability: ResourceName
    /// What repeating the capability does, as the provider declares it.
    public let safety: Safety
    /// The HTTP method, in upper case.
    public let method: String
    /// Who asks, within the caller.
    public let principal: Principal
    /// What the call says that it is for; nil: it does not say.
    public let purpose: Purpose?
    /// The roles that the caller's credential proves now; nil: none is known.
    public let callerRoles: [DomainRole]?
    /// What counts of the caller's credential, of whatever domain; nil: nothing.
    public let callerMembership: Membership?
    /// What counts of the callee's.
    public let calleeMembership: Membership?
    /// Where the caller's link comes from, as the provider sees it; nil: unknown, and always at the consumer.
    public let callerAddress: IPAddress?
    /// How the payload comes; at the consumer, how it can be sent.
    public let payload: PayloadForm
    /// How many nodes carry the link between the two; 0: none.
    public let relays: Int64
    /// By the wall clock of whoever decides.
    public internal(set) var now: WallTime

    public init(
        side: Side, caller: NodeID, callee: NodeID, resource: ResourceName, capability: ResourceName,
        safety: Safety, method: String, principal: Principal, purpose: Purpose? = nil,
        callerRoles: [DomainRole]? = nil, callerMembership: Membership? = nil,
        calleeMembership: Membership? = nil, callerAddress: IPAddress? = nil, payload: PayloadForm = .clear,
        relays: Int64 = 0, now: WallTime
    ) {
        self.side = side
        self.caller = caller
        self.callee = callee
        self.resource = resource
        self.capability = capability
        self.safety = safety
        self.method = method
        self.principal = principal
        self.purpose = purpose
        self.callerRoles = callerRoles
        self.callerMembership = callerMembership
        self.calleeMembership = calleeMembership
        self.callerAddress = callerAddress
        self.payload = payload
        self.relays = relays
        self.now = now
    }

    /// Whether anybody on the way could read a payload.
    public enum PayloadForm: String, Sendable, CaseIterable {
        /// As it is; at the consumer: no key of the callee is known.
        case clear
        /// Sealed to the callee; at the consumer: it can be.
        case sealed
    }

    /// Where a question is decided.
    public enum Side: String, Sendable, CaseIterable {
        /// Before anything leaves the caller.
        case consumer
        /// Before anything reaches the resource.
        case provider
    }
}

/// What the evaluator answers.
public enum Verdict: Equatable, Sendable {
    /// Permitted by the agreement of this content id.
    case permitted(Digest)
    /// Refused: every reason, at least one, at most `PolicyEvaluator.refusalsMax`.
    case refused([Refusal])
}
