import MeshAgreements
import MeshAudit
import MeshBase
import MeshRouting

/// An attempt, from its answer or failure to the end of its call.
extension CallDesk {
    /// The answer's head is there: the way works, and no other attempt follows.
    mutating func answered(
        _ id: AttemptID, status: UInt16, headers: [HeaderField], at now: Moment,
        into effects: inout Outbox<CallEffect>
    ) {
        guard var attempt = attempts[id], attempt.status == nil else { return }
        let open = calls.update(id.request) { call in
            let rival = call.rival(of: id)
            if rival != nil { call.rests(on: attempt) }
            call.phase = .answering(id)
            call.hedgeDue = nil
            if call.scope == .answerHead { call.deadline = now.instant + Limits.streamIdle }
            return (deadline: call.deadline, correlation: call.correlation, rival: rival)
        }
        guard let open else { return }
        let taken = now.instant - attempt.began
        routes.report(
            attempt.way, attempt.pass, resource: .succeeded, link: .succeeded, taken: taken, at: now.instant)
        notePace(attempt.way, taken)
        var passing = HeaderFilter.passing(answer: headers, opening: status == WebSocketUpgrade.status)
        // No body follows to the application either, which asked for none of its length (POST of `/invoke`).
        if attempt.isHead { passing.removeAll { $0.name == "content-length" } }
        noteKeep(id, attempt, status: status, headers: headers, passing: &passing)
        noteWrite(by: attempt, at: now.instant)
        attempt.status = status
        givePlaceBack(&attempt, of: id, .answered, at: now.instant)
        if attempt.key != nil { attempt.headers = HeaderFilter.passing(headers) }
        attempt.pass = attempt.pass.spent
        attempts[id] = attempt
        alarms.set(.call(id.request), at: open.deadline)
        effects.post(.answer(id, status: status, headers: passing, open.correlation))
        if let rival = open.rival { outrun(rival, by: id, at: now, into: &effects) }
    }

    /// The answer is complete: its key ended, then settled, then closed, then let go.
    /// - Parameter kept: of this node's own resource, the whole body when it is short enough to be kept.
    mutating func ended(
        _ id: AttemptID, _ body: BodySummary, kept: Octets?, at now: Moment,
        into effects: inout Outbox<CallEffect>
    ) {
        guard let attempt = attempts[id], let status = attempt.status,
            let passed = calls.update(id.request, { $0.passed })
        else { return }
        endKey(of: attempt, status: status, kept: kept, into: &effects)
        keepAnswer(of: id, body, kept, at: now.instant)
        let outcome = AuditOutcome(
            success: true, answerDigest: body.digest, answerLength: body.length, status: status,
            request: passed)
        close(id, attempt, outcome, saying: "answered \(status)", at: now, into: &effects)
        settleCall(id.request, outcome, at: now, into: &effects)
        effects.post(.finish(id.request))
    }

    /// The provider, or this node's own resource, refused.
    mutating func refused(
        _ id: AttemptID, _ refusals: [Refusal], _ effect: PossibleEffect, at now: Moment,
        into effects: inout Outbox<CallEffect>
    ) {
        guard let attempt = attempts[id] else { return }
        let bounded = ForeignRefusals.bounded(refusals)
        let reasons = bounded.isEmpty ? [Refusal(.documentInvalid, [Fact("reasons given", 0)])] : bounded
        let isFailure = reasons.contains { $0.code == .resourceUnreachable || $0.code == .resourceTimeout }
        let isShed = reasons.contains { $0.code == .overloaded || $0.code == .draining }
        // It opened nothing, so nothing happened; and a key that it told meanwhile may be the one it has.
        let isRekeyed =
            reasons.contains { $0.code == .encryptionKeyUnknown }
            && view.sealing(under: attempt.agreement, for: attempt.way.resource, to: attempt.way.node)
                != attempt.sealedTo
        let ending = Ending(
            reasons: reasons, effect: effect, resource: isFailure ? .failed : .neutral, link: .succeeded,
            isRepeatableThere: isFailure || isShed || isRekeyed)
        routes.turnAway(attempt.way, at: now.instant)
        if !isFailure { noteRefusal(by: attempt, reasons, of: id.request) }
        fail(id, attempt, ending, at: now, into: &effects)
    }

    /// The attempt broke on its way.
    mutating func failed(
        _ id: AttemptID, _ failure: AttemptFailure, _ effect: PossibleEffect, at now: Moment,
        into effects: inout Outbox<CallEffect>
    ) {
        guard let attempt = attempts[id] else { return }
        let reason = Refusal(
            failure == .sealBroken ? .sealBroken : .peerUnreachable,
            [
                Fact("peer", view.label(attempt.way.node)), Fact("because", failure.rawValue),
                Fact("after ms", (now.instant - attempt.began).wholeMilliseconds),
            ])
        let ending = Ending(
            // How long two ends talk, and which of them hangs up, says nothing of the resource.
            reasons: [reason], effect: effect,
            resource: failure == .noStream || attempt.status == WebSocketUpgrade.status ? .neutral : .failed,
            link: failure == .linkLost ? .failed : .neutral, isRepeatableThere: true)
        fail(id, attempt, ending, at: now, into: &effects)
    }

