import MeshBase

// What a link begins with.
extension Gossip {
    /// What two tell each other when their link comes up: where each stands with the other, and what they
    /// hold of others as far as it fits one page. More than that is mostly alike at both: a ping says whether
    /// it is.
    mutating func greet(
        _ node: NodeID, over connection: ConnectionID, at now: Moment,
        into effects: inout Outbox<GossipEffect>
    ) {
        for audience in audiences(with: node, at: now.wall) {
            guard let registry = registries[audience], registry.present[node] != nil,
                let tag = tag(of: audience, with: node),
                page(for: node, in: audience, at: now.wall).span?.through != nil
            else {
                sendList(to: node, in: audience, at: now, into: &effects)
                continue
            }
            // As none that was sent: the whole may follow at once, and is not in vain.
            registries.update(audience) { $0.update(node) { $0.fruitless = -1 } }
            effects.post(.send(node, .list(registry.list(for: node, tag: tag, held: nil))))
            keepHeldDigest(sharedWith: node, at: now.wall)
            effects.post(.ping(connection, summary(with: node, at: now.wall)))
        }
    }
}
