import MeshBase

/// What peers say, and how this node answers.
extension AgreementBook {
    /// Takes what a trusted peer said; what an untrusted one says is dropped, and told nothing.
    mutating func hear(
        _ message: AgreementMessage, from peer: NodeID, at now: Moment, using suite: some SignatureSuite,
        into effects: inout Outbox<AgreementEffect>
    ) {
        guard let key = files[peer]?.key else {
            let refusal = Refusal(.peerNotTrusted, [Fact("peer", peer)])
            effects.post(
                .record(AgreementNotice(peer: peer, action: .received, contentID: nil, refusals: [refusal])))
            return
        }
        switch message {
        case .offer(let document):
            hearOffer(document, from: peer, key: key, at: now, using: suite, into: &effects)
        case .accepted(let document):
            hearAcceptance(document, from: peer, key: key, at: now, using: suite, into: &effects)
        case .rejected(let contentID, let refusals):
            guard var record = ownOffer(contentID, to: peer), record.state == .offered else { return }
            let bounded = ForeignRefusals.bounded(refusals)
            record.state = .ended(.rejected(bounded))
            settle(record, as: .rejectedByPeer, refusals: bounded, into: &effects)
        case .revoked(let document):
            hearRevocation(document, from: peer, key: key, at: now.instant, using: suite, into: &effects)
        case .revocationHeard(let contentID): hearOfHearing(contentID, from: peer, into: &effects)
        case .approval(let evidence):
            hearApproval(evidence, from: peer, key: key, at: now, using: suite, into: &effects)
        case .approvalHeard(let contentID):
            hearOfApprovalHeard(contentID, from: peer, using: suite, into: &effects)
        case .approvalRefused(let contentID, let refusals):
            hearOfApprovalRefused(contentID, refusals, from: peer, using: suite, into: &effects)
        case .houseHeld(let contentID):
            hearHouse(.held(contentID), from: peer, at: now, using: suite, into: &effects)
        case .house(let document):
            hearHouse(.document(document), from: peer, at: now, using: suite, into: &effects)
        }
    }

    private mutating func hearOffer(
        _ document: Signed<Agreement>, from peer: NodeID, key: PublicKey, at now: Moment,
        using suite: some SignatureSuite, into effects: inout Outbox<AgreementEffect>
    ) {
        let contentID = document.contentID(using: suite)
        if let known = files[peer]?.records[AgreementVersion(document.body)], known.contentID == contentID {
            repeatAnswer(to: known, at: now, into: &effects)
            return
        }
        guard mayCheck(document, of: peer, as: .received, contentID, at: now.instant, into: &effects) else {
            return
        }
        var refusals = objections(to: document, from: peer, key: key, at: now.wall, using: suite)
        if refusals.isEmpty, !makeRoom(with: peer, at: now.wall, into: &effects) {
            refusals.append(limitRefusal)
        }
        guard refusals.isEmpty else {
            effects.post(
                .record(
                    AgreementNotice(
                        peer: peer, action: .received, contentID: contentID, refusals: refusals,
                        agreement: document.body)))
            effects.post(.send(peer, .rejected(contentID, refusals)))
            return
        }
        let signature = document.signatures.filter { $0.signer == suite.pin(of: key) }
        let record = AgreementRecord(
            contentID: contentID, peer: peer,
            document: Signed(body: document.body, payload: document.payload, signatures: signature),
            state: .offered, origin: .peer)
        settle(record, as: .received, into: &effects)
        acceptAutomatically(record, at: now.wall, into: &effects)
    }

    /// Everything for which an offer is refused at once.
    private func objections(
        to document: Signed<Agreement>, from peer: NodeID, key: PublicKey, at now: WallTime,
        using suite: some SignatureSuite
    ) -> [Refusal] {
        let agreement = document.body
        var refusals: [Refusal] = []
        if !agreement.isWellFormed || document.payload.bytes.count > Limits.documentPayload {
            refusals.append(Refusal(.documentInvalid, [Fact("agreement", agreement.id)]))
        }
        if agreement.createdBy != peer || agreement.party(besides: peer) != me {
            refusals.append(
                Refusal(
                    .partyMismatch,
                    [
                        Fact("provider", agreement.source), Fact("consumer", agreement.target),
                        Fact("offered by", agreement.createdBy), Fact("peer", peer), Fact("this node", me),
                    ]))
        }
        if !document.isSigned(by: key, using: suite) {
            refusals.append(Refusal(.documentInvalid, [Fact("signature by", suite.pin(of: key))]))
        }
        let named = [Fact("agreement", agreement.id), Fact("version", agreement.version)]
        if let refusal = PolicyEvaluator.timeRefusal(agreement, at: now, named: named),
            refusal.code == .agreementExpired
        {
            refusals.append(refusal)
        }
        if agreement.created > now + Limits.clockSkewRefused {
            refusals.append(
                Refusal(
                    .clockSkew,
                    named + [
                        Fact("created", RFC3339.text(agreement.created)),
                        Fact("now", RFC3339.text(now)),
                    ]))
        }
        let highest = highestVersion(of: agreement.id, with: peer)
        if agreement.version <= highest || agreement.version - highest > AgreementLimits.versionStep {
            let most = Fact(
                "version at most", min(highest, AgreementLimits.versionMax) + AgreementLimits.versionStep)
            refusals.append(
                Refusal(.documentInvalid, named + [Fact("highest known version", highest), most]))
        }
        if let revocation = revocation(of: agreement.id, with: peer) {
            refusals.append(Refusal(.agreementEnded, named + revocation.facts))
        }
        if let earlier = files[peer]?.records.first(where: { $0.0.id == agreement.id })?.1.agreement,
            earlier.source != agreement.source
        {
            refusals.append(Refusal(.partyMismatch, named + [Fact("provider until now", earlier.source)]))
        }
        return refusals
    }

