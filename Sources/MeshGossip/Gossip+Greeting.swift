import MeshBase

// What a link begins with.
extension Gossip {
    /// What two tell each other when their link comes up: where each stands with the other, and what they
    /// hold of others as far as it fits a list. More than that is mostly alike at both: a ping says whether
    /// it is.
    mutating func greet(
        _ node: NodeID, over connection: ConnectionID, at now: Moment,
        into effects: inout Outbox<GossipEffect>
    ) {
        keepHeldDigest(sharedWith: node, at: now.wall)
        for audience in audiences(with: node, at: now.wall) {
            greet(node, over: connection, in: audience, at: now, into: &effects)
        }
    }

    /// The same in one audience, which the two share from now on.
    mutating func greet(
        _ node: NodeID, over connection: ConnectionID, in audience: Audience, at now: Moment,
        into effects: inout Outbox<GossipEffect>
    ) {
        sendList(to: node, in: audience, at: now, into: &effects)
        guard isLarge(audience, at: now.wall) else { return }
        // As none that was sent: symbols may follow at once, and are not in vain.
        registries.update(audience) {
            $0.update(node) {
                $0.listSent = nil
                $0.fruitless = -1
            }
        }
        effects.post(.ping(connection, summary(with: node, at: now.wall)))
    }
}