    /// The alarm of a call: it waited too long, or its attempt did.
    mutating func timeOut(_ id: RequestID, at now: Moment, into effects: inout Outbox<CallEffect>) {
        guard let call = calls[id] else { return }
        switch call.phase {
        case .weighed: conclude(id, overdue(call, at: now), at: now, into: &effects)
        case .judging(_, let question): judgingTimedOut(id, question, at: now, into: &effects)
        case .waiting:
            var reasons = overdue(call, at: now)
            if case .allowed(let nodes) = candidates(of: call.request, at: now.wall) {
                let waited = nodes.prefix(8).filter { $0 != view.me }.map { node in
                    Refusal(
                        .peerUnreachable, [Fact("peer", view.label(node)), Fact("waited for", "its link")])
                }
                reasons = waited + reasons
            }
            conclude(id, reasons, at: now, into: &effects)
        case .attempting(let attempt):
            guard call.hedgeDue != nil, let open = attempts[attempt], open.timeout > now.instant else {
                return timeOut(attempt, of: call, at: now, into: &effects)
            }
            calls[id]?.hedgeDue = nil
            watch(id)
            hedgesDue.append(id)
        case .answering(let attempt): timeOut(attempt, of: call, at: now, into: &effects)
        case .hedged(let first, let second):
            let isDue = { (attempt: AttemptID) in (self.attempts[attempt]?.timeout ?? .never) <= now.instant }
            guard let late = [first, second].first(where: isDue) else { return watch(id) }
            timeOut(late, of: call, at: now, into: &effects)
        }
    }

    private mutating func timeOut(
        _ id: AttemptID, of call: OpenCall, at now: Moment, into effects: inout Outbox<CallEffect>
    ) {
        guard let attempt = attempts[id] else { return }
        stop(id, attempt, into: &effects)
        let reason = Refusal(
            .deadlineExceeded,
            [
                Fact("at", view.label(attempt.way.node)),
                Fact("attempt's time in ms", (now.instant - attempt.began).wholeMilliseconds),
            ])
        // While the application is not done with its body, the silence may be its own.
        let isOpening = call.request.form.isWebSocket && attempt.status == nil
        let isItsOwn = call.request.body.isStreamed && call.passed == nil && !isOpening
        let ending = Ending(
            reasons: [reason], effect: .possible, resource: isItsOwn ? .neutral : .failed,
            link: .neutral, isRepeatableThere: true)
        fail(id, attempt, ending, at: now, into: &effects)
    }

    /// The application went away: nobody is answered, the audit is.
    mutating func cancel(_ id: RequestID, at now: Moment, into effects: inout Outbox<CallEffect>) {
        guard let call = calls[id] else { return }
        let refusal = Refusal(.cancelled, [Fact("because", "the application went away")])
        let outcome = AuditOutcome(success: false, refusals: [refusal], request: call.passed)
        for id in call.underWay {
            guard let attempt = attempts[id] else { return }
            giveUp(id, attempt, outcome, saying: "cancelled", at: now, into: &effects)
        }
        settleCall(id, outcome, at: now, into: &effects)
    }

    /// Ends an attempt that nobody wants any more: that says nothing of whether its way works.
    /// - Parameter taken: where it says how long that takes at least.
    mutating func giveUp(
        _ id: AttemptID, _ attempt: OpenAttempt, _ outcome: AuditOutcome, saying word: String,
        taken: Duration? = nil, at now: Moment, into effects: inout Outbox<CallEffect>
    ) {
        stop(id, attempt, into: &effects)
        if attempt.status == nil {
            routes.report(
                attempt.way, attempt.pass, resource: .neutral, link: .neutral, taken: taken, at: now.instant)
        }
        close(id, attempt, outcome, saying: word, at: now, into: &effects)
    }

    /// The agreement of an attempt was revoked: its call is over, unless another one is out for it. Calls of
    /// which none is out are weighed again by what is agreed now.
    mutating func cutAttempt(
        _ attemptID: AttemptID, because refusal: Refusal, at now: Moment,
        into effects: inout Outbox<CallEffect>
    ) {
        let id = attemptID.request
        guard let call = calls[id], let attempt = attempts[attemptID], !attempt.isLocal else { return }
        let outcome = AuditOutcome(
            success: false, refusals: [refusal], status: attempt.status, request: call.passed)
        giveUp(attemptID, attempt, outcome, saying: refusal.code.rawValue, at: now, into: &effects)
        guard attempt.status == nil else {
            settleCall(id, outcome, at: now, into: &effects)
            return effects.post(.breakOff(id, [refusal]))
        }
        if let rival = call.rival(of: attemptID) { return rest(id, on: rival) }
        let unknown = Refusal(
            .outcomeUnknown,
            [Fact("at", view.label(attempt.way.node)), Fact("attempts", Int(call.attemptCount))])
        conclude(
            id, attempt.safety.isRepeatable ? [refusal] : [refusal, unknown], at: now, into: &effects)
    }

