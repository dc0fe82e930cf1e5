import MeshAudit
import MeshBase
import MeshRouting

/// A served call, from the resource's answer or failure to its end.
extension CallDesk {
    /// The resource's answer has begun.
    mutating func serviceAnswered(
        _ key: InboundKey, status: UInt16, headers: [HeaderField], at now: Moment,
        into effects: inout Outbox<CallEffect>
    ) {
        guard var service = services[key], service.status == nil else { return }
        var passing = HeaderFilter.passing(answer: headers, opening: status == WebSocketUpgrade.status)
        if let time = service.keepFor { Self.sayKeep(time, status, headers, in: &passing) }
        service.status = status
        givePlaceBack(&service, .answered, at: now.instant)
        if service.key != nil { service.headers = HeaderFilter.passing(headers) }
        if service.scope == .answerHead {
            alarms.set(.service(key), at: now.instant + Limits.streamIdle)
        }
        services[key] = service
        effects.post(.respond(key, .answered(status: status, headers: passing)))
    }

    /// The resource's answer is complete: the key's end, then the settlement, then the last frame.
    mutating func serviceEnded(
        _ key: InboundKey, _ body: BodySummary, kept: Octets?, at now: Moment,
        into effects: inout Outbox<CallEffect>
    ) {
        guard let service = services[key], let status = service.status else { return }
        if let idempotencyKey = service.key {
            let isKept = (kept?.bytes.count ?? .max) <= IdempotencyBook.bodyMax
            let end = IdempotencyBook.End(status: status, headers: service.headers, body: isKept ? kept : nil)
            if let entry = keys.end(idempotencyKey, end) { effects.post(.remember(entry)) }
        }
        let outcome = AuditOutcome(
            success: true, answerDigest: body.digest, answerLength: body.length, status: status,
            request: service.passed)
        close(key, service, outcome, at: now, into: &effects)
        effects.post(.finishResponse(key))
    }

    /// The resource failed, before its answer or within it.
    mutating func serviceFailed(
        _ key: InboundKey, _ refusals: [Refusal], _ effect: PossibleEffect, at now: Moment,
        into effects: inout Outbox<CallEffect>
    ) {
        guard let service = services[key] else { return }
        if effect == .none, service.status == nil, let idempotencyKey = service.key,
            let entry = keys.withdraw(idempotencyKey)
        {
            effects.post(.remember(entry))
        }
        let outcome = AuditOutcome(
            success: false, refusals: refusals, status: service.status, request: service.passed)
        close(key, service, outcome, at: now, into: &effects)
        effects.post(
            service.status == nil ? .respond(key, .refused(refusals, effect: effect)) : .breakOffResponse(key)
        )
    }

    /// The time that the resource gets, or that was left of the call's, is over.
    mutating func serviceTimedOut(_ key: InboundKey, at now: Moment, into effects: inout Outbox<CallEffect>) {
        guard let service = services[key] else { return }
        effects.post(.stop(.inbound(key)))
        let waited = Fact("after ms", (now.instant - service.began).wholeMilliseconds)
        serviceFailed(key, [Refusal(service.timeoutCode, [waited])], .possible, at: now, into: &effects)
    }

    /// Bytes of a served call moved: where only the wait for its answer is bounded, the wait begins anew.
    mutating func serviceMoved(_ key: InboundKey, at now: Moment) {
        guard let service = services[key], service.scope == .answerHead else { return }
        let isOwnTime = service.status == nil && service.timeoutCode == .resourceTimeout
        let patience = isOwnTime ? service.patience : Limits.streamIdle
        alarms.set(.service(key), at: now.instant + patience)
    }

    /// The peer went away: nobody is answered, the audit is.
    mutating func abandon(_ key: InboundKey, at now: Moment, into effects: inout Outbox<CallEffect>) {
        guard let service = services[key] else { return }
        effects.post(.stop(.inbound(key)))
        let refusal = Refusal(.cancelled, [Fact("because", "the peer waits no more")])
        let outcome = AuditOutcome(
            success: false, refusals: [refusal], status: service.status, request: service.passed)
        close(key, service, outcome, at: now, into: &effects)
    }

    private mutating func close(
        _ key: InboundKey, _ service: OpenService, _ outcome: AuditOutcome, at now: Moment,
        into effects: inout Outbox<CallEffect>
    ) {
        services[key] = nil
        var service = service
        givePlaceBack(&service, .unanswered, at: now.instant)
        alarms.cancel(.service(key))
        releasePlace(of: service.partner)
        tell(.callEnded(service.event, outcome), at: now, into: &effects)
    }

    /// The resource has it in hand no more: its answer has begun, or it is over.
    private mutating func givePlaceBack(
        _ service: inout OpenService, _ end: ServiceLoad.End, at now: Instant
    ) {
        guard let place = service.place else { return }
        service.place = nil
        settle(place, at: service.resource, service.isRequestWhole ? end : .unmeasured, now: now)
    }

    /// One call of this partner more is under way, or waits for the external policy.
    mutating func holdPlace(of partner: Digest) {
        if servicesOfPartner.update(partner, { $0 += 1 }) == nil { servicesOfPartner[partner] = 1 }
    }

    /// One call of this partner less is under way, or waits for the external policy.
    mutating func releasePlace(of partner: Digest) {
        servicesOfPartner.update(partner) { $0 -= 1 }
        if servicesOfPartner[partner] == 0 { servicesOfPartner.remove(partner) }
    }

    /// The invocation as a resource gets it: the caller's headers that may pass, and who calls, which only
    /// this node says.
    mutating func forBackend(_ invocation: Invocation, from caller: NodeID, under agreement: Digest? = nil)
        -> Invocation
    {
        var served = invocation
        served.agreement = agreement
        var headers = HeaderFilter.passing(invocation.headers)
        headers.reserveCapacity(headers.count + 7)
        headers.append(HeaderField("comity-caller", text(of: caller)))
        headers.append(HeaderField("comity-caller-name", view.label(caller)))
        headers.append(HeaderField("comity-principal", invocation.principal.description))
        if let purpose = invocation.purpose {
            headers.append(HeaderField("comity-purpose", purpose.description))
        }
        headers.append(HeaderField("comity-correlation-id", invocation.correlation.description))
        if let agreement { headers.append(HeaderField("comity-agreement", text(of: agreement))) }
        if let trace = invocation.traceparent, trace.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) {
            headers.append(HeaderField("traceparent", trace))
        }
        served.headers = headers
        return served
    }

    /// A node ID takes longer to write than everything else that is decided about a call, so each is written
    /// once.
    private mutating func text(of node: NodeID) -> String {
        if let text = nodeTexts[node] { return text }
        let text = node.description
        nodeTexts[node] = text
        return text
    }

    /// As long a text, and the same for each call under an agreement: of those that are in use until the next
    /// view, `agreementTextsMost` are kept.
    private mutating func text(of agreement: Digest) -> String {
        if let text = agreementTexts[agreement] { return text }
        let text = agreement.description
        if agreementTexts.count < Self.agreementTextsMost { agreementTexts[agreement] = text }
        return text
    }

    private static let agreementTextsMost = 256
}
