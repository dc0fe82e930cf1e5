import MeshAudit
import MeshBase
import MeshRouting

/// An application's request, from its arrival to the attempt that leaves.
extension CallDesk {
    /// Takes a request: refused at once for its form, or weighed.
    mutating func take(_ request: LocalRequest, at now: Moment, into effects: inout Outbox<CallEffect>) {
        precondition(calls[request.id] == nil, "\(request.id) came twice")
        let asked = min(max(request.deadline ?? Limits.callDeadline, .zero), Limits.callDeadlineMax)
        let form = self.form(of: request)
        var path = "/"
        if case .allowed(let normal) = form { path = normal }
        let call = OpenCall(
            request, correlation: CorrelationID(at: now.wall, using: &generator), began: now,
            deadline: now.instant + asked, path: path)
        if calls.count >= view.configuration.callsMax {
            refuse(call, [crowded], at: now, into: &effects)
            return
        }
        calls[request.id] = consume call
        if isDraining {
            conclude(request.id, [Refusal(.draining)], at: now, into: &effects)
            return
        }
        if case .refused(let refusal) = form {
            conclude(request.id, [refusal], at: now, into: &effects)
            return
        }
        if let refusal = tooSoon(request, at: now.instant) {
            conclude(request.id, [refusal], at: now, into: &effects)
            return
        }
        budget.deposit(at: now.instant)
        place(request.id, at: now, into: &effects)
    }

    /// Why no further call of this node's begins when as many are under way as may be.
    var crowded: Refusal {
        Refusal(
            .overloaded,
            [Fact("own calls under way", calls.count), Fact("at most", view.configuration.callsMax)])
    }

    /// Weighs a call's candidates and sends the attempt, waits, or gives up.
    mutating func place(_ id: RequestID, at now: Moment, into effects: inout Outbox<CallEffect>) {
        guard let call = calls[id] else { return }
        guard call.deadline - now.instant >= .milliseconds(1) else {
            conclude(id, overdue(call, at: now), at: now, into: &effects)
            return
        }
        // What has left of a body while its call waited for a link cannot be sent again either.
        guard call.attemptCount == 0 || call.isBodyKept else {
            conclude(id, call.reasons, at: now, into: &effects)
            return
        }
        let assessments: [Assessment]
        switch weigh(call, at: now) {
        case .refused(let refusal):
            conclude(id, call.reasons + [refusal], at: now, into: &effects)
            return
        case .allowed(let found): assessments = found
        }
        if !cache.isEmpty, answerFromMemory(id, among: assessments, at: now, into: &effects) { return }
        let ready = assessments.allSatisfy(\.isReady) ? assessments : assessments.filter(\.isReady)
        if let chosen = pick(ready, for: call, at: now.instant) {
            wish(beside: ready, among: assessments, for: call.request.resource, at: now, into: &effects)
            switch judgement(of: chosen, for: call, at: now.instant) {
            case .notNeeded: launch(id, chosen, nil, among: assessments, at: now, into: &effects)
            case .known(let answer): launch(id, chosen, answer, among: assessments, at: now, into: &effects)
            case .needed(let question): judge(id, question, at: now, into: &effects)
            }
        } else if assessments.contains(where: \.isAwaited) {
            calls[id]?.phase = .waiting
            waiting.append(id)
            alarms.set(.call(id), at: call.deadline)
            wish(for: assessments, of: call.request.resource, at: now, into: &effects)
        } else {
            let reasons = assessments.flatMap(\.refusals)
            conclude(id, call.reasons + reasons, weighed: assessments, at: now, into: &effects)
        }
    }

    /// Who is asked: the one about whom the external policy was asked for this call, else whom the operator
    /// prefers to all, else whom its sticky key draws, else whom the picker takes.
    mutating func pick(
        _ ready: [Assessment], for call: OpenCall, at now: Instant
    ) -> Assessment? {
        guard ready.count > 1 else { return ready.first }
        if !call.judged.isEmpty {
            let allowed = ready.first { candidate in
                call.judged.contains { $0.question.callee == candidate.node }
            }
            if let allowed { return allowed.chosen(.judged) }
        }
        let ready = Self.willing(ready)
        let rule = view.rule(for: call.request.resource)
        if let preferred = ready.first(where: { $0.node == rule?.preferred }) {
            return preferred.chosen(.preferred)
        }
        if let key = call.request.sticky {
            return Rendezvous.pick(ready.map { ($0.node.digest.words.0, $0.weight) }, for: key).map {
                ready[$0].chosen(.sticky)
            }
        }
        let order = rule?.order ?? .localFirst
        return Picker.pick(ready.map(\.candidate), order: order, using: &generator).map { index in
            ready[index].chosen(order == .localFirst && ready[index].isLocal ? .local : .better)
        }
    }

