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
    let leave: KeepRules.Leave
}

/// Answers from memory (map 106, 107): where the provider said so, and where the call is permitted as it
/// would be without.
///
/// Everything that decides about a call comes first: its form, whether the agent drains or the audit has
/// room, rates, trust, the agreement, its conditions and limits, the external policy. Only then is looked. So
/// what was revoked, narrowed, ended or suspended is refused although its answer lies here; and what the
/// provider alone can see (from which network, what its own policy engine says) is no case for memory. A
/// provider that refuses a call ends what is kept under that agreement. An answer from memory is no attempt:
/// it needs no link, asks no breaker, takes nothing from a meter, which both ends count alike. It is one
/// event of this node, which names the call that brought it.
extension CallDesk {
    // MARK: The provider

    /// For how long the caller may keep the answer to this request. Sealed answers lie nowhere in clear.
    func keepTime(
        of resource: LocalResource, _ capability: Capability, _ invocation: Invocation, _ agreement: Digest,
        at wall: WallTime
    ) -> Duration? {
        guard let time = resource.keepTime(of: capability.name), invocation.sealedTo == nil,
            !view.networked.contains(agreement), view.configuration.external?.asksAsProvider != true,
            KeepRules.mayKeep(
                method: invocation.method, body: invocation.body, headers: invocation.headers)
        else { return nil }
        return KeepRules.time(time, for: invocation.query, at: wall)
    }

    /// Says it, behind all that the resource says, where there is room for one field more.
    static func sayKeep(
        _ time: Duration, _ status: UInt16, _ headers: [HeaderField], in passing: inout [HeaderField]
    ) {
        guard let leave = KeepRules.leave(time, ofStatus: status, headers: headers),
            passing.count < fieldsMost, HeaderFilter.length(of: passing) <= headMost
        else { return }
        passing.append(KeepRules.saying(leave))
    }

    // MARK: The consumer: keeping

    /// An answer has begun: whether it may be kept. What it was asked by is what was sent, whatever the
    /// catalog says by now.
    mutating func noteKeep(
        _ id: AttemptID, _ attempt: OpenAttempt, status: UInt16, headers: [HeaderField],
        passing: inout [HeaderField]
    ) {
        guard !attempt.isLocal, let said = KeepRules.leave(saidIn: headers),
            let leave = KeepRules.leave(said.time, ofStatus: status, headers: headers),
            let agreement = attempt.agreement, attempt.sealedTo == nil, let call = calls[id.request],
            let key = cacheKey(of: attempt.what, at: attempt.way.node, call),
            keeping.count < Self.keepingMost,
            HeaderFilter.length(of: passing) <= Self.headMost
        else { return }
        keeping[id] = KeptAnswer(
            key: key, agreement: agreement, status: status,
            headers: passing.filter { $0.name != "content-length" },
            leave: KeepRules.Leave(leave.time, mayBeStale: said.mayBeStale && leave.mayBeStale))
        cache.note(.miss)
        passing.append(HeaderField(KeepRules.resultField, ResponseCache.Result.miss.rawValue))
    }

    /// It is whole.
    mutating func keepAnswer(of id: AttemptID, _ body: BodySummary, _ kept: Octets?, at now: Instant) {
        guard !keeping.isEmpty, let answer = keeping.removeValue(forKey: id), let kept,
            let attempt = attempts[id], let call = calls[id.request]
        else { return }
        let wasEmpty = cache.isEmpty
        // When the call began is no later than when it was sent, by the clock that a sleep does not stop.
        let asked = Moment(instant: attempt.began, wall: call.began.wall)
        // Without the room in which it grew.
        let exact = Octets(kept.bytes.withUnsafeBytes { Array($0) })
        cache.keep(
            ResponseCache.Kept(
                status: answer.status, headers: answer.headers, body: exact, digest: body.digest,
                fetchedBy: call.correlation, asked: asked),
            for: answer.leave, as: answer.key, under: answer.agreement, headers: call.request.headers,
            at: now)
        if wasEmpty, !cache.isEmpty { alarms.set(.cache, at: now + Self.tidyPause) }
    }

    /// An attempt has answered, or is over: what it may have written makes what is kept of its resource old,
    /// whichever provider did it.
    mutating func noteWrite(by attempt: OpenAttempt, at now: Instant) {
        guard attempt.safety.isMutating else { return }
        cache.wrote(to: attempt.way.resource, at: now)
    }

    /// A provider would not: it is not answered for, and where it denies what permitted the call here,
    /// nothing that was kept under that is given any more.
    mutating func noteRefusal(by attempt: OpenAttempt, _ reasons: [Refusal], of id: RequestID) {
        _ = calls.update(id) { $0.refusers.append(attempt.way.node) }
        guard !cache.isEmpty, let agreement = attempt.agreement,
            reasons.contains(where: {
                Self.deniesAll.contains($0.code) || PolicyEvaluator.refuses(with: $0.code)
            })
        else { return }
        cache.forget { $0 == agreement }
    }

    private static let deniesAll: Set<RefusalCode> = [
        .peerNotTrusted, .peerSuspended, .peerRevoked, .peerNotFound, .resourceUnknown, .capabilityUnknown,
        .externalPolicyDenied,
    ]

    /// What is over leaves.
    mutating func tidyCache(at now: Moment) {
        cache.forget(before: now)
        if !cache.isEmpty { alarms.set(.cache, at: now.instant + Self.tidyPause) }
    }

