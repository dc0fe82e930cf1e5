import MeshAgreements
import MeshAudit
import MeshBase
import MeshRouting

/// An answer that passes to an application and may be kept.
struct KeptAnswer: Sendable, Equatable {
    let key: ResponseCache.Key
    let agreement: Digest
    let status: UInt16
    let headers: [HeaderField]
    let time: Duration
}

/// Answers from memory (map 106, 107): where the provider said so, and where the call is permitted as it
/// would be without.
///
/// Everything that decides about a call comes first: its form, whether the agent drains or the audit has
/// room, rates, trust, the agreement, its conditions and limits, the external policy. Only then is looked. So
/// what was revoked, narrowed, ended or suspended is refused although its answer lies here. An answer from
/// memory is no attempt: it needs no link, asks no breaker, takes nothing from a meter, which both ends count
/// alike. It is one event of this node, which names the call that brought it.
extension CallDesk {
    // MARK: The provider

    /// For how long the caller may keep the answer to this request. Sealed answers lie nowhere in clear.
    func keepTime(
        of resource: LocalResource, _ capability: Capability, _ invocation: Invocation, at wall: WallTime
    ) -> Duration? {
        guard let time = resource.keepTime(of: capability.name), invocation.sealedTo == nil,
            KeepRules.mayKeep(
                method: invocation.method, body: invocation.body, headers: invocation.headers)
        else { return nil }
        return KeepRules.time(time, for: invocation.query, at: wall)
    }

    /// Says it, behind all that the resource says.
    static func sayKeep(
        _ time: Duration, _ status: UInt16, _ headers: [HeaderField], in passing: inout [HeaderField]
    ) {
        guard let time = KeepRules.time(time, ofStatus: status, headers: headers) else { return }
        passing.append(KeepRules.saying(time))
    }

    // MARK: The consumer: keeping

    /// An answer has begun: whether it may be kept.
    mutating func noteKeep(
        _ id: AttemptID, _ attempt: OpenAttempt, status: UInt16, headers: [HeaderField],
        passing: inout [HeaderField], at now: Moment
    ) {
        guard !attempt.isLocal, let time = KeepRules.time(saidIn: headers),
            let agreement = attempt.agreement, let call = calls[id.request]
        else { return }
        let asked = assess(attempt.way.node, for: call.request, path: call.path, at: now)
        guard asked.agreement == agreement, let key = cacheKey(of: asked, call.request) else { return }
        keeping[id] = KeptAnswer(
            key: key, agreement: agreement, status: status,
            headers: passing.filter { $0.name != "content-length" }, time: time)
        cache.note(.miss)
        passing.append(HeaderField(KeepRules.resultField, ResponseCache.Result.miss.rawValue))
    }

    /// It is whole.
    mutating func keepAnswer(of id: AttemptID, _ body: BodySummary, _ kept: Octets?, at now: Instant) {
        guard !keeping.isEmpty, let answer = keeping.removeValue(forKey: id), let kept,
            let attempt = attempts[id], let call = calls[id.request]
        else { return }
        let wasEmpty = cache.isEmpty
        cache.keep(
            ResponseCache.Kept(
                status: answer.status, headers: answer.headers, body: kept, digest: body.digest,
                capability: attempt.capability, fetchedBy: call.correlation, asked: attempt.began),
            for: answer.time, as: answer.key, under: answer.agreement, headers: call.request.headers, at: now)
        if wasEmpty, !cache.isEmpty { alarms.set(.cache, at: now + Self.tidyPause) }
    }

    /// An attempt is over: what it may have written makes what is kept of its resource old.
    mutating func noteWrite(by id: AttemptID, _ attempt: OpenAttempt, at now: Instant) {
        if !keeping.isEmpty { keeping[id] = nil }
        guard attempt.safety.isMutating, !attempt.isLocal else { return }
        cache.wrote(to: attempt.way.resource, of: attempt.way.node, at: now)
    }

    /// What is over leaves.
    mutating func tidyCache(at now: Instant) {
        cache.forget(before: now)
        if !cache.isEmpty { alarms.set(.cache, at: now + Self.tidyPause) }
    }

    /// What may be asked no more is not kept.
    mutating func forgetAnswers(since before: CallView) {
        guard !cache.isEmpty,
            view.agreements != before.agreements
                || view.domainAgreements != before.domainAgreements
        else { return }
        let kept = Set(cache.agreements)
        var inForce: Set<Digest> = []
        for index in view.agreements.values + [view.domainAgreements] {
            for terms in index.terms where terms.standing == .active && kept.contains(terms.contentID) {
                inForce.insert(terms.contentID)
            }
        }
        cache.forget { !inForce.contains($0) }
    }

    private static let tidyPause: Duration = .seconds(60)

    // MARK: The consumer: answering

