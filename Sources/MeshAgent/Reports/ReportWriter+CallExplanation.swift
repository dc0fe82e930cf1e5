import MeshAudit
import MeshBase
import MeshControl
import MeshNode

// Why a call ended as it did: for each attempt what the consumer decided, what the provider decided, what the
// resource did.
extension ReportWriter {
    /// - Returns: nil when neither this node nor who was asked holds anything of the call.
    func explanation(_ memory: CallMemory) -> ExplainReport? {
        let joined = JoinedTrace(
            correlation: memory.correlation, node: me, own: memory.ended, halves: memory.halves)
        let closing = joined.closing
        let own = memory.own.map(\.event).min { ($0.time, $0.id) < ($1.time, $1.id) }
        let told = closing ?? joined.parts.first.flatMap { $0.consumer ?? $0.provider }
        guard let first = own ?? told else { return nil }
        var branches = joined.parts.flatMap { part in
            part.source == part.target ? [local(part)] : remote(part, memory)
        }
        if let closing { branches.append(end(of: closing, attempts: joined.parts.count)) }
        let last = closing ?? joined.parts.last.flatMap { $0.provider ?? $0.consumer }
        return ExplainReport(
            subject: subject(closing ?? first), correlation: memory.correlation,
            verdict: last.map(verdict(of:)) ?? .unknown, branches: branches)
    }

    private func subject(_ event: AuditEvent) -> String {
        // A name that nobody has is no node: the event stands under this one.
        let nobody = event.refusals.first { $0.code == .peerNotFound }?.facts.first { $0.name == "name" }
        let target = nobody?.value ?? title(event.target)
        let parts = [target, event.resource?.description, event.capability?.description]
        let path = parts.compactMap { $0 }.joined(separator: "/")
        let caller = event.source == me ? "" : " of \(title(event.source))"
        let principal = event.principal.map { " as \($0)" } ?? ""
        return "call\(caller) \(path)\(principal) at \(RFC3339.text(event.time))"
    }

    private func verdict(of event: AuditEvent) -> ExplainVerdict {
        if event.success { return .allowed }
        return event.refusals.contains { $0.code == .outcomeUnknown } ? .unknown : .refused
    }

    // MARK: Branches

    /// How the call ended here; where nothing left, that is all there is.
    private func end(of closing: AuditEvent, attempts: Int) -> ExplainBranch {
        let side = side(closing.source)
        guard attempts > 0 else {
            return branch(
                side, "may the call leave \(name(closing.source))?", verdict(of: closing), closing.refusals,
                closing.metadata, for: closing)
        }
        let facts =
            [Fact("attempts", attempts), Fact("took", "\(closing.durationInMilliseconds) ms")]
            + (closing.status.map { [Fact("status", Int($0))] } ?? [])
        return branch(
            side, "how did the call end?", verdict(of: closing), closing.refusals, facts, for: closing)
    }

    /// A node that asks its own resource decides once.
    private func local(_ part: TracePart) -> ExplainBranch {
        guard let event = part.consumer ?? part.provider else {
            preconditionFailure("an attempt that nobody told of is joined: \(part)")
        }
        return branch(
            side(part.target), "attempt \(part.attempt): did \(resource(of: event)) answer?",
            verdict(of: event),
            event.refusals, outcome(of: event), for: event)
    }

    private func remote(_ part: TracePart, _ memory: CallMemory) -> [ExplainBranch] {
        [leaving(part, memory)] + arriving(part, memory)
    }

    /// What the consumer decided: an attempt is written only when it may leave.
    private func leaving(_ part: TracePart, _ memory: CallMemory) -> ExplainBranch {
        let question = "attempt \(part.attempt): may \(name(part.source)) ask \(name(part.target))?"
        guard let event = part.consumer else {
            return ExplainBranch(
                side: side(part.source), question: question, verdict: .unknown,
                facts: missing(part.source, memory))
        }
        return ExplainBranch(
            side: side(part.source), question: question, verdict: .allowed,
            facts: grounds(of: event) + event.metadata)
    }

