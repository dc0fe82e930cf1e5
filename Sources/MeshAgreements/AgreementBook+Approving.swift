import MeshBase

/// People approve, each with a key of its own, and the two nodes tell each other.
///
///     offered ──this node's people approved, both signed──> signed ──all approvals at both──> active
///     offered, signed ──a person says no──> ended(vetoed), that version alone
///
/// A node takes the words of its own people from its operator, of the other party's from that party, each
/// with the statement of the node that vouches. It signs nothing before its own people have approved. An
/// approval is told until the other party has it; only then is anything honoured that stands on it.
extension AgreementBook {
    /// A person of this node has signed.
    mutating func approve(
        _ document: Signed<Approval>, for ticket: Ticket, at now: Moment, using suite: some SignatureSuite,
        into effects: inout Outbox<AgreementEffect>
    ) {
        func refuse(_ refusal: Refusal) { effects.post(.answered(ticket, .refused([refusal]))) }
        guard let record = record(document.body.contentID) else {
            return refuse(Refusal(.nothingFound, [Fact("agreement", document.body.contentID)]))
        }
        guard let person = person(who: document, at: now.wall, using: suite) else {
            let signer = document.signatures.first.map { [Fact("signature by", $0.signer)] } ?? []
            return refuse(
                Refusal(.approvalInvalid, [Fact("because", "this node vouches for no such key")] + signer))
        }
        let evidence = VouchedApproval(approval: document, vouching: person.document)
        if let refusal = Self.ending(of: person, at: now.wall)
            ?? evidence.objection(ofPeopleOf: me, key: nil, at: now.wall, using: suite)
            ?? (record.covers(evidence) ? nil : objection(to: evidence, about: record, at: now.wall))
        {
            return refuse(refusal)
        }
        if !record.covers(evidence) {
            take(ApprovalRecord(evidence: evidence, isHeard: false), of: record, into: &effects)
        }
        guard let current = self.record(record.contentID) else { return }
        for word in current.approvals where !word.isHeard {
            effects.post(.send(current.peer, .approval(word.evidence)))
        }
        waitForAnswer(of: current.peer, at: now.instant)
        effects.post(.answered(ticket, .done(current)))
    }

    /// A person of the peer's has signed.
    mutating func hearApproval(
        _ evidence: VouchedApproval, from peer: NodeID, key: PublicKey, at now: Moment,
        using suite: some SignatureSuite, into effects: inout Outbox<AgreementEffect>
    ) {
        guard let record = files[peer]?.record(evidence.approval.body.contentID) else { return }
        let heard = AgreementMessage.approvalHeard(evidence.approval.contentID(using: suite))
        if record.covers(evidence) || !record.isOpen {
            effects.post(.send(peer, heard))
            return sendWords(about: record, into: &effects)
        }
        // Two signatures, two checks.
        guard takesCheck(of: peer, at: now.instant), takesCheck(of: peer, at: now.instant) else {
            let limit = [Fact("signature checks a second", Limits.signatureChecksPerSecond)]
            return note(record, .approvalReceived, [Refusal(.limitReached, limit)], into: &effects)
        }
        takeApproval(
            evidence, of: record, key: key, heard: heard, at: now.wall, using: suite, into: &effects)
    }

    private mutating func takeApproval(
        _ evidence: VouchedApproval, of record: AgreementRecord, key: PublicKey, heard: AgreementMessage,
        at now: WallTime, using suite: some SignatureSuite, into effects: inout Outbox<AgreementEffect>
    ) {
        if let refusal = evidence.objection(ofPeopleOf: record.peer, key: key, at: now, using: suite)
            ?? objection(to: evidence, about: record, at: now)
        {
            note(record, .approvalReceived, [refusal], into: &effects)
            let word = evidence.approval.contentID(using: suite)
            return effects.post(.send(record.peer, .approvalRefused(word, [refusal])))
        }
        take(ApprovalRecord(evidence: evidence, isHeard: true), of: record, into: &effects)
        effects.post(.send(record.peer, heard))
        // Whoever still approves what is in force here knows less than it did.
        if case .active = record.state { sendWords(about: record, into: &effects) }
    }

    /// The peer has an approval of this node's people.
    mutating func hearOfApprovalHeard(
        _ contentID: Digest, from peer: NodeID, using suite: some SignatureSuite,
        into effects: inout Outbox<AgreementEffect>
    ) {
        for record in files[peer]?.records.values ?? [] {
            let index = record.approvals.firstIndex { approval in
                !approval.isHeard && approval.evidence.approval.contentID(using: suite) == contentID
            }
            guard let index else { continue }
            var heard = record
            heard.approvals[index].isHeard = true
            heard.approvals[index].refusals = nil
            settle(heard, as: .approvalHeard, into: &effects)
            advance(heard, into: &effects)
        }
    }

    /// The peer does not take an approval of this node's people: kept for whoever gave it, told once a link,
    /// and said again all the same, for a clock that is put right may change the peer's mind.
    mutating func hearOfApprovalRefused(
        _ contentID: Digest, _ refusals: [Refusal], from peer: NodeID, using suite: some SignatureSuite,
        into effects: inout Outbox<AgreementEffect>
    ) {
        let bounded = ForeignRefusals.bounded(refusals)
        for record in files[peer]?.records.values ?? [] {
            let index = record.approvals.firstIndex { approval in
                !approval.isHeard && approval.evidence.approval.contentID(using: suite) == contentID
            }
            // Another code is news; the same with another time of day is not.
            guard let index, !bounded.isEmpty,
                record.approvals[index].refusals?.map(\.code) != bounded.map(\.code),
                files.update(peer, { $0.refusedWords.insert(contentID).inserted }) == true
            else { continue }
            var refused = record
            refused.approvals[index].refusals = bounded
            settle(refused, as: .approvalRefused, refusals: bounded, into: &effects)
        }
    }

