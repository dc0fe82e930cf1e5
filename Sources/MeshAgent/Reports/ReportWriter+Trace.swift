import MeshAudit
import MeshBase
import MeshControl
import MeshNode

/// What this node and others know of one call.
struct CallMemory: Sendable {
    /// The call.
    let correlation: CorrelationID
    /// This node's own events under it.
    var own: [AuditEntry]
    /// What the others answered; who was not asked is not here.
    var halves: [TraceHalf] = []

    /// This node's whole events.
    var ended: [AuditEvent] { own.filter { $0.stage == .ended }.map(\.event) }

    /// The other nodes that took part, as far as this one knows.
    func partners(of me: NodeID) -> [NodeID] {
        var nodes = OrderedTable<NodeID, Bool>()
        for event in own.map(\.event) {
            for node in [event.source, event.target] where node != me { nodes[node] = true }
        }
        return nodes.keys
    }

    /// Why there is nothing of `node`; nil when it answered, or was not asked.
    func absence(of node: NodeID) -> Refusal? {
        halves.lazy.compactMap { half in
            guard half.node == node, case .absent(let reason) = half.answer else { return nil }
            return reason
        }.first
    }

    /// Whether `node` said what it holds.
    func hasTold(_ node: NodeID) -> Bool {
        halves.contains { half in
            guard half.node == node, case .told = half.answer else { return false }
            return true
        }
    }
}

// One call as all sides remember it.
extension ReportWriter {
    func trace(_ memory: CallMemory) -> TraceReport {
        let joined = JoinedTrace(
            correlation: memory.correlation, node: me, own: memory.ended, halves: memory.halves)
        let sides =
            [MeshControl.TraceSide(node: reference(me), isHere: true, missing: nil)]
            + memory.halves.map { half in
                MeshControl.TraceSide(
                    node: reference(half.node), isHere: false, missing: memory.absence(of: half.node))
            }
        let events =
            memory.own.map { TraceEvent(side: reference(me), event: report(of: $0)) } + told(by: joined)
        return TraceReport(
            correlation: memory.correlation, sides: sides,
            events: events.sorted { ($0.event.time, $0.event.id) < ($1.event.time, $1.event.id) },
            disagreements: joined.parts.flatMap { disagreements(about: $0, memory) })
    }

    /// The others' events that are theirs to tell: what they could not know is not believed, and not shown.
    private func told(by joined: JoinedTrace) -> [TraceEvent] {
        var events: [AuditEvent] = []
        if let closing = joined.closing, closing.source != me { events.append(closing) }
        for part in joined.parts {
            if part.source != me, let consumer = part.consumer { events.append(consumer) }
            if part.target != me, let provider = part.provider { events.append(provider) }
        }
        return events.map { event in
            TraceEvent(
                side: reference(event.type == .service ? event.target : event.source),
                event: report(of: event))
        }
    }

    private func disagreements(about part: TracePart, _ memory: CallMemory) -> [MeshControl.TraceDisagreement]
    {
        // A node asks itself without a second record.
        guard part.source != part.target else { return [] }
        switch part.verdict {
        case .agreed: return []
        case .disagreed(let found):
            return found.map { difference in
                MeshControl.TraceDisagreement(
                    attempt: Int(part.attempt), what: difference.field,
                    values: [
                        Fact(title(part.source), difference.consumer),
                        Fact(title(part.target), difference.provider),
                    ])
            }
        case .missing(let side, let node):
            guard isContradiction(side, part), node == me ? !isUnderWay(part, memory) : memory.hasTold(node)
            else { return [] }
            let other = node == part.source ? part.target : part.source
            return [
                MeshControl.TraceDisagreement(
                    attempt: Int(part.attempt), what: "event missing",
                    values: [Fact(title(other), "has an event"), Fact(title(node), "has none")])
            ]
        }
    }

    /// A consumer may well have failed before anything arrived; an answer without a provider's event cannot
    /// be.
    private func isContradiction(_ missing: MeshAudit.TraceSide, _ part: TracePart) -> Bool {
        switch missing {
        case .consumer: true
        case .provider: part.consumer?.status != nil
        }
    }

    private func isUnderWay(_ part: TracePart, _ memory: CallMemory) -> Bool {
        memory.own.contains { entry in
            entry.stage == .underWay && entry.event.source == part.source && entry.event.target == part.target
                && entry.event.attempt == part.attempt
        }
    }
}