    /// How an attempt failed.
    private struct Ending {
        let reasons: [Refusal]
        let effect: PossibleEffect
        let resource: Breaker.Outcome
        let link: Breaker.Outcome
        /// Whether the same node may do better next time: false for a refusal by policy.
        let isRepeatableThere: Bool
    }

    private mutating func fail(
        _ id: AttemptID, _ attempt: OpenAttempt, _ ending: Ending, at now: Moment,
        into effects: inout Outbox<CallEffect>
    ) {
        let isAnswering = attempt.status != nil
        withdrawKey(of: attempt, ending.effect, into: &effects)
        let taken: Duration? = ending.resource == .failed ? attempt.patience : nil
        routes.report(
            attempt.way, attempt.pass, resource: ending.resource, link: ending.link, taken: taken,
            at: now.instant)
        let outcome = AuditOutcome(
            success: false, refusals: ending.reasons, status: attempt.status,
            request: calls[id.request]?.passed)
        let said = ending.reasons.first?.code.rawValue ?? "failed"
        close(id, attempt, outcome, saying: said, at: now, into: &effects)
        guard isAnswering else {
            if let rival = calls[id.request]?.rival(of: id) { return rest(id.request, on: rival) }
            goOn(id.request, after: attempt, ending, at: now, into: &effects)
            return
        }
        settleCall(id.request, outcome, at: now, into: &effects)
        effects.post(.breakOff(id.request, ending.reasons))
    }

    /// Repeats the call where that does no harm, else answers it.
    private mutating func goOn(
        _ id: RequestID, after attempt: OpenAttempt, _ ending: Ending, at now: Moment,
        into effects: inout Outbox<CallEffect>
    ) {
        guard var call = calls[id] else { return }
        call.phase = .weighed
        call.reasons = ending.reasons
        // The time that its moving bytes gave it was for the attempt that is over.
        if call.scope == .answerHead {
            call.deadline = min(call.deadline, now.instant + Limits.callDeadline)
        }
        let mayHaveHappened = ending.effect == .possible && !attempt.safety.isRepeatable
        let reach: OpenCall.Reach?
        let isBound = if case .only = call.reach { true } else { false }
        if isBound, !mayHaveHappened {
            // This attempt did nothing, but one before it may have: nobody else is asked.
            reach = ending.isRepeatableThere ? call.reach : nil
        } else if mayHaveHappened {
            let mayAskAgain = call.request.idempotencyKey != nil && ending.isRepeatableThere
            reach = mayAskAgain ? .only(attempt.way.node) : nil
        } else {
            reach = .others(orAgain: ending.isRepeatableThere)
        }
        if let reach { call.reach = reach }
        if reach != nil, !call.isBodyKept {
            call.history.append(Fact("not repeated", "part of its body had left and is not kept"))
        }
        calls[id] = call
        let isPlaceable =
            reach != nil && call.isBodyKept && call.deadline - now.instant >= .milliseconds(1)
            && hasWay(call, at: now)
        if isPlaceable, Int(call.attemptCount) <= Limits.retries, !isDraining,
            budget.withdraw(at: now.instant)
        {
            place(id, at: now, into: &effects)
            return
        }
        if ending.resource == .failed || ending.link == .failed, answerStale(id, at: now, into: &effects) {
            return
        }
        let unknown = Refusal(
            .outcomeUnknown,
            [Fact("at", view.label(attempt.way.node)), Fact("attempts", Int(call.attemptCount))])
        let isUnknown = mayHaveHappened || isBound
        conclude(id, isUnknown ? [unknown] + ending.reasons : ending.reasons, at: now, into: &effects)
    }

    private func hasWay(_ call: OpenCall, at now: Moment) -> Bool {
        guard case .allowed(let assessments) = weigh(call, at: now) else { return false }
        return assessments.contains { $0.isReady || $0.isAwaited }
    }

    private mutating func stop(
        _ id: AttemptID, _ attempt: OpenAttempt, into effects: inout Outbox<CallEffect>
    ) {
        effects.post(attempt.isLocal ? .stop(.own(id)) : .abandon(id))
    }

    /// The attempt is over: settled in the audit, off its way, one line in the call's history.
    mutating func close(
        _ id: AttemptID, _ attempt: OpenAttempt, _ outcome: AuditOutcome, saying word: String, at now: Moment,
        into effects: inout Outbox<CallEffect>
    ) {
        attempts[id] = nil
        if !keeping.isEmpty { keeping[id] = nil }
        noteWrite(by: attempt, at: now.instant)
        var attempt = attempt
        givePlaceBack(&attempt, of: id, .unanswered, at: now.instant)
        routes.leave(attempt.way)
        let milliseconds = (now.instant - attempt.began).wholeMilliseconds
        calls[id.request]?.history.append(
            Fact("attempt \(id.number)", "\(view.label(attempt.way.node)): \(word) after \(milliseconds) ms"))
        tell(.callEnded(attempt.event, outcome), at: now, into: &effects)
    }
}