    /// Answers a call that is weighed from memory, where that can be: fresh, whether or not its provider can
    /// be reached; stale, where no provider can.
    mutating func answerFromMemory(
        _ id: RequestID, among assessments: [Assessment], at now: Moment,
        into effects: inout Outbox<CallEffect>
    ) -> Bool {
        guard let call = calls[id], mayAnswer(call.request), audit.obstacle == nil else { return false }
        let found = findKept(for: call, among: assessments, at: now)
        if let fresh = found.first(where: { $0.result == .hit }) {
            answer(id, from: fresh, at: now, into: &effects)
            return true
        }
        // A link at rest is opened for the call; one that is dialled was lost.
        let canAsk = assessments.contains { assessment in
            assessment.isReady || assessment.isAwaited && view.peers[assessment.node]?.link != .dialling
        }
        guard !canAsk, let stale = found.first else { return false }
        answer(id, from: stale, at: now, into: &effects)
        return true
    }

    /// Answers a call whose last attempt broke, and which nobody else can be asked, from memory.
    mutating func answerStale(
        _ id: RequestID, at now: Moment, into effects: inout Outbox<CallEffect>
    ) -> Bool {
        guard !cache.isEmpty, let call = calls[id], mayAnswer(call.request), audit.obstacle == nil,
            case .allowed(let assessments) = weigh(call, at: now)
        else { return false }
        // Those that were tried already may be the only ones that were ever asked.
        let tried = call.tried.filter { node in !assessments.contains { $0.node == node } }
            .map { assess($0, for: call.request, path: call.path, at: now) }
        guard let found = findKept(for: call, among: assessments + tried, at: now).first else { return false }
        answer(id, from: found, at: now, into: &effects)
        return true
    }

    private struct Found {
        let kept: ResponseCache.Kept
        let result: ResponseCache.Result
        let key: ResponseCache.Key
        let assessment: Assessment
        let agreement: Digest
        /// What the external policy said.
        var judgement: [Fact] = []
    }

    private func mayAnswer(_ request: LocalRequest) -> Bool {
        request.idempotencyKey == nil && !KeepRules.wantsNew(request.headers)
    }

    /// What is kept of those that may be asked now, or might if they could be reached.
    private func findKept(
        for call: OpenCall, among assessments: [Assessment], at now: Moment
    ) -> [Found] {
        assessments.compactMap { assessment in
            guard
                assessment.refusals.allSatisfy({ $0.code == .peerUnreachable || $0.code == .breakerOpen }),
                let agreement = assessment.agreement, let key = cacheKey(of: assessment, call.request),
                let (kept, result) = cache.find(
                    key, under: agreement, headers: call.request.headers, at: now.instant)
            else { return nil }
            var found = Found(
                kept: kept, result: result, key: key, assessment: assessment, agreement: agreement)
            switch judgement(of: assessment, for: call, at: now.instant) {
            case .notNeeded: break
            // An engine that is to be asked is asked before the answer is given.
            case .needed: return nil
            case .known(let answer): found.judgement = answer.facts
            }
            return found
        }
    }

    /// By what the answer to this request is kept; nil where none is.
    private func cacheKey(of asked: Assessment, _ request: LocalRequest) -> ResponseCache.Key? {
        guard !asked.isLocal, asked.sealedTo == nil, asked.agreement != nil,
            asked.capability?.safety == .safe, request.idempotencyKey == nil
        else { return nil }
        // What `/invoke` brings as a body, a GET has as its query.
        let body = request.form.isInvoke ? RequestBody.none : request.body
        guard KeepRules.mayKeep(method: asked.method, body: body, headers: request.headers) else {
            return nil
        }
        return ResponseCache.Key(
            node: asked.node, principal: request.principal, purpose: request.purpose,
            resource: request.resource, method: asked.method, path: asked.path, query: asked.query,
            headers: request.headers)
    }

    private mutating func answer(
        _ id: RequestID, from found: Found, at now: Moment, into effects: inout Outbox<CallEffect>
    ) {
        let kept = found.kept
        cache.note(found.result, found.key, under: found.agreement)
        let answered = calls.update(id) { call in
            call.agreement = found.agreement
            call.capability = kept.capability
            call.tried.removeAll { $0 == found.assessment.node }
            call.tried.append(found.assessment.node)
            call.history +=
                [
                    Fact("answered from", found.result == .hit ? "memory" : "memory, its time is over"),
                    Fact("kept since ms", (now.instant - kept.asked).wholeMilliseconds),
                    Fact("brought by the call", kept.fetchedBy),
                ] + found.judgement
            return call.correlation
        }
        guard let correlation = answered else { return }
        let outcome = AuditOutcome(
            success: true, answerDigest: kept.digest, answerLength: Int64(kept.body.bytes.count),
            status: kept.status)
        settleCall(id, outcome, at: now, into: &effects)
        let age = max((now.instant - kept.asked).wholeMilliseconds / 1_000, 0)
        var headers = kept.headers.filter { $0.name != "age" }
        headers.append(HeaderField("age", "\(age)"))
        headers.append(HeaderField(KeepRules.resultField, found.result.rawValue))
        let end = IdempotencyBook.End(status: kept.status, headers: headers, body: kept.body)
        effects.post(.answerAgain(id, end, correlation))
    }
}
