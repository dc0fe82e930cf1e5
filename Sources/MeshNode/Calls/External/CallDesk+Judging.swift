import MeshAgreements
import MeshAudit
import MeshBase
import MeshRouting

/// Calls that an external policy engine is asked about, after the agreements permitted them and before they
/// are admitted.
///
///     consumer   weighed ──permitted, not asked yet──> judging ──allowed──> weighed ──> attempting
///                                                        │  └──denied, failed, late──> weighed without that
///                                                        │                             candidate, or refused
///                                                        └──cancelled, time over──> closed
///     provider   arrived ──permitted──> judging ──allowed──> decided again ──> serving
///                                         └──denied, failed, late, abandoned──> refused
///
/// What was allowed is weighed once more, by what is known then: an agreement that ended meanwhile is ended.
/// An answer counts for the question that was asked, and for one attempt; only the rules' cache lets it count
/// for more.
extension CallDesk {
    // MARK: At the consumer

    /// What there is to say to `chosen` for this call: nothing where no engine is asked, the answer where
    /// there is one, else that it is to be asked.
    func judgement(of chosen: Assessment, for call: OpenCall, at now: Instant) -> Judgement {
        guard let rules = view.configuration.external, rules.asksAsConsumer,
            let question = externalQuestion(chosen, call)
        else { return .notNeeded }
        if let known = call.judged.first(where: { $0.question == question }) { return .known(known.answer) }
        if let kept = external.answer(to: question, at: now) { return .known(kept) }
        return .needed(question)
    }

    /// Whether, and what, an engine says.
    enum Judgement: Equatable {
        case notNeeded
        case known(ExternalAnswer)
        case needed(ExternalQuestion)
    }

    /// Asks about a call's attempt at `node`.
    mutating func judge(
        _ id: RequestID, _ question: ExternalQuestion, at now: Moment, into effects: inout Outbox<CallEffect>
    ) {
        guard let call = calls[id], let rules = view.configuration.external else { return }
        let ticket = external.newTicket(for: .request(id))
        calls[id]?.phase = .judging(ticket, question)
        alarms.set(.call(id), at: min(call.deadline, now.instant + rules.patience))
        effects.post(.judge(ticket, question, call.correlation))
    }

    /// The answer's time is over, or the call's.
    mutating func judgingTimedOut(
        _ id: RequestID, _ question: ExternalQuestion, at now: Moment, into effects: inout Outbox<CallEffect>
    ) {
        // Where the call's own time was over first, the engine still had some.
        if let call = calls[id], call.deadline > now.instant { external.note(.failed(.late), at: now.wall) }
        settle(id, question, .failed(.late), at: now, into: &effects)
    }

    private mutating func settle(
        _ id: RequestID, _ question: ExternalQuestion, _ answer: ExternalAnswer, at now: Moment,
        into effects: inout Outbox<CallEffect>
    ) {
        calls[id]?.phase = .weighed
        calls[id]?.judged.append(ExternalJudgement(question: question, answer: answer))
        place(id, at: now, into: &effects)
    }

    /// Why this candidate is out by what an engine said for this call, or says still.
    func externalRefusal(of assessment: Assessment, for call: OpenCall, at now: Instant) -> Refusal? {
        guard case .known(let answer) = judgement(of: assessment, for: call, at: now) else { return nil }
        return answer.refusal(at: .consumer)
    }

    private func externalQuestion(_ chosen: Assessment, _ call: OpenCall) -> ExternalQuestion? {
        guard !chosen.isLocal, let capability = chosen.capability, let agreement = chosen.agreement,
            let peer = view.peers[chosen.node]
        else { return nil }
        return ExternalQuestion(
            side: .consumer, caller: view.me, callee: chosen.node, peerName: peer.name,
            principal: call.request.principal, purpose: call.request.purpose,
            resource: call.request.resource, capability: capability.name,
            safety: capability.safety, method: chosen.method, path: chosen.path, agreement: agreement,
            callerRoles: [], callerAddress: nil)
    }

    // MARK: At the provider

