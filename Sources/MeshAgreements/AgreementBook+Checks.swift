import MeshBase

/// What a peer may make this node compute.
extension AgreementBook {
    /// Takes leave to check one signature of `peer` (protocol section 6). Beyond its share it is told
    /// nothing, for an answer would cost as much: what it says is said again when the link comes up.
    mutating func mayCheck(
        _ document: Signed<Agreement>, of peer: NodeID, as action: AgreementAction, _ contentID: Digest,
        at now: Instant, into effects: inout Outbox<AgreementEffect>
    ) -> Bool {
        guard !takesCheck(of: peer, at: now) else { return true }
        let perSecond = Limits.signatureChecksPerSecond
        let refusal = Refusal(.limitReached, [Fact("signature checks a second", perSecond)])
        effects.post(
            .record(
                AgreementNotice(
                    peer: peer, action: action, contentID: contentID, refusals: [refusal],
                    agreement: document.body)))
        return false
    }

    /// Takes one of the signatures of `peer` that may be checked now; false when there is none left.
    mutating func takesCheck(of peer: NodeID, at now: Instant) -> Bool {
        let perSecond = Limits.signatureChecksPerSecond
        return files.update(peer) { file in
            file.checks.take(of: perSecond, every: .seconds(1) / perSecond, at: now)
        } ?? true
    }
}
