import MeshAudit
import MeshBase
import MeshRouting

/// What is written about calls, and the ends that wait for it.
extension CallDesk {
    /// Tells the audit; what it orders is written in one go with all else that this input makes.
    mutating func tell(_ input: AuditInput, at now: Moment, into effects: inout Outbox<CallEffect>) {
        var orders = Outbox<AuditEffect>()
        audit.handle(input, at: now, into: &orders)
        keep(&orders)
    }

    /// Asks the audit whether a call may begin.
    mutating func admit(
        _ event: consuming AuditEvent, settling durability: AuditDurability, at now: Moment,
        into effects: inout Outbox<CallEffect>
    ) -> AuditAdmission {
        var orders = Outbox<AuditEffect>()
        let admission = audit.admit(event, settling: durability, at: now, into: &orders)
        keep(&orders)
        return admission
    }

    private mutating func keep(_ orders: inout Outbox<AuditEffect>) {
        for case .write(let records, let durability) in orders.drain() {
            // Most inputs make one record: it is taken as it comes.
            if unwritten.isEmpty { unwritten = records } else { unwritten += records }
            unwrittenDurability = unwrittenDurability.joined(with: durability)
        }
    }

    /// Orders what one input made to be written, before everything else that it ordered.
    ///
    /// Later orders may wait for a sync, and what the next input makes is written meanwhile: so the journal
    /// would tell the end of an attempt before its beginning, if a record waited with them. And a crash finds
    /// an attempt's settlement and the event that closes its call both written, or neither.
    /// - Parameter count: how many orders there were before this input.
    mutating func write(behindFirst count: Int, into effects: inout Outbox<CallEffect>) {
        guard !unwritten.isEmpty else { return }
        let (all, durability) = (unwritten, unwrittenDurability)
        unwritten = []
        unwrittenDurability = .written
        guard all.count > AuditEffect.recordsPerWrite else {
            return effects.post(.record(all, durability), behindFirst: count)
        }
        for (index, write) in AuditEffect.writes(of: all, durability).enumerated() {
            guard case .write(let records, let durability) = write else { continue }
            effects.post(.record(records, durability), behindFirst: count + index)
        }
    }

    /// Breakers that changed: to the audit, and to `Node`.
    mutating func tellChanges(at now: Moment, into effects: inout Outbox<CallEffect>) {
        for change in routes.takeChanges() {
            let event = AuditEvent(
                type: .breaker, source: view.me, target: change.node, resource: change.resource,
                action: "breaker \(change.to)", success: change.to != "open", breaker: change.to,
                metadata: [
                    Fact("from", change.from), Fact("to", change.to), Fact("node", view.label(change.node)),
                    Fact("of", change.resource == nil ? "link" : "resource"),
                ])
            tell(.happened(event), at: now, into: &effects)
            effects.post(.breakerChanged(change))
        }
    }

    /// Ends a call that was not answered.
    mutating func conclude(
        _ id: RequestID, _ refusals: [Refusal], weighed: [Assessment] = [], at now: Moment,
        into effects: inout Outbox<CallEffect>
    ) {
        guard let call = calls[id] else { return }
        let bounded = Self.bounded(refusals)
        guard call.attemptCount > 0 else {
            forget(id)
            refuse(call, bounded, weighed: weighed, at: now, into: &effects)
            return
        }
        settleCall(id, AuditOutcome(success: false, refusals: bounded), at: now, into: &effects)
        effects.post(.refuse(id, bounded, call.correlation))
    }

    /// Answers a request of which nothing has left.
    mutating func refuse(
        _ call: OpenCall, _ refusals: [Refusal], weighed: [Assessment] = [], at now: Moment,
        into effects: inout Outbox<CallEffect>
    ) {
        var event = callEvent(call, AuditOutcome(success: false, refusals: refusals), at: now)
        event.metadata = call.request.purpose.asFacts + candidateFacts(weighed)
        // Between several it is no one agreement that refused.
        if weighed.count == 1, let capability = weighed[0].capability {
            event.target = weighed[0].node
            event.capability = capability.name
            event.metadata += policyFacts(weighed[0])
        }
        count(event, .refused, call, at: now)
        tell(.refused(event), at: now, into: &effects)
        effects.post(.refuse(call.request.id, refusals, call.correlation))
    }

    /// The one event that closes a call of which something has left.
    mutating func settleCall(
        _ id: RequestID, _ outcome: AuditOutcome, at now: Moment, into effects: inout Outbox<CallEffect>
    ) {
        guard let call = forget(id) else { return }
        let event = callEvent(call, outcome, at: now)
        count(event, outcome.success ? .success : .failure, call, at: now)
        var orders = Outbox<AuditEffect>()
        audit.note(consume event, at: now, into: &orders)
        keep(&orders)
    }

    private mutating func count(
        _ event: AuditEvent, _ outcome: CallTally.Outcome, _ call: OpenCall, at now: Moment
    ) {
        tally.note(call.request.resource, to: event.target, outcome, took: now.instant - call.began.instant)
    }

    @discardableResult
    private mutating func forget(_ id: RequestID) -> OpenCall? {
        let call = calls.removeValue(forKey: id)
        alarms.cancel(.call(id))
        if call?.phase == .waiting { waiting.removeAll { $0 == id } }
        return call
    }

