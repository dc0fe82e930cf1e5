import MeshAudit
import MeshBase
import MeshRouting

/// Idempotency keys of applications on this machine that use a resource of this node: kept as those of
/// peers are, with this node as their caller (protocol section 8). And the places that they have there.
extension CallDesk {
    /// Uses this node's own resource for an admitted attempt, unless its key says that it must not run.
    mutating func serveOwn(
        _ id: AttemptID, _ resource: LocalResource, _ invocation: Invocation, at now: Moment,
        into effects: inout Outbox<CallEffect>
    ) {
        if let refusal = askPlace(at: resource.name, for: view.me, now: now.instant) {
            return refused(id, [refusal], .none, at: now, into: &effects)
        }
        guard beginOwn(id, invocation, at: now, into: &effects) else { return }
        let place = takePlace(at: resource.name, for: view.me, now: now.instant)
        attempts[id]?.place = place
        effects.post(.serve(.own(id), resource, forBackend(invocation, from: view.me)))
    }

    /// Begins the key of an attempt: durable before the effect. False when the attempt must not run: it is
    /// settled then, and its call repeated elsewhere or answered.
    private mutating func beginOwn(
        _ id: AttemptID, _ invocation: Invocation, at now: Moment, into effects: inout Outbox<CallEffect>
    ) -> Bool {
        guard var attempt = attempts[id], attempt.safety.isMutating, let text = invocation.idempotencyKey
        else { return true }
        let key = IdempotencyBook.Key(caller: view.me, key: text)
        switch keys.begin(key, request: invocation.identity, at: now) {
        case .fresh(let entry):
            // Only the attempt that began a key may end it or give it back.
            attempt.key = key
            attempts[id] = attempt
            effects.post(.remember(entry))
            return true
        case .ended(let end): answerRepeated(id, attempt, end, at: now, into: &effects)
        case .unknownOutcome:
            let refusal = Refusal(
                .outcomeUnknown, [Fact("idempotency key", "began before, and its end is not known")])
            refused(id, [refusal], .possible, at: now, into: &effects)
        case .otherRequest:
            let refusal = Refusal(
                .requestMalformed, [Fact("idempotency key", "came before with another request")])
            refused(id, [refusal], .none, at: now, into: &effects)
        case .full:
            let refusal = Refusal(.limitReached, [Fact("idempotency keys", IdempotencyBook.keysPerCaller)])
            refused(id, [refusal], .none, at: now, into: &effects)
        }
        return false
    }

    /// The work was done before, and is answered as then; no node is asked again.
    private mutating func answerRepeated(
        _ id: AttemptID, _ attempt: OpenAttempt, _ end: IdempotencyBook.End, at now: Moment,
        into effects: inout Outbox<CallEffect>
    ) {
        guard let correlation = calls[id.request]?.correlation else { return }
        routes.report(
            attempt.way, attempt.pass, resource: .neutral, link: .neutral, taken: nil, at: now.instant)
        let outcome = AuditOutcome(
            success: true, answerLength: Int64(end.body?.bytes.count ?? 0), status: end.status)
        close(id, attempt, outcome, saying: "answered \(end.status) before", at: now, into: &effects)
        settleCall(id.request, outcome, at: now, into: &effects)
        effects.post(.answerAgain(id.request, end, correlation))
    }

    /// Keeps how an attempt with a key ended.
    mutating func endKey(
        of attempt: OpenAttempt, status: UInt16, kept: Octets?, into effects: inout Outbox<CallEffect>
    ) {
        guard let key = attempt.key else { return }
        let isKept = (kept?.bytes.count ?? .max) <= IdempotencyBook.bodyMax
        let end = IdempotencyBook.End(status: status, headers: attempt.headers, body: isKept ? kept : nil)
        if let entry = keys.end(key, end) { effects.post(.remember(entry)) }
    }

    /// Gives the key of a failed attempt back when it certainly had no effect.
    mutating func withdrawKey(
        of attempt: OpenAttempt, _ effect: PossibleEffect, into effects: inout Outbox<CallEffect>
    ) {
        guard effect == .none, attempt.status == nil, let key = attempt.key,
            let entry = keys.withdraw(key)
        else { return }
        effects.post(.remember(entry))
    }

    /// This node's resource has it in hand no more: its answer has begun, or it is over.
    mutating func givePlaceBack(
        _ attempt: inout OpenAttempt, of id: AttemptID, _ end: ServiceLoad.End, at now: Instant
    ) {
        guard let place = attempt.place else { return }
        attempt.place = nil
        let isStreamed = calls[id.request]?.request.body.isStreamed ?? true
        settle(place, at: attempt.way.resource, isStreamed ? .unmeasured : end, now: now)
    }
}