    /// What the provider decided, and what its resource did.
    private func arriving(_ part: TracePart, _ memory: CallMemory) -> [ExplainBranch] {
        let side = side(part.target)
        let admission = "attempt \(part.attempt): does \(name(part.target)) let \(name(part.source)) in?"
        guard let event = part.provider else {
            return unheard(part, admission, memory)
        }
        guard isAdmitted(event) else {
            return [branch(side, admission, .refused, event.refusals, grounds(of: event), for: event)]
        }
        let answer = branch(
            side, "attempt \(part.attempt): did \(resource(of: event)) answer?", verdict(of: event),
            event.refusals,
            outcome(of: event), for: event)
        return [
            ExplainBranch(side: side, question: admission, verdict: .allowed, facts: grounds(of: event)),
            answer,
        ]
    }

    /// The provider's half is missing: what is known is what the consumer heard.
    private func unheard(_ part: TracePart, _ admission: String, _ memory: CallMemory) -> [ExplainBranch] {
        let unknown = ExplainBranch(
            side: side(part.target), question: admission, verdict: .unknown,
            facts: missing(part.target, memory))
        guard let event = part.consumer else { return [unknown] }
        let heard = branch(
            side(part.source), "attempt \(part.attempt): what did \(name(part.source)) hear of it?",
            verdict(of: event),
            event.refusals, outcome(of: event), for: event)
        return [unknown, heard]
    }

    /// Whether the provider let the call in: only then the resource, or the time, can have failed it.
    private func isAdmitted(_ event: AuditEvent) -> Bool {
        if event.success || event.status != nil { return true }
        switch event.refusals.first?.code {
        case .resourceUnreachable?, .resourceTimeout?, .resourceMisbehaved?, .deadlineExceeded?, .cancelled?:
            return true
        // Cut while it was under way, or not let in.
        case .agreementEnded?:
            return event.refusals.first?.facts.contains { $0.name == CallDesk.callsUnderWay } == true
        case .some: return false
        // Refused without a reason does not happen; a crash before the end leaves none.
        case nil: return true
        }
    }

    // MARK: Words

    private func branch(
        _ side: NodeReference?, _ question: String, _ verdict: ExplainVerdict, _ reasons: [Refusal],
        _ facts: [Fact],
        for event: AuditEvent
    ) -> ExplainBranch {
        let decider = side?.id ?? me
        let advice = advice(reasons, decidedBy: decider, event)
        return ExplainBranch(
            side: side, question: question, verdict: verdict, reasons: reasons, facts: facts + advice.facts,
            next: advice.command)
    }

    /// The next command, and where to give it when that is not here.
    private func advice(
        _ reasons: [Refusal], decidedBy decider: NodeID, _ event: AuditEvent
    ) -> (command: String?, facts: [Fact]) {
        for code in reasons.map(\.code) {
            let place = CodeBook.isForProvider(code) ? event.target : decider
            let other = place == event.source ? event.target : event.source
            let terms = Remedy.Terms(
                peer: title(other), resource: event.resource?.description,
                agreement: event.agreement.map { String($0.description.prefix(12)) },
                correlation: event.correlation?.description)
            guard let command = Remedy.command(after: code, terms) else { continue }
            return (command, place == me ? [] : [Fact("to be given at", title(place))])
        }
        return (nil, [])
    }

    private func missing(_ node: NodeID, _ memory: CallMemory) -> [Fact] {
        if let reason = memory.absence(of: node) {
            return [Fact("its half is missing", reason.code.rawValue)] + reason.facts
        }
        if node == me || memory.hasTold(node) { return [Fact("its half", "it has no event of this attempt")] }
        return [Fact("its half is missing", "it was not asked")]
    }

    private func grounds(of event: AuditEvent) -> [Fact] {
        (event.agreement.map { [Fact("agreement", $0)] } ?? [])
            + (event.breaker.map { [Fact("breaker", $0)] } ?? [])
    }

    private func outcome(of event: AuditEvent) -> [Fact] {
        (event.status.map { [Fact("status", Int($0))] } ?? [])
            + [
                Fact("took", "\(event.durationInMilliseconds) ms"),
                Fact("answer in bytes", event.answerLength),
            ]
    }

    private func resource(of event: AuditEvent) -> String { event.resource?.description ?? "the resource" }
    private func side(_ node: NodeID) -> NodeReference? { node == me ? nil : reference(node) }
    private func name(_ node: NodeID) -> String { node == me ? "this node" : title(node) }
}
