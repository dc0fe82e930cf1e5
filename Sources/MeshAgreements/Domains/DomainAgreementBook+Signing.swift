import MeshBase

/// What the operator of a node that may sign orders: to offer, to accept, to end.
extension DomainAgreementBook {
    /// Checks an offer and has it signed.
    mutating func offer(
        _ request: DomainOfferRequest, for ticket: Ticket, at now: WallTime, using suite: some SignatureSuite,
        into effects: inout Outbox<DomainAgreementEffect<Chain>>
    ) {
        let objections = [
            objection(toSigningFor: request.provider, at: now), AgreementLimits.refusal(ofLife: request.life),
        ]
        var refusals = objections.compactMap(\.self)
        let earlier = held.values.filter { record in
            record.agreement.id == request.replaces && record.agreement.source == request.provider
                && record.agreement.target == request.consumer
        }
        if let id = request.replaces {
            if earlier.isEmpty { refusals.append(Refusal(.nothingFound, [Fact("agreement", id)])) }
            if let ended = earlier.first(where: { $0.content.stage == .ended }) {
                refusals.append(Refusal(.agreementEnded, [Fact("agreement", id)] + ended.ending))
            }
        }
        let agreement = Agreement(
            id: request.replaces ?? AgreementID(using: &generator),
            version: (earlier.map(\.agreement.version).max() ?? 0) + 1, provider: request.provider,
            consumer: request.consumer, grants: request.grants, conditions: request.conditions,
            commitments: request.commitments, limits: request.limits, callsAtEnd: request.callsAtEnd,
            validFrom: now - Limits.clockSkewRefused, validUntil: now + request.life, createdBy: me,
            created: now)
        // What is not well formed may be none that can be written.
        let payload = agreement.isWellFormed ? Octets(suite.encoded(agreement)) : Octets([])
        if refusals.isEmpty,
            payload.bytes.isEmpty || payload.bytes.count > AgreementLimits.domainAgreementPayload
        {
            refusals.append(
                Refusal(
                    .documentInvalid,
                    [
                        Fact("grants", request.grants.count), Fact("grants at most", AgreementLimits.grants),
                        Fact("names in a condition at most", AgreementLimits.namesPerCondition),
                        Fact("bytes", payload.bytes.count),
                        Fact("bytes at most", AgreementLimits.domainAgreementPayload),
                    ]))
        }
        if refusals.isEmpty,
            let full = makeRoom(for: agreement, stage: .offered, at: now, into: &effects)
        {
            refusals.append(full)
        }
        guard refusals.isEmpty else { return effects.post(.answered(ticket, .refused(refusals))) }
        order(
            .offer(agreement, payload: payload, ticket: ticket), Agreement.kind, over: payload,
            into: &effects)
    }

    /// Has the second signature made.
    mutating func accept(
        _ contentID: Digest, for ticket: Ticket, at now: WallTime,
        into effects: inout Outbox<DomainAgreementEffect<Chain>>
    ) {
        switch acceptable(contentID, at: now) {
        case .refused(let refusal): effects.post(.answered(ticket, .refused([refusal])))
        case .allowed(let record):
            order(
                .acceptance(contentID, ticket: ticket), Agreement.kind, over: record.content.document.payload,
                into: &effects)
        }
    }

    /// An offer that waits for a signature that this node may give for its consumer; or why there is none.
    private func acceptable(_ contentID: Digest, at now: WallTime) -> Ruling<DomainAgreementRecord<Chain>> {
        guard let record = held[contentID] else {
            return .refused(Refusal(.nothingFound, [Fact("offer", contentID)]))
        }
        let named = [Fact("agreement", record.agreement.id), Fact("version", record.agreement.version)]
        guard record.content.stage == .offered, record.overruled.isEmpty else {
            let stage = [Fact("stands", record.content.stage.rawValue)]
            return .refused(Refusal(.agreementEnded, named + stage + record.ending))
        }
        if let refusal = PolicyEvaluator.timeRefusal(record.agreement, at: now, named: named),
            refusal.code == .agreementExpired
        {
            return .refused(refusal)
        }
        // Two parties, two nodes: one signature cannot stand for the other.
        guard record.agreement.createdBy != me else {
            return .refused(
                Refusal(.partyMismatch, named + [Fact("offered by", me), Fact("this node", me)]))
        }
        return objection(toSigningFor: record.agreement.target, at: now).map { .refused($0) }
            ?? .allowed(record)
    }

    /// Why whoever made an offer may sign for its provider no more; nil when it may.
    private func objection(
        toMakerOf record: DomainAgreementRecord<Chain>, at now: WallTime,
        judging judge: some SignatoryJudge<Chain>
    ) -> Refusal? {
        guard let maker = record.content.signatories.first else { return nil }
        switch judge.standing(of: maker, since: record.agreement.created, at: now) {
        case .refused(let refusal): return refusal
        case .allowed(let standing) where standing.authority == .once:
            return Refusal(
                .agreeRoleMissing,
                [
                    Fact("signed by", standing.node), Fact("party", standing.party),
                    Fact("may sign", "no more"),
                ])
        case .allowed: return nil
        }
    }