    /// An offer that came before is answered as it was then; one that still waits is looked at again, since
    /// a crash may have come between its arrival and its acceptance.
    private mutating func repeatAnswer(
        to record: AgreementRecord, at now: Moment, into effects: inout Outbox<AgreementEffect>
    ) {
        guard record.origin == .peer else { return }
        switch record.state {
        case .offered: acceptAutomatically(record, at: now.wall, into: &effects)
        case .signed, .active:
            effects.post(.send(record.peer, .accepted(record.document)))
            sendWords(about: record, into: &effects)
        case .ended(.rejected(let refusals)):
            effects.post(.send(record.peer, .rejected(record.contentID, refusals)))
        case .ended(.revoked(let document, _)) where document.body.revokedBy == me:
            effects.post(.send(record.peer, .revoked(document)))
        case .ended(.replaced), .ended(.revoked), .ended(.vetoed):
            let ended = Refusal(.agreementEnded, record.ending)
            effects.post(.send(record.peer, .rejected(record.contentID, [ended])))
        }
    }

    /// Protocol section 7: the receiver is only the consumer, at most 31 days, at most 32 for each peer; and
    /// nothing that a person accepted is replaced so.
    private mutating func acceptAutomatically(
        _ record: AgreementRecord, at now: WallTime, into effects: inout Outbox<AgreementEffect>
    ) {
        let agreement = record.agreement
        let others = files[record.peer]?.records.values.filter { other in
            other.state == .active(acceptance: .automatic) && other.agreement.id != agreement.id
                && other.agreement.validUntil > now
        }
        let underWay = errands.values.filter { errand in
            guard case .acceptance(_, record.peer, .automatic, _) = errand else { return false }
            return true
        }
        let replacesDecision = files[record.peer]?.records.values.contains { other in
            other.agreement.id == agreement.id && other.isOpen && other.isSignedByBoth
                && other.state != .active(acceptance: .automatic) && other.agreement.validUntil > now
        }
        guard configuration.automaticAcceptance == .short, configuration.approvalsRequired.isEmpty,
            replacesDecision == false,
            agreement.life <= AgreementLimits.automaticLife + Limits.clockSkewRefused,
            agreement.approvals == nil, agreement.commitments == nil,
            agreement.conditions?.purposes == nil,
            agreement.conditions?.encryption == nil, agreement.target == me,
            agreement.validUntil > now,
            agreement.validUntil <= now + AgreementLimits.automaticLife + Limits.clockSkewRefused,
            (others?.count ?? 0) + underWay.count < Limits.automaticAgreementsPerPeer,
            !isBeingAccepted(record.contentID)
        else { return }
        order(
            .acceptance(record.contentID, from: record.peer, .automatic, operatorTicket: nil),
            over: record.document.payload, into: &effects)
    }

    private mutating func hearAcceptance(
        _ document: Signed<Agreement>, from peer: NodeID, key: PublicKey, at now: Moment,
        using suite: some SignatureSuite, into effects: inout Outbox<AgreementEffect>
    ) {
        let contentID = document.contentID(using: suite)
        guard let record = ownOffer(contentID, to: peer), record.state == .offered,
            revocation(of: record.agreement.id, with: peer) == nil,
            mayCheck(document, of: peer, as: .acceptedByPeer, contentID, at: now.instant, into: &effects)
        else { return }
        guard document.isSigned(by: key, using: suite),
            let theirs = document.signatures.first(where: { $0.signer == suite.pin(of: key) })
        else {
            let refusal = Refusal(.documentInvalid, [Fact("signature by", suite.pin(of: key))])
            effects.post(
                .record(
                    AgreementNotice(
                        peer: peer, action: .acceptedByPeer, contentID: contentID, refusals: [refusal],
                        agreement: record.agreement)))
            return
        }
        activate(record, with: theirs, acceptance: .byPeer, as: .acceptedByPeer, into: &effects)
    }