    /// Those that refused no call a moment ago, or all where each did. No breaker opens for a refusal, and
    /// who refuses at once looks quick: most calls would be lost on it.
    static func willing(_ ready: [Assessment]) -> [Assessment] {
        guard ready.contains(where: \.hasTurnedAway) else { return ready }
        let willing = ready.filter { !$0.hasTurnedAway }
        return willing.isEmpty ? ready : willing
    }

    /// The candidates that the call may go to, weighed; those not tried yet before the others.
    func weigh(_ call: OpenCall, at now: Moment) -> Ruling<[Assessment]> {
        let nodes: [NodeID]
        switch candidates(of: call.request, at: now.wall) {
        case .refused(let refusal): return .refused(refusal)
        case .allowed(let found): nodes = found
        }
        var all = assess(nodes, for: call.request, path: call.path, at: now)
        if view.configuration.external != nil {
            for index in all.indices where all[index].refusals.isEmpty {
                guard let refusal = externalRefusal(of: all[index], for: call, at: now.instant) else {
                    continue
                }
                all[index].refusals.append(refusal)
            }
        }
        switch call.reach {
        case .anyone: return .allowed(all)
        case .only(let node): return .allowed(all.filter { $0.node == node })
        case .others(let orAgain):
            let untried = all.filter { !call.tried.contains($0.node) }
            let isUseful = untried.contains { $0.isReady || $0.isAwaited }
            return .allowed(isUseful || !orAgain ? untried : all)
        }
    }

    /// Admits one attempt to the audit and to its breakers, and sends it.
    /// - Parameter first: the attempt that goes on beside it; nil: none does.
    mutating func launch(
        _ id: RequestID, _ chosen: Assessment, _ judged: ExternalAnswer?, among assessments: [Assessment],
        beside first: AttemptID? = nil, at now: Moment, into effects: inout Outbox<CallEffect>
    ) {
        guard let capability = chosen.capability, var call = calls[id] else { return }
        let attempt = AttemptID(request: id, number: call.attemptCount + 1)
        var event = attemptEvent(call, chosen, number: attempt.number, among: assessments)
        if let judged { event.metadata += judged.facts }
        if let first { event.metadata += hedgeFacts(beside: first, at: now.instant) }
        let durability: AuditDurability = capability.safety.isMutating ? .synced : .written
        let eventID: CorrelationID
        switch admit(consume event, settling: durability, at: now, into: &effects) {
        case .refused(let refusal):
            if first == nil { conclude(id, call.reasons + [refusal], at: now, into: &effects) }
            return
        case .admitted(let id): eventID = id
        }
        if !chosen.isLocal { noteUse(of: chosen.node, at: now, into: &effects) }
        if let agreement = chosen.agreement { count(agreement, with: chosen.node, at: now, into: &effects) }
        let way = RouteBook.Way(resource: call.request.resource, node: chosen.node)
        guard let pass = routes.begin(way, isLocal: chosen.isLocal, at: now.instant) else {
            preconditionFailure("\(way) lets nothing through after it was found ready")
        }
        tellChanges(at: now, into: &effects)
        let patience = attemptTime(call, chosen, among: assessments, at: now)
        let timeout = now.instant + patience
        attempts[attempt] = OpenAttempt(
            way: way, pass: pass, isLocal: chosen.isLocal,
            isHead: chosen.method == "HEAD" && call.request.form.isInvoke, event: eventID, began: now.instant,
            patience: patience, timeout: timeout, what: capability,
            agreement: chosen.agreement, sealedTo: chosen.sealedTo)
        call.hedgeDue = first == nil ? hedgeTime(of: call, way, among: assessments, at: now.instant) : nil
        call.attemptCount += 1
        call.judged.removeAll { $0.question.callee == chosen.node }
        if !call.tried.contains(chosen.node) { call.tried.append(chosen.node) }
        call.phase = first.map { .hedged(first: $0, second: attempt) } ?? .attempting(attempt)
        call.agreement = chosen.agreement
        call.capability = capability.name
        calls[id] = call
        alarms.set(.call(id), at: min(timeout, call.hedgeDue ?? timeout))
        let invocation = invocation(call, chosen, capability, number: attempt.number, until: timeout, at: now)
        if chosen.isLocal {
            guard let resource = view.resource(call.request.resource) else { return }
            serveOwn(attempt, resource, invocation, at: now, into: &effects)
        } else {
            effects.post(.send(attempt, to: chosen.node, invocation))
        }
    }