    /// The operator ends an agreement, or says no to an offer: its word is signed first.
    mutating func revoke(
        _ order: RevocationOrder, for ticket: Ticket, at now: WallTime, using suite: some SignatureSuite,
        into effects: inout Outbox<DomainAgreementEffect<Chain>>
    ) {
        func refuse(_ refusal: Refusal) { effects.post(.answered(ticket, .refused([refusal]))) }
        guard let record = held[order.contentID] else {
            return refuse(Refusal(.nothingFound, [Fact("agreement", order.contentID)]))
        }
        guard record.isOpen else {
            return refuse(Refusal(.agreementEnded, [Fact("content id", order.contentID)] + record.ending))
        }
        let sides = sides(of: me, in: record.agreement, at: now)
        guard sides.contains(where: { maySign(me, for: $0, at: now) }) else {
            let party = sides.first ?? otherParty(in: record.agreement, at: now)
            return refuse(
                objection(toSigningFor: party, at: now) ?? Refusal(.partyMismatch, [Fact("party", party)]))
        }
        let body: AgreementRevocation
        switch order.revocation(by: me, at: now) {
        case .refused(let refusal): return refuse(refusal)
        case .allowed(let word): body = word
        }
        let payload = Octets(suite.encoded(body))
        self.order(
            .revocation(body, payload: payload, ticket: ticket), AgreementRevocation.kind, over: payload,
            into: &effects)
    }

    /// An answer to `.sign`: what is asked is looked at again, for time has passed.
    mutating func take(
        _ signature: DocumentSignature, for ticket: Ticket, at now: WallTime,
        judging judge: some SignatoryJudge<Chain>, using suite: some SignatureSuite,
        into effects: inout Outbox<DomainAgreementEffect<Chain>>
    ) {
        guard let errand = errands.remove(ticket) else { return }
        func finish(_ record: DomainAgreementRecord<Chain>, _ action: AgreementAction) {
            settle(record, as: action, with: me, besides: nil, at: now, judging: judge, into: &effects)
            effects.post(.answered(errand.ticket, .done(held[record.contentID] ?? record)))
        }
        switch errand {
        case .offer(let agreement, let payload, _):
            let document = Signed(body: agreement, payload: payload, signatures: [signature])
            guard let signatory = signatory(for: agreement.source, judging: judge) else {
                return refuse(agreement.source, at: now, errand.ticket, into: &effects)
            }
            finish(
                DomainAgreementRecord(
                    contentID: document.contentID(using: suite),
                    content: DomainAgreement(document: document, signatories: [signatory])), .offered)
        case .acceptance(let contentID, _):
            switch acceptable(contentID, at: now) {
            case .refused(let refusal): effects.post(.answered(errand.ticket, .refused([refusal])))
            case .allowed(let record):
                let party = record.agreement.target
                if let refusal = objection(toMakerOf: record, at: now, judging: judge) {
                    return effects.post(.answered(errand.ticket, .refused([refusal])))
                }
                guard let signatory = signatory(for: party, judging: judge) else {
                    return refuse(party, at: now, errand.ticket, into: &effects)
                }
                var active = record
                active.content = record.content.countersigned(by: signatory, signature)
                finish(active, .accepted)
            }
        case .revocation(let body, let payload, _):
            guard var record = held[body.contentID], record.isOpen,
                let party = sides(of: me, in: record.agreement, at: now).first(where: {
                    maySign(me, for: $0, at: now)
                }), let signatory = signatory(for: party, judging: judge)
            else {
                let over = Refusal(.agreementEnded, [Fact("content id", body.contentID)])
                return effects.post(.answered(errand.ticket, .refused([over])))
            }
            record.content = record.content.ended(
                by: .init(
                    document: Signed(body: body, payload: payload, signatures: [signature]),
                    signatory: signatory))
            finish(record, .revoked)
        }
    }

    /// This node as it signs for a party; nil where its credential is over meanwhile.
    private func signatory(
        for party: AgreementParty, judging judge: some SignatoryJudge<Chain>
    ) -> Signatory<Chain>? {
        let own = judge.own
        if party.domain == nil { return Signatory(key: own.key, chain: nil) }
        return own.chain == nil ? nil : own
    }

    private func refuse(
        _ party: AgreementParty, at now: WallTime, _ ticket: Ticket,
        into effects: inout Outbox<DomainAgreementEffect<Chain>>
    ) {
        let refusal =
            objection(toSigningFor: party, at: now) ?? Refusal(.agreeRoleMissing, [Fact("party", party)])
        effects.post(.answered(ticket, .refused([refusal])))
    }

    /// The key would not sign.
    mutating func giveUp(_ ticket: Ticket, into effects: inout Outbox<DomainAgreementEffect<Chain>>) {
        guard let errand = errands.remove(ticket) else { return }
        let refusal = Refusal(.proofInvalid, [Fact("signing", "failed")])
        effects.post(.answered(errand.ticket, .refused([refusal])))
    }
}
