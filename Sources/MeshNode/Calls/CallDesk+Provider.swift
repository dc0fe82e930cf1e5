import MeshAgreements
import MeshAudit
import MeshBase
import MeshRouting

/// A peer's call, from its arrival to the end of its answer. Nothing that the peer says is believed: trust,
/// resource, capability, path and agreement are decided here again (protocol sections 7 and 8).
extension CallDesk {
    /// Takes a peer's invocation: refused with every reason, or admitted and served.
    mutating func receive(
        _ inbound: InboundInvocation, at now: Moment, into effects: inout Outbox<CallEffect>
    ) {
        precondition(services[inbound.key] == nil && judging[inbound.key] == nil, "\(inbound.key) came twice")
        let invocation = inbound.invocation
        if let refusal = shedding(inbound.peer) ?? trustRefusal(inbound.peer) ?? openingRefusal(inbound)
            ?? tooSoon(inbound, at: now.instant)
        {
            // Before the id is remembered: with another key the same attempt may come again.
            refuse(inbound, [refusal], attempt: invocation.attempt, at: now, into: &effects)
            return
        }
        guard memory.take(invocation, from: inbound.peer) else {
            let refusal = Refusal(
                .correlationReused,
                [Fact("correlation id", invocation.correlation), Fact("attempt", Int(invocation.attempt))])
            // Not the attempt's number: that names the event of the attempt that came first.
            refuse(inbound, [refusal], attempt: 0, at: now, into: &effects)
            return
        }
        decide(inbound, nil, passed: nil, at: now, into: &effects)
    }

    /// Refuses a call that came for the first time, has the external policy asked about it, or serves it.
    /// - Parameters:
    ///   - judgement: what the external policy said of this call; nil: it was not asked yet.
    ///   - passed: the whole of a streamed body that came meanwhile.
    mutating func decide(
        _ inbound: InboundInvocation, _ judgement: ExternalJudgement?, passed: BodySummary?, at now: Moment,
        into effects: inout Outbox<CallEffect>
    ) {
        let invocation = inbound.invocation
        var refusals = formRefusals(inbound)
        if judgement != nil {
            if isDraining { refusals.append(Refusal(.draining)) }
            if let refusal = trustRefusal(inbound.peer) { refusals.append(refusal) }
        }
        guard
            let (resource, capability) = findService(
                invocation, for: inbound.peer, at: now.wall, refusals: &refusals)
        else {
            // It may be unknown because what grants it is damaged here.
            refusals += view.damaged[inbound.peer] ?? []
            refuse(inbound, refusals, attempt: invocation.attempt, at: now, into: &effects)
            return
        }
        func asked() -> [Fact] {
            view.facts(
                onCallBy: inbound.peer, over: inbound.origin, method: invocation.method, capability.safety,
                at: now.wall)
        }
        let verdict = view.permits(
            callBy: inbound.peer, resource.name, capability, method: invocation.method,
            as: invocation.principal, for: invocation.purpose, over: inbound.origin,
            payload: invocation.sealedTo == nil ? .clear : .sealed, meters, at: now)
        switch verdict {
        case .refused(let reasons):
            refuse(
                inbound, refusals + reasons, asked(), attempt: invocation.attempt, at: now, into: &effects)
        case .permitted(let agreement):
            guard refusals.isEmpty else {
                refuse(inbound, refusals, attempt: invocation.attempt, at: now, into: &effects)
                return
            }
            if let refusal = askPlace(at: resource.name, for: inbound.peer, now: now.instant) {
                refuse(
                    inbound, [refusal], asked(), attempt: invocation.attempt, at: now, into: &effects)
                return
            }
            switch self.judgement(of: inbound, capability, under: agreement, judgement, at: now) {
            case .notNeeded:
                serve(
                    inbound, resource, capability, under: agreement, asked(), passed: passed, at: now,
                    into: &effects)
            case .needed(let question):
                judge(inbound, question, passed: passed, at: now, into: &effects)
            case .known(let answer):
                if let refusal = answer.refusal(at: .provider) {
                    refuse(
                        inbound, [refusal], asked(), attempt: invocation.attempt, at: now, into: &effects)
                    return
                }
                serve(
                    inbound, resource, capability, under: agreement, asked() + answer.facts, passed: passed,
                    at: now, into: &effects)
            }
        }
    }

    /// Why this node takes nothing more, from this peer or at all.
    func shedding(_ peer: NodeID) -> Refusal? {
        if isDraining { return Refusal(.draining) }
        let (all, own) = (services.count + judging.count, servicesOfPartner[partner(peer)] ?? 0)
        guard all >= view.configuration.servicesMax || own >= view.configuration.servicesPerPeer else {
            return nil
        }
        return Refusal(
            .overloaded,
            [
                Fact("peers' calls under way", all), Fact("at most", view.configuration.servicesMax),
                Fact("this peer's", own), Fact("this peer's at most", view.configuration.servicesPerPeer),
            ])
    }