    /// What may be asked no more is not kept.
    mutating func forgetAnswers() {
        guard !cache.isEmpty else { return }
        let kept = Set(cache.agreements)
        var inForce = Set(view.domain?.house.map { [$0.contentID] } ?? [])
        for index in view.agreements.values + [view.domainAgreements] {
            for terms in index.terms where terms.standing == .active && kept.contains(terms.contentID) {
                inForce.insert(terms.contentID)
            }
        }
        cache.forget { !inForce.contains($0) }
    }

    private static let tidyPause: Duration = .seconds(60)
    /// Answers that are kept as they pass, each with its head.
    private static let keepingMost = 1_024
    /// Bytes of the head of an answer that is kept.
    private static let headMost = 8 * 1024
    /// Fields of an answer beside which there is room for one more.
    private static let fieldsMost = 120

    // MARK: The consumer: answering

    /// Answers a call that is weighed from memory, where that can be: fresh, whether or not its provider can
    /// be reached; stale, where no provider can. Where several may be asked, memory stands in for none that
    /// comes before them: this node, the one that is preferred, the one that a sticky key draws.
    mutating func answerFromMemory(
        _ id: RequestID, among assessments: [Assessment], at now: Moment,
        into effects: inout Outbox<CallEffect>
    ) -> Bool {
        guard let call = calls[id], mayAnswer(call.request), audit.obstacle == nil else { return false }
        var found = findKept(for: call, among: assessments, at: now)
        guard !found.isEmpty else { return false }
        let ready = assessments.filter(\.isReady)
        if assessments.count > 1, !ready.isEmpty {
            let rule = view.rule(for: call.request.resource)
            if ready.contains(where: \.isLocal), rule?.order ?? .localFirst == .localFirst { return false }
            if call.request.sticky != nil { return false }
            if ready.contains(where: { $0.node == rule?.preferred }) {
                found.removeAll { $0.assessment.node != rule?.preferred }
            }
        }
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
            case .allowed(let nodes) = candidates(of: call.request, at: now.wall)
        else { return false }
        // Those that were tried may be the only ones that were ever asked.
        let assessments = assess(nodes, for: call.request, path: call.path, at: now)
        guard let found = findKept(for: call, among: assessments, at: now).first else { return false }
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
            guard let agreement = assessment.agreement, assessment.sealedTo == nil,
                !call.refusers.contains(assessment.node), !view.networked.contains(agreement),
                assessment.refusals.allSatisfy({ $0.code == .peerUnreachable || $0.code == .breakerOpen }),
                let capability = assessment.capability,
                let key = cacheKey(of: capability, at: assessment.node, call),
                let (kept, result) = cache.find(
                    key, under: agreement, headers: call.request.headers, at: now)
            else { return nil }
            var found = Found(
                kept: kept, result: result, key: key, assessment: assessment, agreement: agreement)
            switch judgement(of: assessment, for: call, at: now.instant) {
            case .notNeeded: break
            // An engine that is to be asked is asked before the answer is given.
            case .needed: return nil
            case .known(let answer):
                guard answer.refusal(at: .consumer) == nil else { return nil }
                found.judgement = answer.facts
            }
            return found
        }
    }

    /// By what the answer of `node` to this call is kept; nil where none is.
    private func cacheKey(of capability: Capability, at node: NodeID, _ call: OpenCall) -> ResponseCache.Key?
    {
        let request = call.request
        guard node != view.me, capability.safety == .safe, request.idempotencyKey == nil else { return nil }
        let asked: (method: String, path: String, query: String?)
        // What `/invoke` brings as a body, a GET has as its query.
        var body = RequestBody.none
        switch request.form {
        case .invoke(_, let query):
            asked = (capability.methods.first ?? "", capability.path, query)
        case .mesh(let method, _, let query):
            asked = (method, call.path, query)
            body = request.body
        }
        guard KeepRules.mayKeep(method: asked.method, body: body, headers: request.headers) else {
            return nil
        }
        return ResponseCache.Key(
            node: node, principal: request.principal, purpose: request.purpose, resource: request.resource,
            capability: capability.name, method: asked.method, path: asked.path, query: asked.query,
            headers: request.headers)
    }

    private mutating func answer(
        _ id: RequestID, from found: Found, at now: Moment, into effects: inout Outbox<CallEffect>
    ) {
        let kept = found.kept
        cache.note(found.result, found.key, under: found.agreement)
        let ages = (now.instant - kept.asked.instant, now.wall - kept.asked.wall)
        let age = max(ages.0, ages.1, .zero)
        let answered = calls.update(id) { call in
            call.agreement = found.agreement
            call.capability = found.assessment.capability?.name
            call.tried.removeAll { $0 == found.assessment.node }
            call.tried.append(found.assessment.node)
            call.history += [
                Fact("answered from", found.result == .hit ? "memory" : "memory, its time is over"),
                Fact("kept since ms", age.wholeMilliseconds),
                Fact("brought by the call", kept.fetchedBy),
            ]
            call.history += found.judgement
            return call.correlation
        }
        guard let correlation = answered else { return }
        let outcome = AuditOutcome(
            success: true, answerDigest: kept.digest, answerLength: Int64(kept.body.bytes.count),
            status: kept.status)
        settleCall(id, outcome, at: now, into: &effects)
        var headers = kept.headers
        // What it was old when it came stands in its own word (RFC 9111 section 5.1).
        let before = headers.first { $0.name == "age" }.flatMap { Int64($0.value) } ?? 0
        headers.removeAll { $0.name == "age" }
        headers.append(HeaderField("age", "\(min(before, 1 << 31) + age.wholeMilliseconds / 1_000)"))
        headers.append(HeaderField(KeepRules.resultField, found.result.rawValue))
        let end = IdempotencyBook.End(status: kept.status, headers: headers, body: kept.body)
        effects.post(.answerAgain(id, end, correlation))
    }
}
