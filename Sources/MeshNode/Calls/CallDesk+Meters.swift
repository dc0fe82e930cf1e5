import MeshAgreements
import MeshAudit
import MeshBase

/// What calls use of their agreements' limits.
extension CallDesk {
    /// Counts a call that the evaluator let pass and the audit admitted. What follows it in this turn waits
    /// for the store where the meter says so.
    mutating func count(
        _ contentID: Digest, with peer: NodeID, at now: Moment, into effects: inout Outbox<CallEffect>
    ) {
        guard
            let agreement = view.agreements[peer]?.counted(contentID)
                ?? view.domainAgreements.counted(contentID)
        else { return }
        let receipt = meters.take(agreement, at: now)
        if let reservation = receipt.reservation { effects.post(.reserve(reservation)) }
        for alert in receipt.alerts {
            tell(.happened(event(of: alert, agreement, contentID, with: peer)), at: now, into: &effects)
        }
    }

    /// Lets go what is counted of agreements that the node has forgotten, once that is as much as the rest.
    mutating func forgetMeters() {
        let indices = view.agreements.values + [view.domainAgreements]
        guard meters.count > 2 * indices.reduce(0, { $0 + $1.terms.count }) + 16 else { return }
        meters.forget(allBut: indices.lazy.flatMap(\.terms).map(\.agreement))
    }

    private func event(
        of alert: QuotaAlert, _ agreement: Agreement, _ contentID: Digest, with peer: NodeID
    ) -> AuditEvent {
        let reading = alert.reading
        return AuditEvent(
            type: .agreement, source: view.me, target: peer, action: "agreement quota at \(alert.percent) %",
            success: true, agreement: contentID,
            metadata: [
                Fact("agreement", agreement.id), Fact("version", agreement.version),
                Fact(reading.period.rawValue, reading.window), Fact("used", reading.used),
                Fact("quota agreed", "\(reading.quota) calls in a \(reading.period.rawValue) of UTC"),
                Fact("counts anew at", RFC3339.text(reading.ends)),
            ])
    }
}
