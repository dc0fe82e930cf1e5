import MeshBase
import MeshGossip
import MeshTrust

// Heads of others in the domain, and what proves them: gossip knows the heads, trust the proofs.
extension Node {
    /// Passes heads on, each with the proof of its owner where the receiver lacks it.
    func relay(_ heads: [RelayedHead], to node: NodeID, into effects: inout Outbox<NodeEffect>) {
        var passed: [Relay.Passed] = []
        var room = Relay.bytesMax
        for head in heads {
            let proof = head.isProved ? nil : trust.proof(of: head.push.head.body.owner)
            // Gossip serves nobody whom trust does not prove.
            guard head.isProved || proof != nil else { continue }
            let next = Relay.Passed(push: head.push, proof: proof)
            let bytes = suite.encoded(next).count + 1
            guard bytes <= Relay.bytesMax else { continue }
            if bytes > room, !passed.isEmpty {
                send(.relay(Relay(heads: passed)), to: node, into: &effects)
                passed = []
                room = Relay.bytesMax
            }
            passed.append(next)
            room -= bytes
        }
        if !passed.isEmpty { send(.relay(Relay(heads: passed)), to: node, into: &effects) }
    }

    /// A peer passes heads on: first what proves an owner, then what it signed.
    mutating func receive(
        _ relay: Relay, from node: NodeID, at now: Moment, into effects: inout Outbox<NodeEffect>
    ) {
        for (index, passed) in relay.heads.enumerated() {
            if let proof = passed.proof {
                tell(TrustInput.memberProved(proof, by: node), at: now, into: &effects)
            }
            let isLast = index == relay.heads.count - 1
            tell(GossipInput.relayed(passed.push, by: node, isLast: isLast), at: now, into: &effects)
        }
    }
}