    /// The event of one attempt, as it is admitted.
    func attemptEvent(
        _ call: OpenCall, _ chosen: Assessment, number: UInt8, among assessments: [Assessment]
    ) -> AuditEvent {
        let sent = sentBody(call, method: chosen.method)
        return AuditEvent(
            type: .attempt, correlation: call.correlation, source: view.me, target: chosen.node,
            principal: call.request.principal, resource: call.request.resource,
            capability: chosen.capability?.name, action: "invoke", success: false,
            agreement: chosen.agreement,
            requestDigest: sent.auditedDigest, requestLength: sent.length ?? 0, attempt: number,
            traceparent: call.request.traceparent,
            breaker: chosen.breaker.word,
            metadata: .joining(
                call.request.purpose.asFacts, view.houseFacts(chosen.agreement),
                Self.sealFacts(chosen.sealedTo), policyFacts(chosen),
                assessments.count > 1 ? choiceFacts(chosen) + candidateFacts(assessments, chosen) : []))
    }

    /// That a payload was sealed, and to which key; the digests and lengths of the event are of what was
    /// inside, as ever, so that both sides' events match.
    static func sealFacts(_ key: EncryptionKey?) -> [Fact] {
        key.map { [Fact("payload sealed to", $0)] } ?? []
    }

    /// What was asked about an attempt; nothing where nobody but this node has to permit it.
    private func policyFacts(_ assessment: Assessment) -> [Fact] {
        guard !assessment.isLocal, let capability = assessment.capability else { return [] }
        return PastCall.facts(method: assessment.method, capability.safety)
    }

    private func callEvent(_ call: OpenCall, _ outcome: AuditOutcome, at now: Moment) -> AuditEvent {
        var event = AuditEvent(
            type: .call, correlation: call.correlation, source: view.me,
            target: call.tried.last ?? target(call),
            principal: call.request.principal, resource: call.request.resource,
            capability: call.capability ?? asked(call), action: "invoke", success: outcome.success,
            refusals: outcome.refusals, agreement: call.agreement,
            requestDigest: call.passed.map(\.digest) ?? call.request.body.auditedDigest,
            requestLength: call.passed?.length ?? call.request.body.length ?? 0,
            traceparent: call.request.traceparent,
            metadata: .joining(
                call.request.purpose.asFacts, view.houseFacts(call.agreement), call.history))
        event.durationInMilliseconds = (now.instant - call.began.instant).wholeMilliseconds
        event.answerDigest = outcome.answerDigest
        event.answerLength = outcome.answerLength
        event.status = outcome.status
        return consume event
    }

    /// Whom a call that reached nobody was for; this node when that is nobody.
    private func target(_ call: OpenCall) -> NodeID {
        switch call.request.target {
        case .any: view.me
        case .node(let node): node
        case .named(let name): view.names[name] ?? view.me
        }
    }

    private func asked(_ call: OpenCall) -> ResourceName? {
        guard case .invoke(let capability, _) = call.request.form else { return nil }
        return capability
    }

    /// Why this one of several; nothing where the others could not be asked.
    private func choiceFacts(_ chosen: Assessment) -> [Fact] {
        chosen.choice.map { [Fact("picked because", $0.rawValue)] } ?? []
    }

    /// One fact for each candidate, at most eight, among them who was chosen: score, breaker and link, or why
    /// not.
    func candidateFacts(_ assessments: [Assessment], _ chosen: Assessment? = nil) -> [Fact] {
        var shown = Array(assessments.prefix(8))
        if let chosen, !shown.contains(where: { $0.node == chosen.node }) { shown[0] = chosen }
        return shown.map { assessment in
            let reasons = assessment.refusals.prefix(4).map(\.code.rawValue).joined(separator: ", ")
            let link =
                switch assessment.readiness {
                case .ready: assessment.isLocal ? "here" : "link up"
                case .awaited: "link awaited"
                case .refused: "link's breaker open"
                case .down: "link down"
                }
            let weight = assessment.weight == .even ? "" : ", weight \(assessment.weight)"
            let score = "score \(assessment.candidate.score)\(weight), \(assessment.breaker.word), \(link)"
            return Fact(
                AuditEvent.candidate + view.label(assessment.node),
                reasons.isEmpty ? score : "\(score): \(reasons)")
        }
    }

    /// The first reasons, each once: what fits into an answer and a record.
    static func bounded(_ refusals: [Refusal]) -> [Refusal] {
        var kept: [Refusal] = []
        for refusal in refusals where kept.count < 8 && !kept.contains(refusal) { kept.append(refusal) }
        return kept
    }
}

extension Purpose? {
    /// For the audit; nothing where a call does not say what it is for.
    var asFacts: [Fact] { map { [Fact("purpose", $0)] } ?? [] }
}

extension [Fact] {
    /// The facts of all parts, in their order. Of most events one part alone says something: that is taken as
    /// it is.
    static func joining(_ parts: [Fact]...) -> [Fact] {
        var joined: [Fact] = []
        for part in parts where !part.isEmpty { joined = joined.isEmpty ? part : joined + part }
        return joined
    }
}
