extension Refusal {
    /// The refusal as the partner that it refuses is told it. How much this node has to do for others is
    /// compared, and stands in this node's own audit: a partner learns what is said of itself, and what is
    /// set.
    public var forPartner: Refusal {
        guard let names = Self.ownBusiness[code] else { return self }
        return Refusal(code, facts.filter { !names.contains($0.name) })
    }

    private static let ownBusiness: [RefusalCode: Set<String>] = [
        .overloaded: ["peers' calls under way", "calls in hand", "limit", "partners"],
        .auditUnavailable: ["room in bytes", "calls under way"],
    ]
}

extension RefusalCode {
    /// What an agreement, or the want of one, says about a call: the business of both its parties.
    public static let ofAgreements: Set<RefusalCode> = [
        .agreementMissing, .agreementNotYetValid, .agreementExpired, .agreementEnded, .agreementPending,
        .approvalMissing, .partyMismatch, .capabilityNotAgreed, .accessLevelExceeded, .principalNotAgreed,
        .purposeNotAgreed, .roleNotAgreed, .networkNotAgreed, .notOfferedToDomain, .membershipMissing,
        .houseAgreementMissing, .encryptionRequired, .encryptionKeyMissing,
    ]

    /// That a limit of an agreement is reached.
    public static let ofLimits: Set<RefusalCode> = [.rateExceeded, .quotaExhausted, .hopsExceeded]
}
