import MeshAgreements
import MeshAudit
import MeshBase

/// One invocation as the audit remembers it, with what the evaluator must know to decide it once more.
///
/// The event of a call on which the evaluator was asked tells what it was told besides the event's own
/// fields: the method, what repeating the capability does, and at the provider from where the call came and
/// which roles the caller's credential proved. What tells none of it (refusals that are summed up, events of
/// an older agent) cannot be decided again.
public struct PastCall: Equatable, Sendable {
    /// What the evaluator was asked then.
    public let question: PolicyQuestion
    /// Ties the two halves of the call together.
    public let correlation: CorrelationID
    /// Whether it was refused for what is agreed, on either side; permitted says nothing about its end.
    public let verdict: ReplayVerdict

    /// Whether it left its consumer: the other side knows of no other.
    public let hasLeft: Bool

    private enum Name {
        static let method = "method"
        static let safety = "capability is"
        static let purpose = "purpose"
        static let address = "caller's address"
        static let roles = "caller's roles"
    }

    /// Reads one attempt at a call between two nodes, as either of them saw it, or a call that no agreement
    /// let leave. Nil for all else.
    public init?(_ event: AuditEvent) {
        guard let correlation = event.correlation, let principal = event.principal,
            let resource = event.resource, let capability = event.capability, event.source != event.target,
            let method = event.fact(Name.method), let word = event.fact(Name.safety),
            let safety = Safety(rawValue: word)
        else { return nil }
        let side: PolicyQuestion.Side
        switch event.type {
        case .attempt, .call: side = .consumer
        case .service: side = .provider
        case .trust, .link, .agreement, .breaker, .administration, .node: return nil
        }
        let reason = event.refusals.first { PolicyEvaluator.refuses(with: $0.code) }
        // A call that left is told by its attempts; one that a breaker kept here was not decided.
        guard event.type != .call || reason != nil else { return nil }
        verdict = reason.map { .refused($0.code) } ?? .permitted
        self.correlation = correlation
        hasLeft = event.type != .call
        question = PolicyQuestion(
            side: side, caller: event.source, callee: event.target, resource: resource,
            capability: capability, safety: safety, method: method, principal: principal,
            purpose: event.fact(Name.purpose).flatMap { Purpose($0) },
            callerRoles: event.fact(Name.roles)?.split(separator: " ").compactMap { DomainRole($0) },
            callerAddress: event.fact(Name.address).flatMap { IPAddress($0) },
            // Under an agreement that wants it, it would have been.
            payload: .sealed, now: event.time)
    }

    /// What an event says of a question that the evaluator was asked about it.
    static func facts(method: String, _ safety: Safety, _ caller: Caller? = nil) -> [Fact] {
        var facts = [Fact(Name.method, method), Fact(Name.safety, safety.rawValue)]
        if let address = caller?.address { facts.append(Fact(Name.address, address)) }
        if let roles = caller?.roles, !roles.isEmpty {
            facts.append(Fact(Name.roles, roles.map(\.description).joined(separator: " ")))
        }
        return facts
    }

    /// What the provider alone knows of a caller.
    struct Caller {
        /// From where its link comes.
        let address: String?
        /// What its credential proved.
        let roles: [DomainRole]?
    }
}

extension AuditEvent {
    fileprivate func fact(_ name: String) -> String? { metadata.first { $0.name == name }?.value }
}
