import MeshAgreements
import MeshAudit
import MeshBase
import MeshNode
import MeshRouting
import MeshTrust

// What a desk answers from memory, held against what must hold as if it had asked.
extension World {
    /// Those of the records that tell of a call that was answered from memory.
    mutating func checkMemory(in records: [AuditRecord], of run: RunID) -> [AuditEvent] {
        var found: [AuditEvent] = []
        for case .event(let event) in records where event.type == .call && event.success {
            guard let kept = event.metadata.first(where: { $0.name == "kept since ms" }) else { continue }
            found.append(event)
            statistics.answeredFromMemory += 1
            checkMemory(event, age: Int64(kept.value) ?? .max, of: run)
        }
        return found
    }

    /// What a host keeps of an answer: for whom it was made, and by whom.
    func keptBody(of attempt: AttemptID, on connection: ConnectionID, _ run: RunID) -> Octets? {
        guard let principal = checks.calls.request(attempt.request, of: run)?.request.principal,
            let node = truth(behind: connection, of: run)
        else { return nil }
        let asker = tampering == .keptMixedUp ? (principal == Self.ann ? .local : Self.ann) : principal
        return Self.keptBody(for: asker, from: node)
    }

    private static func keptBody(for principal: Principal, from node: NodeID) -> Octets {
        Octets(Array("\(principal) \(node)".utf8))
    }

    /// Each is given what was made for it, by the provider that the event names.
    mutating func checkMemory(
        _ end: IdempotencyBook.End, given event: AuditEvent, to id: RequestID, of run: RunID
    ) {
        guard let request = checks.calls.request(id, of: run)?.request,
            end.body == Self.keptBody(for: request.principal, from: event.target)
        else {
            return breach(.memoryApart, "host \(run.host) gives request \(id.number) the answer of another")
        }
    }

    private mutating func checkMemory(_ event: AuditEvent, age: Int64, of run: RunID) {
        let (host, callee) = (run.host, event.target)
        // Half a minute it is fresh, and as long again it may be given where nobody can be asked.
        if age >= 60_000 || event.capability != .named("list") {
            breach(.agreementHonoured, "host \(host) gives what is \(age) ms old")
        }
        if let correlation = event.correlation { checkEngine(correlation, .consumer, of: run) }
        // In the turn that ends what permits it the store is a step behind.
        guard turn != run else { return }
        guard hosts[host].agent?.node.trust.pins.isTrusted(callee) == true else {
            return breach(.agreementHonoured, "host \(host) gives what \(callee.brief), not trusted, said")
        }
        guard let contentID = event.agreement, isInForce(contentID, toward: callee, at: host) else {
            return breach(.agreementHonoured, "host \(host) gives an answer under what is not in force")
        }
    }

    /// Whether the agreement of this content id lets `host` call `callee` now.
    private func isInForce(_ contentID: Digest, toward callee: NodeID, at host: Int) -> Bool {
        let (disk, me) = (hosts[host].disk, hosts[host].node)
        let wall = moment(of: host).wall + .seconds(5)
        if let record = disk.agreements[contentID] {
            guard case .active = record.state else { return false }
            return record.agreement.source == callee && record.agreement.target == me
                && wall <= record.agreement.validUntil
        }
        if let record = disk.domainAgreements[contentID] {
            return record.content.stage == .active && record.overruled.isEmpty
                && wall <= record.agreement.validUntil
        }
        return disk.houses.values.contains { house in
            house.agreement.contentID(using: suite) == contentID && wall <= house.body.until
                && sharedDomain(host, callee) == house.body.domain
        }
    }
}
