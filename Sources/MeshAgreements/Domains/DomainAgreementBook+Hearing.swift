import MeshBase

/// What peers show of the agreements of domains, and how both ends come to hold the same.
///
///     link up, or a membership becomes known: each ──held(question)──> the other
///     held ──> what the list lacks is shown, 16 at once; to a question that names what is lacked here: held
///
/// A list is answered by what it lacks, never by another question, so two ends are quiet after two lists.
/// Where both greet, and each lacks what the other holds, the questions cross and each is answered by a list
/// besides: the first list that follows a question on whose answer nothing has changed is passed over, so
/// each is shown once (seeds 832 and 960). What this end asks of its own accord is always answered to.
extension DomainAgreementBook {
    /// Why a list is sent, and so whether it asks for one in return.
    enum ListKind {
        /// The two meet: who holds nothing says nothing, for the other end's list tells what there is.
        case greeting
        /// Something is known to be missing here.
        case question
        /// The peer asked, and something is missing here.
        case answer
    }

    /// Says to `peer` what is held of what it may know.
    func name(
        to peer: NodeID, _ kind: ListKind, at now: WallTime,
        into effects: inout Outbox<DomainAgreementEffect<Chain>>
    ) {
        let living = living(at: now)
        let told = held.values.filter {
            living.contains(MeterKey($0.agreement)) && mayKnow(peer, of: $0, at: now)
        }
        let marks = told.map {
            DomainAgreementList.Mark(contentID: $0.contentID, stage: $0.content.stage)
        }
        guard !marks.isEmpty || kind != .greeting else { return }
        effects.post(.send(peer, .held(DomainAgreementList(marks: marks, isQuestion: kind != .answer))))
    }

    /// Whether an offer that bears the signature of `signer` waits for `peer`, who may sign it.
    public func hasUnheard(for peer: NodeID, signedBy signer: PublicKey, at now: WallTime) -> Bool {
        held.values.contains { record in
            record.content.stage == .offered && now < record.agreement.validUntil
                && record.content.signatories.contains { $0.key == signer }
                && mayKnow(peer, of: record, at: now)
        }
    }

    /// A peer says what it holds.
    mutating func hear(
        _ list: DomainAgreementList, from peer: NodeID, at now: Moment,
        judging judge: some SignatoryJudge<Chain>,
        into effects: inout Outbox<DomainAgreementEffect<Chain>>
    ) {
        if !list.isQuestion, peers[peer]?.answeredAt == changes {
            peers.update(peer) { $0.answeredAt = nil }
            return
        }
        guard mayAnswer(peer, at: now.instant) else {
            peers.update(peer) { $0.answeredAt = nil }
            return reminders.set(peer, at: now.instant + AgreementLimits.domainListInterval)
        }
        var stages = OrderedTable<Digest, DomainAgreementStage>()
        for mark in list.marks { stages[mark.contentID] = mark.stage }
        let living = living(at: now.wall)
        let wanted = held.values.filter { record in
            living.contains(MeterKey(record.agreement)) && mayKnow(peer, of: record, at: now.wall)
                && (stages[record.contentID].map(record.content.stage.adds) ?? true)
        }
        let isFromTheFirst = peers[peer]?.shownLast == nil
        let isAll = show(wanted, to: peer, at: now.instant, judging: judge, into: &effects)
        peers.update(peer) { $0.answeredAt = isFromTheFirst && isAll && list.isQuestion ? changes : nil }
        // What the peer may not know of is answered as what is not held.
        let isLacking = list.marks.contains { mark in
            guard let record = held[mark.contentID], mayKnow(peer, of: record, at: now.wall) else {
                return true
            }
            return mark.stage.adds(to: record.content.stage)
        }
        if list.isQuestion, isLacking, isAcquainted(peer, at: now.wall) {
            name(to: peer, .answer, at: now.wall, into: &effects)
        }
    }

    /// Shows as much as goes at once, and what is behind that soon: each once, whatever the peer takes of it.
    /// Whether that was all.
    private mutating func show(
        _ wanted: [DomainAgreementRecord<Chain>], to peer: NodeID, at now: Instant,
        judging judge: some SignatoryJudge<Chain>, into effects: inout Outbox<DomainAgreementEffect<Chain>>
    ) -> Bool {
        let last = peers[peer]?.shownLast
        let rest = wanted.filter { record in last.map { record.contentID > $0 } ?? true }
        let part = rest.prefix(AgreementLimits.domainAgreementsAtOnce)
        for record in part { effects.post(.send(peer, .shown(shown(record, judging: judge)))) }
        let isAll = part.count == rest.count
        peers.update(peer) { $0.shownLast = isAll ? nil : part.last?.contentID }
        if !isAll { reminders.set(peer, at: now + AgreementLimits.domainAgreementsPause) }
        return isAll
    }

