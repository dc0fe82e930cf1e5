import MeshBase

/// One party's word that an agreement is over for good, whatever the other thinks of it (protocol section 7).
///
/// It names one version by its content id, and with it ends every version of that agreement: none that is
/// open goes on, and none comes after.
public struct AgreementRevocation: SignedBody {
    public static let kind = DocumentKind.agreementRevocation

    /// Which agreement: the other party may not have the version that was in hand. Nil of one of domains,
    /// whose versions are shown with the word.
    public let agreement: AgreementID?
    /// Which version was in hand.
    public let contentID: Digest
    /// The party that revokes, and signs.
    public let revokedBy: NodeID
    /// Who there ordered it.
    public let orderedBy: Principal
    /// Why, in the words of who ordered it: plain, at most `AgreementLimits.reasonLength` bytes.
    public let reason: String
    /// When, by the revoking party's clock.
    public let revoked: WallTime

    public init(
        agreement: AgreementID? = nil, contentID: Digest, revokedBy: NodeID, orderedBy: Principal,
        reason: String, revoked: WallTime
    ) {
        self.agreement = agreement
        self.contentID = contentID
        self.revokedBy = revokedBy
        self.orderedBy = orderedBy
        self.reason = reason
        self.revoked = revoked
    }

    /// The rules that no honest node breaks.
    var isWellFormed: Bool {
        reason.utf8.count <= AgreementLimits.reasonLength && reason.isPlain && revoked.milliseconds >= 0
    }

    /// For a refusal that rests on it.
    var facts: [Fact] {
        [
            Fact("ended", "revoked"), Fact("revoked by", revokedBy), Fact("ordered by", orderedBy),
            Fact("reason", reason.isEmpty ? "none given" : reason),
            Fact("revoked at", RFC3339.text(revoked)),
        ]
    }
}

/// What an operator orders to end an agreement.
public struct RevocationOrder: Equatable, Sendable {
    /// The version's content id.
    public let contentID: Digest
    /// Who orders it.
    public let orderedBy: Principal
    /// Why; may be empty.
    public let reason: String

    public init(contentID: Digest, orderedBy: Principal, reason: String) {
        self.contentID = contentID
        self.orderedBy = orderedBy
        self.reason = reason
    }

    /// The word that `node` gives by it, or why it may not be given.
    func revocation(
        of agreement: AgreementID? = nil, by node: NodeID, at now: WallTime
    ) -> Ruling<AgreementRevocation> {
        let body = AgreementRevocation(
            agreement: agreement, contentID: contentID, revokedBy: node, orderedBy: orderedBy, reason: reason,
            revoked: now)
        guard body.isWellFormed else {
            return .refused(
                Refusal(
                    .limitReached,
                    [
                        Fact("bytes of the reason", reason.utf8.count),
                        Fact("at most", AgreementLimits.reasonLength),
                    ]))
        }
        return .allowed(body)
    }
}
