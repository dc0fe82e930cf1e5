import MeshBase

// Two heads of one owner for one place, both signed: they convict it wherever they meet, and travel on as
// they are, so that those who saw only one of them need nobody's word.
extension Gossip {
    /// Somebody shows that an owner said two things.
    mutating func receive(
        _ shown: Contradiction, from node: NodeID, at now: Moment, into effects: inout Outbox<GossipEffect>
    ) {
        let audience = shown.one.body.audience
        guard peers[node] != nil, shown.owner != me, audience == sharedDomain(with: node, at: now.wall),
            let key = registries[audience]?.present[shown.owner]?.theirs.key
        else { return }
        let pin = suite.pin(of: key)
        let heads = [shown.one, shown.other]
        guard
            heads.allSatisfy({ head in
                head.payload.bytes.count <= Head.payloadMax && head.signatures.contains { $0.signer == pin }
            }),
            mayCheck(2, of: node, at: now, into: &effects)
        else { return }
        guard shown.isOne, heads.allSatisfy({ $0.isSigned(by: key, using: suite) }) else {
            let refusal = Refusal(
                .documentInvalid, [Fact("head", "shown as one of two that contradict each other")])
            return convict(node, refusal, into: &effects)
        }
        convict(shown, shownBy: node, at: now, into: &effects)
    }

    /// Tells the others in the audience, who brought one of the two heads among them, and ends what rests on
    /// the owner's word.
    /// - Parameter teller: who showed both; nil: they met here.
    mutating func convict(
        _ shown: Contradiction, shownBy teller: NodeID?, at now: Moment,
        into effects: inout Outbox<GossipEffect>
    ) {
        let audience = shown.one.body.audience
        if case .domain = audience {
            for node in linked(in: audience, at: now.wall) where node != teller && node != shown.owner {
                effects.post(.send(node, .contradiction(shown)))
            }
        }
        effects.post(.contradicted(shown.owner, evidence: shown.evidence(using: suite)))
    }
}