    /// What one attempt may take: what the resource sets where this node knows it, else half of the time
    /// left while another candidate exists that could repeat it, else all of it.
    private func attemptTime(
        _ call: OpenCall, _ chosen: Assessment, among assessments: [Assessment], at now: Moment
    ) -> Duration {
        let left = call.deadline - now.instant
        if chosen.isLocal, let own = view.resource(call.request.resource)?.timeoutInMilliseconds {
            return min(left, .milliseconds(max(own, 1)))
        }
        let others = assessments.contains { other in
            other.node != chosen.node && (other.isReady || other.isAwaited)
                && !call.tried.contains(other.node)
        }
        let mayRepeat =
            Int(call.attemptCount) < Limits.retries && chosen.capability?.safety.isRepeatable == true
            && !call.request.body.isStreamed
        return others && mayRepeat ? max(left / 2, .milliseconds(1)) : left
    }

    private func invocation(
        _ call: OpenCall, _ chosen: Assessment, _ capability: Capability, number: UInt8,
        until timeout: Instant,
        at now: Moment
    ) -> Invocation {
        Invocation(
            correlation: call.correlation, attempt: number, traceparent: call.request.traceparent,
            agreement: chosen.agreement, principal: call.request.principal,
            purpose: call.request.purpose, resource: call.request.resource,
            capability: capability.name, method: chosen.method, path: chosen.path, query: chosen.query,
            headers: HeaderFilter.passing(call.request.headers),
            remainingMilliseconds: UInt32(clamping: max((timeout - now.instant).wholeMilliseconds, 1)),
            deadlineScope: call.scope, idempotencyKey: call.request.idempotencyKey,
            body: sentBody(call, method: chosen.method), sealedTo: chosen.sealedTo)
    }

    /// The body that goes with an attempt: `/invoke` has put it into the query where the method has none.
    func sentBody(_ call: OpenCall, method: String) -> RequestBody {
        call.request.form.isInvoke && (method == "GET" || method == "HEAD") ? .none : call.request.body
    }

    /// Bytes of a call moved: where only the wait for its answer is bounded, the wait begins anew.
    mutating func moved(_ id: RequestID, at now: Moment) {
        guard var call = calls[id], call.scope == .answerHead else { return }
        switch call.phase {
        // Of a body that is here whole nothing moves before the answer.
        case .weighed, .waiting, .judging, .hedged: return
        case .attempting(let attempt):
            guard let open = attempts[attempt] else { return }
            // A resource of this node may have a time of its own.
            let isOwnTime = open.isLocal && open.patience < Limits.callDeadline
            let timeout = now.instant + (isOwnTime ? open.patience : Limits.streamIdle)
            attempts[attempt]?.timeout = timeout
            call.deadline = max(call.deadline, timeout)
            alarms.set(.call(id), at: min(timeout, call.hedgeDue ?? timeout))
        case .answering:
            call.deadline = now.instant + Limits.streamIdle
            alarms.set(.call(id), at: call.deadline)
        }
        calls[id] = call
    }

    /// Why a call whose time is over was not answered.
    func overdue(_ call: OpenCall, at now: Moment) -> [Refusal] {
        let facts = [
            Fact("deadline in ms", (call.deadline - call.began.instant).wholeMilliseconds),
            Fact("attempts", Int(call.attemptCount)),
        ]
        return call.reasons + [Refusal(.deadlineExceeded, facts)]
    }
}
