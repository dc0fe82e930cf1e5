import MeshBase

extension AuditEvent {
    /// An event as a machine drafts it: the log gives it its id and its time.
    public init(
        type: AuditEventType, correlation: CorrelationID? = nil, source: NodeID, target: NodeID,
        principal: Principal? = nil, resource: ResourceName? = nil, capability: ResourceName? = nil,
        action: String,
        success: Bool, refusals: [Refusal] = [], agreement: Digest? = nil, requestDigest: Digest? = nil,
        requestLength: Int64 = 0, attempt: UInt8 = 0, traceparent: String? = nil, breaker: String? = nil,
        metadata: [Fact] = []
    ) {
        self.init(
            id: CorrelationID(high: 0, low: 0), time: WallTime(milliseconds: 0), type: type,
            correlation: correlation,
            source: source, target: target, principal: principal, resource: resource, capability: capability,
            action: action, success: success, refusals: refusals, agreement: agreement,
            requestDigest: requestDigest,
            requestLength: requestLength, attempt: attempt, traceparent: traceparent, breaker: breaker,
            metadata: metadata)
    }

    /// The whole event: what was admitted with how it ended. The settlement must name this event.
    public func settled(by settlement: AuditSettlement) -> AuditEvent {
        precondition(settlement.id == id, "the settlement of \(settlement.id) is not that of \(id)")
        var whole = self
        whole.success = settlement.success
        whole.refusals = settlement.refusals
        whole.durationInMilliseconds = settlement.durationInMilliseconds
        whole.answerDigest = settlement.answerDigest
        whole.answerLength = settlement.answerLength
        whole.status = settlement.status
        if let request = settlement.request {
            whole.requestLength = request.length
            whole.requestDigest = request.digest
        }
        return whole
    }

    /// The event that closes, at its originator, a call that ended with its process: in the words of its last
    /// attempt.
    init(closing attempt: AuditEvent, because reason: Refusal, at now: WallTime) {
        self.init(
            type: .call, correlation: attempt.correlation, source: attempt.source, target: attempt.target,
            principal: attempt.principal, resource: attempt.resource, capability: attempt.capability,
            action: attempt.action, success: false, refusals: [reason], agreement: attempt.agreement,
            requestDigest: attempt.requestDigest, requestLength: attempt.requestLength,
            traceparent: attempt.traceparent)
        durationInMilliseconds = max(0, (now - attempt.time).wholeMilliseconds)
    }

    /// How the name of the fact begins that says how a provider of a call was weighed.
    public static let candidate = "candidate "

    /// Whether `peer` may be given this event: only when it is one of its two sides.
    public func isVisible(to peer: NodeID) -> Bool { source == peer || target == peer }

    /// The event as the other side of it is given it. What this node weighed besides (other candidates, other
    /// attempts, why not them, how much it has to do for others) is about others, and stays here. A call that
    /// was weighed for one peer alone is told with what was compared in the agreements with it.
    public var half: AuditEvent {
        var half = self
        switch type {
        case .attempt, .service:
            half.metadata = []
            half.refusals = refusals.map(\.forPartner)
        case .call:
            let candidates = metadata.count { $0.name.hasPrefix(Self.candidate) }
            half.metadata = []
            half.refusals = refusals.map { refusal in
                let isOfBoth =
                    RefusalCode.ofAgreements.contains(refusal.code)
                    || RefusalCode.ofLimits.contains(refusal.code)
                return candidates == 1 && isOfBoth ? refusal : Refusal(refusal.code)
            }
        case .trust, .link, .agreement, .breaker, .administration, .node: break
        }
        return half
    }
}