    /// What is wrong with the head, whatever it asks for.
    private func formRefusals(_ inbound: InboundInvocation) -> [Refusal] {
        let invocation = inbound.invocation
        var refusals: [Refusal] = []
        let keyLength = invocation.idempotencyKey?.utf8.count ?? 1
        if !(1...Limits.idempotencyKey).contains(keyLength)
            || !(1...Limits.retries + 1).contains(Int(invocation.attempt))
            || !CapabilityMatcher.isMethod(invocation.method)
            || (invocation.query?.utf8.count ?? 0) > RequestPath.lengthMax
        {
            refusals.append(
                Refusal(
                    .requestMalformed,
                    [
                        Fact("attempt", Int(invocation.attempt)),
                        Fact("bytes of the idempotency key", keyLength),
                        Fact("method", String(invocation.method.prefix(16))),
                    ]))
        }
        if inbound.body != invocation.body {
            refusals.append(
                Refusal(
                    .requestMalformed,
                    [Fact("body in the head", invocation.body.inWords), Fact("body", inbound.body.inWords)]))
        }
        if invocation.method == WebSocketUpgrade.method,
            invocation.body != .streamed(length: nil) || invocation.idempotencyKey != nil
        {
            refusals.append(
                Refusal(
                    .requestMalformed,
                    [
                        Fact("method", invocation.method), Fact("body", invocation.body.inWords),
                        Fact("bytes of the idempotency key", invocation.idempotencyKey?.utf8.count ?? 0),
                    ]))
        }
        if HeaderFilter.length(of: invocation.headers) > HeaderFilter.lengthMax {
            refusals.append(Refusal(.headTooLarge, [Fact("at most", HeaderFilter.lengthMax)]))
        }
        if invocation.remainingMilliseconds == 0 {
            refusals.append(Refusal(.deadlineExceeded, [Fact("time left in ms", 0)]))
        }
        return refusals
    }

    /// The resource and what of it the request really uses; nil when there is none that the peer may know of.
    private func findService(
        _ invocation: Invocation, for peer: NodeID, at wall: WallTime, refusals: inout [Refusal]
    ) -> (LocalResource, Capability)? {
        guard let resource = view.resource(invocation.resource),
            view.mayKnow(peer, of: invocation.resource, at: wall)
        else {
            refusals.append(Refusal(.resourceUnknown, [Fact("resource", invocation.resource)]))
            return nil
        }
        switch RequestPath.normalised(invocation.path) {
        case .refused(let refusal):
            refusals.append(refusal)
            return nil
        case .allowed(let normal):
            guard normal == invocation.path else {
                refusals.append(Refusal(.pathRefused, [Fact("normal form", String(normal.prefix(64)))]))
                return nil
            }
        }
        switch CapabilityMatcher.matched(
            method: invocation.method, path: invocation.path, of: resource.description)
        {
        case .refused(let refusal):
            refusals.append(refusal)
            return nil
        case .allowed(let capability):
            if capability.name == invocation.capability { return (resource, capability) }
            // `/invoke` names a capability that another one before it may cover too: what is named counts
            // if it covers.
            if let named = resource.description.capability(invocation.capability),
                let used = CapabilityMatcher.use(
                    of: named, method: invocation.method, path: invocation.path, of: resource.description)
            {
                return (resource, used)
            }
            refusals.append(
                Refusal(
                    .capabilityUnknown,
                    [
                        Fact("capability named", invocation.capability),
                        Fact("capability matched", capability.name),
                    ]))
            return (resource, capability)
        }
    }