    /// What an engine says of a peer's call that the agreements permit.
    func judgement(
        of inbound: InboundInvocation, _ capability: Capability, under agreement: Digest,
        _ known: ExternalJudgement?, at now: Moment
    ) -> Judgement {
        guard let rules = view.configuration.external, rules.asksAsProvider,
            let peer = view.peers[inbound.peer]
        else { return .notNeeded }
        let invocation = inbound.invocation
        let question = ExternalQuestion(
            side: .provider, caller: inbound.peer, callee: view.me, peerName: peer.name,
            principal: invocation.principal, purpose: invocation.purpose,
            resource: invocation.resource, capability: capability.name,
            safety: capability.safety, method: invocation.method, path: invocation.path,
            agreement: agreement, callerRoles: view.roles(ofCaller: inbound.peer, at: now.wall) ?? [],
            callerAddress: (inbound.origin ?? peer.origin).address)
        if let known, known.question == question { return .known(known.answer) }
        if let kept = external.answer(to: question, at: now.instant) { return .known(kept) }
        return .needed(question)
    }

    /// Asks about a peer's call.
    /// - Parameter passed: the whole of a streamed body that came while another question was asked.
    mutating func judge(
        _ inbound: InboundInvocation, _ question: ExternalQuestion, passed: BodySummary?, at now: Moment,
        into effects: inout Outbox<CallEffect>
    ) {
        guard let rules = view.configuration.external else { return }
        let ticket = external.newTicket(for: .inbound(inbound.key))
        let partner = partner(inbound.peer)
        judging[inbound.key] = JudgedService(
            inbound: inbound, partner: partner, ticket: ticket, question: question, began: now.instant,
            passed: passed)
        holdPlace(of: partner)
        alarms.set(.judgement(inbound.key), at: now.instant + rules.patience)
        effects.post(.judge(ticket, question, inbound.invocation.correlation))
    }

    /// The answer about a peer's call: decided again with it, by what is known now.
    mutating func settle(
        _ key: InboundKey, _ answer: ExternalAnswer, at now: Moment, into effects: inout Outbox<CallEffect>
    ) {
        guard let pending = takeJudged(key) else { return }
        let passed = UInt64(clamping: max((now.instant - pending.began).wholeMilliseconds, 0))
        let left = pending.inbound.invocation.remainingMilliseconds
        var inbound = pending.inbound
        inbound.invocation.remainingMilliseconds = left - UInt32(min(passed, UInt64(left)))
        let judgement = ExternalJudgement(question: pending.question, answer: answer)
        decide(inbound, judgement, passed: pending.passed, at: now, into: &effects)
    }

    /// The peer went away before the engine answered: nobody is answered, the audit is.
    mutating func abandonJudged(
        _ key: InboundKey, at now: Moment, into effects: inout Outbox<CallEffect>
    ) {
        guard let pending = takeJudged(key) else { return }
        let invocation = pending.inbound.invocation
        var event = serviceEvent(
            pending.inbound, attempt: invocation.attempt, agreement: pending.question.agreement)
        event.refusals = [Refusal(.cancelled, [Fact("because", "the peer waits no more")])]
        tell(.refused(event), at: now, into: &effects)
    }

    private mutating func takeJudged(_ key: InboundKey) -> JudgedService? {
        guard let pending = judging.removeValue(forKey: key) else { return nil }
        alarms.cancel(.judgement(key))
        releasePlace(of: pending.partner)
        return pending
    }

    // MARK: On both sides

    /// An answer came; one that nobody waits for any more is ignored.
    mutating func judged(
        _ ticket: ExternalTicket, _ answer: ExternalAnswer, at now: Moment,
        into effects: inout Outbox<CallEffect>
    ) {
        let life = view.configuration.external?.cacheLife ?? .zero
        switch ticket.subject {
        case .request(let id):
            guard case .judging(ticket, let question)? = calls[id]?.phase else { return }
            external.keep(answer, to: question, for: life, at: now.instant)
            external.note(answer, at: now.wall)
            settle(id, question, answer, at: now, into: &effects)
        case .inbound(let key):
            guard let pending = judging[key], pending.ticket == ticket else { return }
            external.keep(answer, to: pending.question, for: life, at: now.instant)
            external.note(answer, at: now.wall)
            settle(key, answer, at: now, into: &effects)
        }
    }
}

/// An answer with the question that it answers.
struct ExternalJudgement: Equatable, Sendable {
    let question: ExternalQuestion
    let answer: ExternalAnswer
}

/// A peer's call that waits for the engine.
struct JudgedService: Equatable, Sendable {
    let inbound: InboundInvocation
    /// Whose it counted as when it came.
    let partner: Digest
    let ticket: ExternalTicket
    let question: ExternalQuestion
    let began: Instant
    /// The whole of a streamed body, once it has come.
    var passed: BodySummary?
}
