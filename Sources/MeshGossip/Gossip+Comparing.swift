import MeshBase

// What two do who differ, or think that they may.
extension Gossip {
    private static var renewalListInterval: Duration { .seconds(30) }

    /// Where this side stands; of a domain with the first page of the others' places, unless that is not all
    /// of it and symbols find out what differs.
    /// - Parameter isPaged: with that page however much there is.
    mutating func sendList(
        to node: NodeID, in audience: Audience, isPaged: Bool = false, at now: Moment,
        into effects: inout Outbox<GossipEffect>
    ) {
        guard let registry = registries[audience], registry.present[node] != nil else { return }
        registries.update(audience) { $0.update(node) { $0.listSent = now.instant } }
        let tag = tag(of: audience, with: node)
        let isPaged = isPaged || !isLarge(audience, at: now.wall)
        let held = isPaged ? tag.map { _ in page(for: node, in: audience, at: now.wall) } : nil
        effects.post(.send(node, .list(registry.list(for: node, tag: tag, held: held))))
    }

    mutating func compare(
        _ summary: RegistrySummary, with node: NodeID, at now: Moment,
        into effects: inout Outbox<GossipEffect>
    ) {
        guard peers[node] != nil else { return }
        if isMisplaced(node, at: now.wall) { place(node, at: now, into: &effects) }
        let audiences = audiences(with: node, at: now.wall)
        keepHeldDigest(sharedWith: node, at: now.wall)
        guard summary != self.summary(with: node, at: now.wall) else {
            for audience in audiences {
                registries.update(audience) { $0.update(node) { $0.noteEquality() } }
            }
            return askForRenewals(of: node, at: now, into: &effects)
        }
        for audience in audiences {
            guard let correspondent = registries[audience]?.present[node],
                correspondent.mayList(at: now.instant, every: correspondent.listPause)
            else { continue }
            let isLarge = isLarge(audience, at: now.wall)
            if isLarge, waitsForSymbols(with: node) { continue }
            registries.update(audience) { $0.update(node) { $0.fruitless += 1 } }
            if isLarge {
                seekDifference(with: node, in: audience, at: now, into: &effects)
            } else {
                sendList(to: node, in: audience, at: now, into: &effects)
            }
        }
    }

    /// A renewal leaves the summaries equal: who lost one says so while there is a quarter of the time left.
    mutating func askForRenewals(
        of node: NodeID, at now: Moment, into effects: inout Outbox<GossipEffect>
    ) {
        for audience in audiences(with: node, at: now.wall)
        where registries[audience]?.present[node]?.theirs.lacksRenewal(at: now.wall) == true
            && mayList(to: node, in: audience, at: now, every: Self.renewalListInterval)
        {
            sendList(to: node, in: audience, at: now, into: &effects)
        }
        guard let domain = sharedDomain(with: node, at: now.wall),
            let correspondent = registries[domain]?.present[node],
            correspondent.renewalsAsked.map({ now.instant - $0 >= Self.renewalListInterval }) ?? true
        else { return }
        askForRenewalsOfOthers(of: node, in: domain, at: now, into: &effects)
    }

    private func mayList(
        to node: NodeID, in audience: Audience, at now: Moment, every interval: Duration
    ) -> Bool {
        registries[audience]?.present[node]?.mayList(at: now.instant, every: interval) ?? false
    }
}