    /// Says all that this node's people said, once a link: whoever says again what is known here may have
    /// been put back to where it has none of it.
    mutating func sendWords(about record: AgreementRecord, into effects: inout Outbox<AgreementEffect>) {
        switch record.state {
        case .signed, .active, .ended(.vetoed): break
        case .offered, .ended: return
        }
        let isFirst = files.update(record.peer) { file in
            defer { file.wordsRepeated[record.contentID] = true }
            return file.wordsRepeated[record.contentID] == nil
        }
        guard isFirst == true else { return }
        for word in record.approvals where word.evidence.party == me {
            effects.post(.send(record.peer, .approval(word.evidence)))
        }
    }

    /// Tells again what the peer has not said that it has; all of it while the version waits for the peer.
    mutating func repeatApprovals(
        to peer: NodeID, at now: WallTime, into effects: inout Outbox<AgreementEffect>
    ) {
        files.update(peer) { ($0.wordsRepeated, $0.refusedWords) = (OrderedTable(), []) }
        sayUnheard(to: peer, at: now, andAllOfSigned: true, into: &effects)
    }

    /// Says what the peer has not said that it has.
    mutating func sayUnheard(
        to peer: NodeID, at now: WallTime, andAllOfSigned: Bool = false,
        into effects: inout Outbox<AgreementEffect>
    ) {
        for record in files[peer]?.records.values ?? []
        where record.agreement.validUntil > now && record.isStillTold {
            let isWaiting = if case .signed = record.state { andAllOfSigned } else { false }
            for approval in record.approvals
            where !approval.isHeard || isWaiting && approval.evidence.party == me {
                effects.post(.send(peer, .approval(approval.evidence)))
            }
        }
    }

    // MARK: What both ways share

    private mutating func take(
        _ approval: ApprovalRecord, of record: AgreementRecord, into effects: inout Outbox<AgreementEffect>
    ) {
        var changed = record
        changed.approvals.append(approval)
        let isOwn = approval.evidence.party == me
        switch approval.body.decision {
        case .approve:
            settle(
                changed, as: isOwn ? .approved : .approvalReceived, facts: approval.facts, into: &effects)
            advance(changed, into: &effects)
        case .veto:
            changed.state = .ended(.vetoed)
            settle(changed, as: isOwn ? .vetoed : .vetoReceived, facts: approval.facts, into: &effects)
        }
    }

    /// Why a word that is well given changes nothing here; nil when it does.
    private func objection(
        to evidence: VouchedApproval, about record: AgreementRecord, at now: WallTime
    ) -> Refusal? {
        let named = [Fact("agreement", record.agreement.id), Fact("version", record.agreement.version)]
        let isOwn = evidence.party == me
        switch record.state {
        case .ended: return Refusal(.agreementEnded, named + record.ending)
        // What is in force is ended by its parties; what the other party's people say ends it as well.
        case .active where isOwn && evidence.approval.body.decision == .veto:
            return Refusal(
                .approvalInvalid, named + [Fact("because", "it is in force: its parties may revoke it")])
        case .offered, .signed, .active: break
        }
        if let refusal = PolicyEvaluator.timeRefusal(record.agreement, at: now, named: named),
            refusal.code == .agreementExpired
        {
            return refusal
        }
        // There is always room for a no: it is the last word.
        let given = record.approvals.count { $0.evidence.party == evidence.party }
        guard given >= AgreementLimits.approvalsPerParty, evidence.approval.body.decision == .approve else {
            return nil
        }
        return Refusal(
            .limitReached, named + [Fact("approvals of one party at most", AgreementLimits.approvalsPerParty)]
        )
    }

    /// For whom this node vouches under the key that signed; else for whom it did.
    private func person(
        who signed: Signed<Approval>, at now: WallTime, using suite: some SignatureSuite
    ) -> VouchingRecord? {
        let known = persons.values.filter { person in
            signed.signatures.contains { $0.signer == suite.pin(of: person.body.key) }
        }
        return known.first { Self.ending(of: $0, at: now) == nil } ?? known.first
    }

    /// A node takes nothing of its own people after the end of their time, however it is dated.
    private static func ending(of person: VouchingRecord, at now: WallTime) -> Refusal? {
        // What the operator ended stays ended, whatever the clock says later.
        let end = person.ended ?? person.body.until
        guard person.ended != nil || now > end else { return nil }
        return Refusal(
            .approvalInvalid,
            [
                Fact("person", person.body.name), Fact("because", "this node vouches no more"),
                Fact("until", RFC3339.text(end)), Fact("now", RFC3339.text(now)),
            ])
    }

    private func note(
        _ record: AgreementRecord, _ action: AgreementAction, _ refusals: [Refusal],
        into effects: inout Outbox<AgreementEffect>
    ) {
        effects.post(
            .record(
                AgreementNotice(
                    peer: record.peer, action: action, contentID: record.contentID, refusals: refusals,
                    agreement: record.agreement)))
    }
}
