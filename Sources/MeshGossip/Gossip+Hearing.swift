import MeshBase

// Who is unheard, and who is a bridge: see `GossipReach`.
extension Gossip {
    private static var hearingCheck: Duration { .seconds(60) }
    /// Of fewer members that were not met, most may have come over one link by chance.
    private static var unmetLeast: Int { 16 }

    /// Looks at it from now on, while there is anybody in the domain.
    mutating func watchHearing(at now: Instant) {
        if deadlines[.hearing] == nil { deadlines.set(.hearing, at: now + Self.hearingCheck) }
    }

    /// Says who is unheard and who is a bridge, if that has changed.
    mutating func checkHearing(at now: Moment, into effects: inout Outbox<GossipEffect>) {
        var next = GossipReach()
        if let domain = memberships[me]?.domain, registries[.domain(domain)]?.present.isEmpty == false {
            watchHearing(at: now.instant)
            next.unheard = unheard(in: .domain(domain), at: now)
            next.bridges = bridges(in: .domain(domain), at: now)
        }
        guard next != reach else { return }
        reach = next
        effects.post(.reach(next))
    }

    private mutating func unheard(in audience: Audience, at now: Moment) -> [NodeID] {
        let isListening = links.links.contains { peer, link in
            now.instant - link.since >= Correspondent.patience
                && registries[audience]?.present[peer] != nil
        }
        var unheard: [NodeID] = []
        for (owner, correspondent) in registries[audience]?.present.map({ $0 }) ?? []
        where peers[owner] != nil {
            let isSilent =
                isListening && links.links[owner] == nil && correspondent.theirs.isOverdue(at: now.wall)
            let since = isSilent ? correspondent.silentSince ?? now.instant : nil
            registries.update(audience) { $0.update(owner) { $0.silentSince = since } }
            if let since, now.instant - since >= Correspondent.patience { unheard.append(owner) }
        }
        return unheard
    }

    private mutating func bridges(in audience: Audience, at now: Moment) -> [NodeID] {
        var unmet = 0
        var brought = OrderedTable<NodeID, Int>()
        for (owner, correspondent) in registries[audience]?.present.map({ $0 }) ?? []
        where peers[owner] == nil && correspondent.theirs.isCurrent(at: now.wall) {
            unmet += 1
            if let bringer = correspondent.theirs.bringer { brought[bringer] = (brought[bringer] ?? 0) + 1 }
        }
        var found: [NodeID] = []
        for peer in registries[audience]?.present.keys ?? [] where peers[peer] != nil {
            let isBridge = registries.update(audience) { registry in
                registry.update(peer) { $0.isBridge(bringing: brought[peer] ?? 0, at: now.instant) } ?? false
            }
            let isMost = unmet >= Self.unmetLeast && 2 * (brought[peer] ?? 0) > unmet
            if isBridge == true || isMost { found.append(peer) }
        }
        return found
    }
}

extension PeerRecords {
    /// Whether its renewal should long have come: the copy is in the last quarter of its life, or there is
    /// none.
    func isOverdue(at wall: WallTime) -> Bool { newest == nil || lacksRenewal(at: wall) }
}

extension Correspondent {
    /// How long what is new in a domain takes to reach everybody, by far.
    static var patience: Duration { .seconds(60) }
    private static var bridgeLife: Duration { .seconds(24 * 3600) }

    /// Another head is its newest now, and came from `bringer`; nil: from itself.
    mutating func took(from bringer: NodeID?, at now: Moment) {
        theirs.bringer = bringer
        // Who was away signs when it returns; what was signed long ago everybody else should have brought.
        guard bringer == nil, let silentSince, now.instant - silentSince >= Self.patience,
            let issued = theirs.newest?.body.issued, issued + Self.patience <= now.wall
        else { return }
        bridgeUntil = now.instant + Self.bridgeLife
    }

    /// Whether it is a bridge still: as long again when its time is over and it is who brought the newest
    /// heads of some whom this node has not met.
    mutating func isBridge(bringing unmet: Int, at now: Instant) -> Bool {
        guard let until = bridgeUntil else { return false }
        if now >= until { bridgeUntil = unmet > 0 ? now + Self.bridgeLife : nil }
        return bridgeUntil != nil
    }
}