    /// An answer to `.sign`.
    mutating func take(
        _ signature: DocumentSignature, for ticket: Ticket, at now: Moment, using suite: some SignatureSuite,
        into effects: inout Outbox<AgreementEffect>
    ) {
        guard let errand = errands.remove(ticket) else { return }
        switch errand {
        case .offer(let agreement, let peer, let origin, let payload, let operatorTicket):
            dispatch(
                agreement, to: peer, origin: origin, payload: payload, ticket: operatorTicket,
                signature: signature,
                using: suite, into: &effects)
        case .revocation(let body, let peer, let payload, let operatorTicket):
            let document = Signed(body: body, payload: payload, signatures: [signature])
            revoked(document, with: peer, ticket: operatorTicket, into: &effects)
            waitForAnswer(of: peer, at: now.instant)
        case .vouching(let body, let payload, let operatorTicket):
            let document = Signed(body: body, payload: payload, signatures: [signature])
            vouched(document, ticket: operatorTicket, into: &effects)
        case .house(let body, let anchor, let payload):
            let document = Signed(body: body, payload: payload, signatures: [signature])
            adopt(
                HouseDocument(anchor: anchor, agreement: document), from: me, at: now, using: suite,
                into: &effects)
        case .acceptance(let contentID, let peer, let acceptance, let operatorTicket):
            guard let record = offerOf(peer, contentID), record.state == .offered, files[peer]?.key != nil
            else {
                let refusals = [Refusal(.agreementEnded, [Fact("content id", contentID)])]
                if let operatorTicket { effects.post(.answered(operatorTicket, .refused(refusals))) }
                return
            }
            activate(
                record, with: signature, acceptance: acceptance,
                as: acceptance == .automatic ? .acceptedAutomatically : .accepted, into: &effects)
            guard let active = offerOf(peer, contentID) else { return }
            effects.post(.send(peer, .accepted(active.document)))
            if let operatorTicket { effects.post(.answered(operatorTicket, .done(active))) }
        }
    }

    /// The key would not sign: the errand is forgotten; an offer that waits for acceptance goes on waiting.
    mutating func giveUp(_ ticket: Ticket, into effects: inout Outbox<AgreementEffect>) {
        guard let errand = errands.remove(ticket) else { return }
        let operatorTicket: Ticket? =
            switch errand {
            case .offer(_, _, _, _, let ticket), .acceptance(_, _, _, let ticket): ticket
            case .revocation(_, _, _, let ticket): ticket
            case .vouching(_, _, let ticket): ticket
            case .house: nil
            }
        if let operatorTicket {
            effects.post(
                .answered(operatorTicket, .refused([Refusal(.proofInvalid, [Fact("signing", "failed")])])))
        }
    }

    /// The operator accepts what a peer offered.
    mutating func accept(
        _ contentID: Digest, for ticket: Ticket, at now: Moment, into effects: inout Outbox<AgreementEffect>
    ) {
        guard let record = record(contentID), record.origin == .peer, !isBeingAccepted(contentID) else {
            effects.post(.answered(ticket, .refused([Refusal(.nothingFound, [Fact("offer", contentID)])])))
            return
        }
        switch record.state {
        case .signed, .active: effects.post(.answered(ticket, .done(record)))
        case .ended:
            effects.post(.answered(ticket, .refused([Refusal(.agreementEnded, [Fact("offer", contentID)])])))
        case .offered:
            guard files[record.peer]?.key != nil else {
                effects.post(
                    .answered(ticket, .refused([Refusal(.peerNotTrusted, [Fact("peer", record.peer)])])))
                return
            }
            let named = [Fact("offer", contentID)]
            if let refusal = PolicyEvaluator.timeRefusal(record.agreement, at: now.wall, named: named),
                refusal.code == .agreementExpired
            {
                effects.post(.answered(ticket, .refused([refusal])))
                return
            }
            let missing = record.approvalsMissing(of: me, policy: configuration.approvalsRequired)
            guard missing.isEmpty else {
                let facts = named + [Fact("missing here", ApprovalRules.words(missing))]
                return effects.post(.answered(ticket, .refused([Refusal(.approvalMissing, facts)])))
            }
            order(
                .acceptance(contentID, from: record.peer, .byOperator, operatorTicket: ticket),
                over: record.document.payload, into: &effects)
        }
    }

    /// The operator rejects what a peer offered.
    mutating func reject(_ contentID: Digest, for ticket: Ticket, into effects: inout Outbox<AgreementEffect>)
    {
        guard var record = record(contentID), record.origin == .peer, record.state == .offered else {
            effects.post(.answered(ticket, .refused([Refusal(.nothingFound, [Fact("offer", contentID)])])))
            return
        }
        let reasons = [Refusal(.agreementEnded, [Fact("rejected by", "operator")])]
        record.state = .ended(.rejected(reasons))
        settle(record, as: .rejected, into: &effects)
        effects.post(.send(record.peer, .rejected(contentID, reasons)))
        effects.post(.answered(ticket, .done(record)))
    }

    private func isBeingAccepted(_ contentID: Digest) -> Bool {
        errands.values.contains { errand in
            guard case .acceptance(contentID, _, _, _) = errand else { return false }
            return true
        }
    }

    private func ownOffer(_ contentID: Digest, to peer: NodeID) -> AgreementRecord? {
        files[peer]?.records.values.first { $0.contentID == contentID && $0.origin != .peer }
    }

    private func offerOf(_ peer: NodeID, _ contentID: Digest) -> AgreementRecord? {
        files[peer]?.records.values.first { $0.contentID == contentID && $0.origin == .peer }
    }
}
