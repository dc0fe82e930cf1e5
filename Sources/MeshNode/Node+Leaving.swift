import MeshBase
import MeshGossip
import MeshTrust

// A node that leaves in order.
extension Node {
    /// Tells whoever has a link; the agent ends the links when it ends. For good, trust here ends with every
    /// peer that is not revoked; who has no link now hears nothing.
    mutating func leave(
        _ until: Return, _ ticket: Ticket, at now: Moment, into effects: inout Outbox<NodeEffect>
    ) {
        let peers = trust.pins.peers.values.filter { $0.state != .revoked }
        let told = peers.filter { gossip.link(with: $0.node) != nil }
        for peer in told { send(.goodbye(Goodbye(until: until)), to: peer.node, into: &effects) }
        let facts = [
            Fact("until", until.rawValue), Fact("peers told", told.count),
            Fact("peers not reached", peers.count - told.count),
        ]
        record(words.administration("left the mesh", facts), at: now, into: &effects)
        if until == .never {
            for peer in peers {
                tell(
                    .decided(newTicket(), peer.node, .forget, note: "this node left for good"), at: now,
                    into: &effects)
            }
        }
        effects.post(.answer(ticket, .done))
    }
}