    /// A peer shows one.
    mutating func hear(
        _ content: DomainAgreement<Chain>, from peer: NodeID, at now: Moment,
        judging judge: some SignatoryJudge<Chain>, using suite: some SignatureSuite,
        into effects: inout Outbox<DomainAgreementEffect<Chain>>
    ) {
        let contentID = content.document.contentID(using: suite)
        let known = held[contentID]
        if let known, !content.stage.adds(to: known.content.stage) { return }
        // What is none of this node's, or of the sender's, is dropped unseen.
        guard !sides(of: me, in: content.agreement, at: now.wall).isEmpty,
            !sides(of: peer, in: content.agreement, at: now.wall).isEmpty
        else { return }
        // Three signatures of a chain, and one of the document, for each who signed.
        let checks = 4 * (content.signatories.count + (content.ending == nil ? 0 : 1))
        guard takesChecks(min(checks, 12), of: peer, at: now.instant) else { return }
        let examination = DomainAgreementExamination(content: content, contentID: contentID, now: now.wall)
        if let refusal = examination.flaw(using: suite)
            ?? examination.objection(
                judging: judge, using: suite, authority: authority(of: peer, at: now.wall))
        {
            return drop(contentID, content, from: peer, refusal, at: now.instant, into: &effects)
        }
        if known == nil, !content.stage.isOver, let ended = ended(content.agreement) {
            let refusal = Refusal(
                .agreementEnded, [Fact("agreement", content.agreement.id)] + ended.ending)
            drop(contentID, content, from: peer, refusal, at: now.instant, into: &effects)
            // Whoever goes by it has not heard the end, which lists leave out once its version is over.
            if mayKnow(peer, of: ended, at: now.wall) {
                effects.post(.send(peer, .shown(shown(ended, judging: judge))))
            }
            return
        }
        if known == nil,
            let refusal = makeRoom(for: content.agreement, stage: content.stage, at: now.wall, into: &effects)
        {
            return drop(contentID, content, from: peer, refusal, at: now.instant, into: &effects)
        }
        var record = known ?? DomainAgreementRecord(contentID: contentID, content: content)
        record.content = record.content.joined(with: content)
        let action: AgreementAction =
            switch content.stage {
            case .offered: .received
            case .active: .domainReceived
            case .withdrawn, .ended: .revokedByPeer
            }
        // What was joined may be more than the teller holds.
        let teller = record.content.stage.adds(to: content.stage) ? nil : peer
        settle(
            record, as: action, with: peer, besides: teller, at: now.wall, judging: judge, into: &effects)
    }

    /// The domain in whose name `peer` may sign now: what it shows of its own party is that party's word.
    private func authority(of peer: NodeID, at now: WallTime) -> AuthorityOfTeller {
        let own = memberships[me]?.domain
        let isOfOwn = own.map { maySign(peer, for: .domain($0), at: now) } ?? false
        return AuthorityOfTeller(ownDomain: own, isTellerEntitled: isOfOwn)
    }

    /// Whether `peer` is trusted and proved to be of some domain, or a party itself.
    private func isAcquainted(_ peer: NodeID, at now: WallTime) -> Bool {
        guard peers[peer] != nil else { return false }
        return memberships[peer].map { now < $0.until } ?? false
            || held.values.contains { belongs(peer, to: $0.agreement.source, at: now) }
            || held.values.contains { belongs(peer, to: $0.agreement.target, at: now) }
    }

    /// The version by which an agreement was revoked, if it was: none comes after it, whatever its number.
    private func ended(_ agreement: Agreement) -> DomainAgreementRecord<Chain>? {
        let key = MeterKey(agreement)
        return held.values.first { $0.content.stage == .ended && MeterKey($0.agreement) == key }
    }

    private mutating func drop(
        _ contentID: Digest, _ content: DomainAgreement<Chain>, from peer: NodeID, _ refusal: Refusal,
        at now: Instant, into effects: inout Outbox<DomainAgreementEffect<Chain>>
    ) {
        // Time, papers or another clock may make good what is no lie.
        if refusal.code != .documentInvalid, refusal.code != .agreementEnded, reminders[peer] == nil {
            reminders.set(peer, at: now + AgreementLimits.domainAgreementRetry)
        }
        effects.post(
            .record(
                AgreementNotice(
                    peer: peer, action: .domainReceived, contentID: contentID, refusals: [refusal],
                    agreement: content.agreement)))
    }
}
