import MeshBase

/// What a node looks at before it believes an agreement of a domain that a peer shows: cheap things first,
/// then each signature with its chain.
struct DomainAgreementExamination<Chain: Codable & Equatable & Sendable> {
    let content: DomainAgreement<Chain>
    let contentID: Digest
    let now: WallTime

    private var agreement: Agreement { content.agreement }
    private var named: [Fact] { [Fact("agreement", agreement.id), Fact("version", agreement.version)] }

    private func invalid(_ problem: String) -> Refusal {
        Refusal(.documentInvalid, named + [Fact("problem", problem)])
    }

    /// What is wrong with it whatever the time and whoever is trusted; nil when nothing is.
    func flaw(using suite: some SignatureSuite) -> Refusal? {
        guard agreement.isWellFormed, agreement.concernsDomain else { return invalid("its terms") }
        guard content.document.payload.bytes.count <= AgreementLimits.domainAgreementPayload else {
            return invalid("its length")
        }
        let signatures = content.document.signatures
        guard (1...2).contains(signatures.count), signatures.count == content.signatories.count,
            zip(signatures, content.signatories).allSatisfy({ $0.signer == suite.pin(of: $1.key) }),
            Set(signatures.map(\.signer)).count == signatures.count
        else { return invalid("its signatures and those who made them do not fit") }
        for signatory in content.signatories where !content.document.isSigned(by: signatory.key, using: suite)
        {
            return invalid("a signature is not valid")
        }
        guard let ending = content.ending else { return nil }
        guard ending.document.body.contentID == contentID, ending.document.body.isWellFormed,
            ending.document.payload.bytes.count <= AgreementLimits.domainAgreementPayload,
            ending.document.isSigned(by: ending.signatory.key, using: suite)
        else { return invalid("its revocation") }
        return nil
    }

    /// Why it does not count here now; nil when it does.
    func objection(
        judging judge: some SignatoryJudge<Chain>, using suite: some SignatureSuite,
        authority: AuthorityOfTeller
    ) -> Refusal? {
        if let refusal = refusalOfTimes { return refusal }
        var standings: [SignatoryStanding] = []
        for signatory in content.signatories {
            switch judge.standing(of: signatory, since: agreement.created, at: now) {
            case .allowed(let standing): standings.append(standing)
            case .refused(let refusal): return Refusal(refusal.code, named + refusal.facts)
            }
        }
        if let refusal = refusal(of: standings) { return refusal }
        if let ending = content.ending { return objection(to: ending, judging: judge) }
        for standing in standings where standing.authority == .once {
            let isOwn = authority.ownDomain.map { standing.party == .domain($0) } ?? false
            guard isOwn ? !authority.isTellerEntitled : standings.count == 1 else { continue }
            return Refusal(
                .agreeRoleMissing,
                named + [
                    Fact("signed by", standing.node), Fact("party", standing.party),
                    Fact("may sign", "no more"), Fact("wanted", DomainRole.agree),
                ])
        }
        return nil
    }

    /// The first signed for the provider, and made it; the second for the consumer.
    func refusal(of standings: [SignatoryStanding]) -> Refusal? {
        let parties = standings.map(\.party)
        guard parties == Array([agreement.source, agreement.target].prefix(parties.count)),
            standings.first?.node == agreement.createdBy
        else {
            return Refusal(
                .partyMismatch,
                named + [
                    Fact("provider", agreement.source), Fact("consumer", agreement.target),
                    Fact("signed for", parties.map(\.description).joined(separator: ", ")),
                ])
        }
        return nil
    }

    private func objection(
        to ending: DomainAgreement<Chain>.Ending, judging judge: some SignatoryJudge<Chain>
    ) -> Refusal? {
        switch judge.standing(of: ending.signatory, since: agreement.created, at: now) {
        case .refused(let refusal): return Refusal(refusal.code, named + refusal.facts)
        case .allowed(let standing):
            guard standing.node == ending.document.body.revokedBy,
                standing.party == agreement.source || standing.party == agreement.target
            else {
                return Refusal(
                    .partyMismatch, named + [Fact("revoked by", standing.node), Fact("for", standing.party)])
            }
            return nil
        }
    }

    private var refusalOfTimes: Refusal? {
        guard agreement.created <= now + Limits.clockSkewRefused else {
            return Refusal(
                .clockSkew,
                named + [
                    Fact("created", RFC3339.text(agreement.created)),
                    Fact("now", RFC3339.text(now)),
                ])
        }
        // What both signed is taken however old it is: it puts other versions out of force, and permits
        // nothing outside its time.
        guard content.stage.isSignedByBoth || agreement.validUntil + Limits.clockSkewRefused >= now else {
            return Refusal(
                .agreementExpired,
                named + [
                    Fact("until", RFC3339.text(agreement.validUntil)),
                    Fact("now", RFC3339.text(now)),
                ])
        }
        return nil
    }
}

/// Whether who shows an agreement may itself sign for the domain of who is shown it.
struct AuthorityOfTeller {
    /// The receiver's domain; nil: none.
    let ownDomain: DomainID?
    /// Whether the teller holds its role `agree` now.
    let isTellerEntitled: Bool
}

extension AgreementNotice {
    /// What the store kept of an agreement of a domain is not what was signed.
    public static func setAside(
        _ contentID: Digest, at me: NodeID, _ refusal: Refusal
    ) -> AgreementNotice {
        AgreementNotice(peer: me, action: .setAside, contentID: contentID, refusals: [refusal])
    }
}

extension DomainAgreementRecord {
    /// What is wrong with a record that was kept; nil when all of it is as it was signed. Whether it counted
    /// was judged before it came into the store.
    public func damage(
        judging judge: some SignatoryJudge<Chain>, using suite: some SignatureSuite
    ) -> Refusal? {
        let digest = content.document.contentID(using: suite)
        guard digest == contentID else {
            return Refusal(.documentInvalid, [Fact("content id", contentID), Fact("digest", digest)])
        }
        let examination = DomainAgreementExamination(
            content: content, contentID: contentID, now: agreement.created)
        if let refusal = examination.flaw(using: suite) { return refusal }
        var standings: [SignatoryStanding] = []
        for signatory in content.signatories {
            guard case .allowed(let standing) = judge.claim(of: signatory) else {
                return Refusal(
                    .documentInvalid, [Fact("content id", contentID), Fact("problem", "a chain in it")])
            }
            standings.append(standing)
        }
        return examination.refusal(of: standings)
    }
}
