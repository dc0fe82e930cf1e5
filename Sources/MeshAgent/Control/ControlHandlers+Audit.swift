import MeshAudit
import MeshBase
import MeshControl
import MeshNode

// The trail.
extension ControlHandlers {
    func listAuditEvents(_ request: ListAuditEvents.Request) async throws(ControlFailure) -> AuditReport {
        guard (1...AuditQuery.limitMax).contains(request.limit) else {
            throw .usage(
                "a list has 1 to \(AuditQuery.limitMax) events", [Fact("limit", request.limit)])
        }
        let query = try await query(request.filter)
        let sieve = AuditSieve(code: request.filter.code, success: request.filter.success)
        let (entries, hasMore) = try await trail.newest(query, sieve: sieve, limit: request.limit)
        return await plane.report { writer in
            AuditReport(events: entries.map { writer.report(of: $0) }, hasMore: hasMore)
        }
    }

    private func query(_ filter: AuditFilter) async throws(ControlFailure) -> AuditQuery {
        var query = AuditQuery(
            correlation: filter.correlation, resource: filter.resource, from: filter.since?.time)
        if let text = filter.peer {
            // A peer that was forgotten has left its events behind.
            if let id = NodeID(text) { query.node = id } else { query.node = try await peer(text) }
        }
        if let text = filter.type {
            guard let type = AuditEventType(rawValue: text) else {
                let known = AuditEventType.allCases.map(\.rawValue).joined(separator: ", ")
                throw .usage(
                    "no event is of this type", [Fact("type", String(text.prefix(64))), Fact("types", known)])
            }
            query.type = type
        }
        if filter.success == false { query.outcomes = .failures }
        return query
    }

    func traceCall(_ request: TraceCall.Request) async throws(ControlFailure) -> TraceReport {
        let memory = try await memory(of: request.correlation, askPeers: request.askPeers)
        return await plane.report { $0.trace(memory) }
    }

    /// What this node holds of a call and, where asked, what the others that took part answer.
    func memory(of correlation: CorrelationID, askPeers: Bool) async throws(ControlFailure) -> CallMemory {
        let query = AuditQuery(correlation: correlation, limit: AuditQuery.limitMax)
        var memory = CallMemory(correlation: correlation, own: try await trail.answers(query))
        if !memory.own.isEmpty {
            guard askPeers else { return memory }
            let me = await plane.report { $0.me }
            memory.halves = await halves(of: correlation, at: memory.partners(of: me))
            return memory
        }
        // What its caller refused never came here: a peer may know of it. It tells only of what was for us.
        let peers = askPeers ? await plane.report { $0.linkedPeers(atMost: Self.askedOfUnknown) } : []
        let halves = await halves(of: correlation, at: peers)
        memory.halves = halves.filter { half in
            if case .told(let events) = half.answer { !events.isEmpty } else { false }
        }
        guard !memory.halves.isEmpty else {
            throw ControlFailure(
                Refusal(
                    .nothingFound,
                    [Fact("correlation id", correlation), Fact("peers asked", peers.count)]))
        }
        return memory
    }

    /// Peers that are asked about a call of which nothing is known here.
    private static var askedOfUnknown: Int { 16 }

    /// Asks all at once: each has its own time-out.
    private func halves(of correlation: CorrelationID, at nodes: [NodeID]) async -> [TraceHalf] {
        await withTaskGroup(of: TraceHalf.self) { tasks in
            for node in nodes {
                tasks.addTask { [plane] in
                    TraceHalf(
                        node: node, answer: Self.half(await plane.command(.trace(correlation, at: node))))
                }
            }
            var halves: [TraceHalf] = []
            for await half in tasks { halves.append(half) }
            return halves.sorted { $0.node < $1.node }
        }
    }

    private static var unheard: Refusal {
        Refusal(.peerUnreachable, [Fact("because", "it gave no answer")])
    }

    private static func half(_ answer: NodeAnswer) -> MeshAudit.TraceAnswer {
        switch answer {
        case .traced(let events): .told(events)
        case .refused(let reasons): .absent(reasons.first ?? unheard)
        case .done, .invited, .joined, .founded, .token, .bundle, .agreed, .domainAgreed, .vouched, .reached:
            .absent(unheard)
        }
    }
}
