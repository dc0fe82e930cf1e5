import MeshAudit
import MeshBase
import MeshControl
import MeshNode
import MeshTrust

// Peers.
extension ControlHandlers {
    /// Events of a peer's past that one report reads.
    private static var historyMax: Int { 200 }

    func listPeers() async -> PeersReport { PeersReport(peers: await plane.report { $0.peers }) }

    func showPeer(_ request: ShowPeer.Request) async throws(ControlFailure) -> PeerReport {
        var report = try await standing(of: try await peer(request.peer))
        guard let id = report.id else { return report }
        report.evidence = try await past(of: id, before: report.evidence.first?.time) + report.evidence
        report.flow = await flow(of: id)
        return report
    }

    func decidePeer(_ request: DecidePeer.Request) async throws(ControlFailure) -> PeerReport {
        let id = try await peer(request.peer)
        let before = try await standing(of: id)
        try await order(
            .decide(id, MeshTrust.PeerDecision(request.decision), note: "by this node's operator"))
        switch request.decision {
        case .forget: return before
        case .suspend, .revoke: return try await standing(of: id)
        // Of who was caught and never met, nothing may be left to tell.
        case .resume: return await plane.report { $0.peer(id) } ?? before
        }
    }

    /// How frames have left on the link with a peer; nil without one.
    private func flow(of id: NodeID) async -> FlowReport? {
        let link = await plane.report { $0.node.gossip.link(with: id) }
        guard let link, let flow = await calls.flow(of: link.connection) else { return nil }
        return FlowReport(
            streams: flow.streams, mostStreams: flow.mostStreams, framesSent: flow.framesSent,
            longestWaitFrames: flow.longestWait)
    }

    private func standing(of id: NodeID) async throws(ControlFailure) -> PeerReport {
        guard let report = await plane.report({ $0.peer(id) }) else {
            throw ControlFailure(Refusal(.peerNotFound, [Fact("node", id)]))
        }
        return report
    }

    /// Earlier states as the audit tells them, oldest first; the present one is the node's own to tell.
    private func past(of id: NodeID, before present: Timestamp?) async throws(ControlFailure)
        -> [EvidenceReport]
    {
        let query = AuditQuery(node: id, type: .trust, until: present?.time, limit: Self.historyMax)
        return try await trail.answers(query).reversed().map(\.event).filter { $0.action.hasPrefix("peer ") }
            .map { event in
                EvidenceReport(time: Timestamp(event.time), what: event.action, facts: event.metadata)
            }
    }
}

extension MeshTrust.PeerDecision {
    init(_ decision: MeshControl.PeerDecision) {
        switch decision {
        case .suspend: self = .suspend
        case .resume: self = .resume
        case .revoke: self = .revoke
        case .forget: self = .forget
        }
    }
}
