import MeshAgreements
import MeshBase
import MeshControl
import MeshNode
import MeshTrust

// Where this node and a peer believe different things about the two.
extension ReportWriter {
    func drift(with id: NodeID) -> DriftReport? {
        node.drift(with: id).map { drift in
            DriftReport(
                since: Timestamp(drift.since),
                differences: drift.differences.map {
                    DriftReport.Difference(about: $0.subject, here: $0.here, there: $0.there)
                })
        }
    }

    /// What a peer holds otherwise.
    var driftAttention: [AttentionReport] {
        node.trust.pins.peers.values.compactMap { peer in
            guard let drift = node.drift(with: peer.node), let first = drift.differences.first else {
                return nil
            }
            let more = drift.differences.count > 1 ? ", and \(drift.differences.count - 1) more" : ""
            return AttentionReport(
                what:
                    "this node and \(peer.name) believe different things since"
                    + " \(RFC3339.text(drift.since)): \(first.subject): here \(first.here), there"
                    + " \(first.there)\(more)",
                next: "comity explain peer \(peer.name)")
        }
    }

    /// The tree's branch; a link must be there to know.
    func driftBranch(_ id: NodeID, isTrusted: Bool) -> ExplainBranch {
        let question = "do both sides believe the same about the two?"
        guard isTrusted else {
            return ExplainBranch(
                side: nil, question: question, verdict: .notAsked,
                facts: [Fact("because", "only trusted peers are compared")])
        }
        guard let drift = node.drift(with: id) else {
            let isKnown = node.gossip.link(with: id) != nil
            return ExplainBranch(
                side: nil, question: question, verdict: isKnown ? .allowed : .unknown,
                facts: [Fact("because", isKnown ? "each ping compares it" : "it is compared over a link")])
        }
        let facts = drift.differences.flatMap {
            [Fact("about", $0.subject), Fact("here", $0.here), Fact("there", $0.there)]
        }
        return ExplainBranch(
            side: nil, question: question, verdict: .refused,
            facts: [Fact("since", RFC3339.text(drift.since))] + facts, next: repair(id))
    }

    /// The offerer's next version takes the place of whatever either holds: here where this node provides
    /// what is in question, else at the peer.
    private func repair(_ id: NodeID) -> String {
        let differing = node.drift(with: id)?.differences.compactMap(\.agreement) ?? []
        let own = node.agreements.records(with: id).last { record in
            record.agreement.source == me && differing.contains(record.agreement.id)
        }
        return own.map { "comity agreement renew \($0.contentID.description.prefix(12))" }
            ?? "comity agreement list"
    }
}
