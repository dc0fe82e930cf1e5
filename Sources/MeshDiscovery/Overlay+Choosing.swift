import MeshBase

// Whom gossip's links lead to.
extension Overlay {
    /// As many near ones are looked at on one side, for each that is to be there: beyond them gaps in the
    /// ring are left to those that were drawn.
    private static var nearLooks: Int { 4 }

    /// Chooses anew; answers who is chosen now and was not, or the other way about.
    mutating func choose(at now: Instant) -> [NodeID] {
        guard isSparse else {
            drawn = []
            sounded = nil
            alarms.cancel(.redraw)
            return mark(peers.keys)
        }
        if alarms[.redraw] == nil {
            // Anywhere within the time, so that not all nodes draw at once.
            let wait = generator.duration(from: .zero, through: configuration.redraw)
            alarms.set(.redraw, at: now + wait)
        }
        let members = peers.filter { $1.share == .shared }.map(\.0)
        var chosen: [NodeID]
        if members.count > configuration.gossipLinks {
            chosen = pick(configuration.gossipLinks, of: members)
        } else {
            let others = peers.filter { $1.share == .apart }.map(\.0)
            chosen = members + pick(configuration.gossipLinks - members.count, of: others)
        }
        let bridges = bridges.filter { peers[$0] != nil && !chosen.contains($0) }
        chosen += bridges.prefix(configuration.linksToAll)
        sound(besides: chosen, at: now)
        if let sounded { chosen.append(sounded) }
        chosen.sort()
        return mark(chosen)
    }

    /// - Parameter chosen: rising.
    private mutating func mark(_ chosen: [NodeID]) -> [NodeID] {
        var next = chosen[...]
        var moved: [NodeID] = []
        for (peer, known) in peers {
            let isChosen = next.first == peer
            if isChosen { next.removeFirst() }
            guard known.isChosen != isChosen else { continue }
            peers.update(peer) { $0.isChosen = isChosen }
            moved.append(peer)
        }
        return moved
    }

    /// The others are drawn anew, and who was away may be among them.
    mutating func redraw(at now: Instant) {
        alarms.set(.redraw, at: now + configuration.redraw)
        drawn = []
        drawnAt = now
        isReachAwaited = false
        for (peer, known) in peers where known.isAway && !known.isChosen {
            peers.update(peer) { $0.isAway = false }
        }
        alarms.set(.choice, at: now)
    }

    /// Who is sought because nothing comes of it: the same until it is there or away, then the one that was
    /// sought least in vain, and of these the one that has waited longest. After a link has come, nobody
    /// before gossip has said what it brought.
    private mutating func sound(besides chosen: [NodeID], at now: Instant) {
        let candidates = unheard.filter { peer in
            guard let known = peers[peer] else { return false }
            return known.line == nil && !known.isAway && !chosen.contains(peer)
        }
        if let sounded, candidates.contains(sounded) { return }
        sounded = nil
        guard !isReachAwaited else { return }
        let due = candidates.filter { peers[$0]?.isSoundable(at: now, drawn: drawnAt, configuration) == true }
        sounded = due.min { turn(of: $0) < turn(of: $1) }
        guard let sounded else { return }
        peers.update(sounded) { known in
            known.soundedAt = now
            known.soundings += 1
        }
    }

    private func turn(of peer: NodeID) -> (Int, Instant, NodeID) {
        (peers[peer]?.soundings ?? 0, peers[peer]?.soundedAt ?? .zero, peer)
    }

    /// - Parameter pool: rising.
    private mutating func pick(_ count: Int, of pool: [NodeID]) -> [NodeID] {
        let near = nearest(min(count, configuration.nearLinks), in: pool)
        let others = pool.filter { !near.contains($0) && peers[$0]?.isAway != true }
        let lots = max(count - configuration.nearLinks, 0)
        drawn = Array(drawn.filter { others.contains($0) }.prefix(lots))
        var urn = others.filter { !drawn.contains($0) }
        while drawn.count < lots, !urn.isEmpty {
            drawn.append(urn.remove(at: Int(generator.number(below: UInt64(urn.count)))))
        }
        return near + drawn
    }

    /// Half of `count` on either side of this node in the circle of node IDs, and those that were passed over
    /// because they are away: they are sought as long as they are near.
    private func nearest(_ count: Int, in pool: [NodeID]) -> [NodeID] {
        guard !pool.isEmpty else { return [] }
        let above = pool.firstIndex { $0 > node } ?? 0
        var found: [NodeID] = []
        for direction in [1, pool.count - 1] {
            var place = direction == 1 ? above : (above + pool.count - 1) % pool.count
            var there = 0
            let half = max((count + (direction == 1 ? 1 : 0)) / 2, 0)
            for _ in 0..<min(half * Self.nearLooks, pool.count) where there < half {
                let peer = pool[place]
                if !found.contains(peer) { found.append(peer) }
                if peers[peer]?.isAway != true { there += 1 }
                place = (place + direction) % pool.count
            }
        }
        return found
    }
}

extension Overlay.Peer {
    /// However often it was sounded in vain, it is again after this long.
    private static var soundingPauseMax: Duration { .seconds(6 * 3600) }

    /// Whether it may be sounded now: behind another draw, and after a pause that doubles.
    func isSoundable(at now: Instant, drawn: Instant, _ configuration: OverlayConfiguration) -> Bool {
        guard let soundedAt else { return true }
        let pause = min(configuration.redraw * (1 << min(max(soundings - 1, 0), 16)), Self.soundingPauseMax)
        // The first pause is until the next draw.
        return soundedAt < drawn && (soundings <= 1 || now >= soundedAt + pause)
    }
}