    private mutating func serve(
        _ inbound: InboundInvocation, _ resource: LocalResource, _ capability: Capability,
        under agreement: Digest, _ decided: [Fact], passed: BodySummary?, at now: Moment,
        into effects: inout Outbox<CallEffect>
    ) {
        let invocation = inbound.invocation
        let event = serviceEvent(inbound, attempt: invocation.attempt, agreement: agreement, decided)
        let durability: AuditDurability = capability.safety.isMutating ? .synced : .written
        let eventID: CorrelationID
        switch admit(consume event, settling: durability, at: now, into: &effects) {
        case .refused(let refusal):
            refuse(inbound, [refusal], attempt: invocation.attempt, at: now, into: &effects)
            return
        case .admitted(let id): eventID = id
        }
        noteUse(of: inbound.peer, at: now, into: &effects)
        count(agreement, with: inbound.peer, at: now, into: &effects)
        var key: IdempotencyBook.Key?
        if capability.safety.isMutating, let text = invocation.idempotencyKey {
            key = IdempotencyBook.Key(caller: inbound.peer, key: text)
        }
        guard begin(key, inbound, eventID, at: now, into: &effects) else { return }
        let left = Duration.milliseconds(Int64(invocation.remainingMilliseconds))
        let own =
            resource.timeoutInMilliseconds.map { Duration.milliseconds(max($0, 1)) } ?? Limits.callDeadlineMax
        let patience = min(left, own, Limits.callDeadlineMax)
        let partner = partner(inbound.peer)
        services[inbound.key] = OpenService(
            peer: inbound.peer, partner: partner, resource: resource.name,
            place: takePlace(at: resource.name, for: inbound.peer, now: now.instant),
            isRequestWhole: !invocation.body.isStreamed || passed != nil, agreement: agreement,
            event: eventID, began: now.instant, key: key,
            timeoutCode: own < left ? .resourceTimeout : .deadlineExceeded, scope: invocation.deadlineScope,
            patience: patience,
            keepFor: keepTime(of: resource, capability, invocation, agreement, at: now.wall),
            passed: passed)
        holdPlace(of: partner)
        alarms.set(.service(inbound.key), at: now.instant + patience)
        var served = forBackend(invocation, from: inbound.peer, under: agreement)
        served.capability = capability.name
        effects.post(.serve(.inbound(inbound.key), resource, served))
    }

    /// Begins the idempotency key of an admitted call: durable before the effect. False when the call must
    /// not run: it is settled and answered then.
    private mutating func begin(
        _ key: IdempotencyBook.Key?, _ inbound: InboundInvocation, _ event: CorrelationID, at now: Moment,
        into effects: inout Outbox<CallEffect>
    ) -> Bool {
        guard let key else { return true }
        let refusal: Refusal
        var effect = PossibleEffect.none
        switch keys.begin(key, request: inbound.invocation.identity, at: now) {
        case .fresh(let entry):
            effects.post(.remember(entry))
            return true
        case .ended(let end):
            let outcome = AuditOutcome(
                success: true, answerLength: Int64(end.body?.bytes.count ?? 0), status: end.status)
            tell(.callEnded(event, outcome), at: now, into: &effects)
            effects.post(.replay(inbound.key, end))
            return false
        case .unknownOutcome:
            refusal = Refusal(
                .outcomeUnknown, [Fact("idempotency key", "began before, and its end is not known")])
            effect = .possible
        case .otherRequest:
            refusal = Refusal(
                .requestMalformed, [Fact("idempotency key", "came before with another request")])
        case .full:
            refusal = Refusal(.limitReached, [Fact("idempotency keys", IdempotencyBook.keysPerCaller)])
        }
        tell(.callEnded(event, AuditOutcome(success: false, refusals: [refusal])), at: now, into: &effects)
        effects.post(.respond(inbound.key, .refused([refusal], effect: effect)))
        return false
    }

    private mutating func refuse(
        _ inbound: InboundInvocation, _ refusals: [Refusal], _ asked: [Fact] = [], attempt: UInt8,
        at now: Moment, into effects: inout Outbox<CallEffect>
    ) {
        let bounded = Self.bounded(refusals)
        var event = serviceEvent(inbound, attempt: attempt, agreement: inbound.invocation.agreement, asked)
        event.refusals = bounded
        tell(.refused(event), at: now, into: &effects)
        effects.post(.respond(inbound.key, .refused(bounded.map(\.forPartner), effect: .none)))
    }

    /// - Parameter decided: what was asked about it.
    func serviceEvent(
        _ inbound: InboundInvocation, attempt: UInt8, agreement: Digest?, _ decided: [Fact] = []
    ) -> AuditEvent {
        let invocation = inbound.invocation
        let named = invocation.agreement
        return AuditEvent(
            type: .service, correlation: invocation.correlation, source: inbound.peer, target: view.me,
            principal: invocation.principal, resource: invocation.resource, capability: invocation.capability,
            action: "invoke", success: false, agreement: agreement,
            requestDigest: inbound.body.auditedDigest, requestLength: inbound.body.length ?? 0,
            attempt: attempt, traceparent: invocation.traceparent,
            metadata: .joining(
                invocation.purpose.asFacts, view.houseFacts(agreement), Self.sealFacts(invocation.sealedTo),
                named == nil || named == agreement
                    ? [] : [Fact("agreement named by the caller", named?.description ?? "")],
                decided))
    }
}

extension RequestBody {
    /// For a fact.
    fileprivate var inWords: String {
        switch self {
        case .none: "none"
        case .whole(let length, let digest): "\(length) bytes, \(String("\(digest)".prefix(12)))"
        case .streamed(nil): "streamed"
        case .streamed(let length?): "\(length) bytes, streamed"
        }
    }
}
