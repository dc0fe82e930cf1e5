import MeshBase

/// What discovery knows of one peer, for people: who says so, since when, and how the dialling goes.
public struct PeerSightings: Sendable, Equatable {
    /// One witness's word.
    public struct Hint: Sendable, Equatable {
        /// Who says so, and what it calls it.
        public let key: SightingKey
        /// Where.
        public let endpoints: [Endpoint]
        /// How long ago it was said first.
        public let firstSeen: Duration
        /// How long ago it was said last.
        public let lastSeen: Duration
    }

    /// How the dialling of a peer goes.
    public enum Progress: Sendable, Equatable {
        /// Nobody dials it: it is a stranger, barred, or there is no endpoint.
        case resting
        /// The next dial begins in so long.
        case waiting(Duration)
        /// A dial of this endpoint is under way, the latest of those that race.
        case dialling(Endpoint)
        /// A link has been up for so long.
        case linked(Duration)
    }

    /// Who it is; nil for one that is only seen.
    public let node: NodeID?
    /// Who says so, by witness. Empty when only earlier proof speaks for it.
    public let hints: [Hint]
    /// Where to reach it, in the order in which it would be tried; at most `Limits.endpointsPerPeer`.
    public let endpoints: [Endpoint]
    /// How the dialling goes.
    public let progress: Progress
}

extension Discovery {
    /// All peers that are sought, linked or recognised, by node ID, and behind them the strangers: merged
    /// where they show the same tag or share an endpoint. Not where this very node was met.
    public func peers(at now: Instant) -> [PeerSightings] {
        candidates.keys.compactMap { peer($0, at: now) } + strangers(at: now)
    }

    /// What is known of one node; nil when it is neither sought, linked nor recognised.
    public func peer(_ node: NodeID, at now: Instant) -> PeerSightings? {
        guard let candidate = candidates[node] else { return nil }
        let order = dialOrder(of: node, failures: candidate.plan.failures)
        return PeerSightings(
            node: node, hints: book.sightings(of: node).values.map { hint($0, at: now) },
            endpoints: Array(order.prefix(Limits.endpointsPerPeer)),
            progress: progress(of: candidate.plan, at: now))
    }

    private func strangers(at now: Instant) -> [PeerSightings] {
        var groups: [[SightingBook.Entry]] = []
        var byTag = OrderedTable<SightingTag, Int>()
        var byEndpoint = OrderedTable<Endpoint, Int>()
        for entry in book.strangers.values {
            if entry.sighting.endpoints.allSatisfy({ own.lapse(of: $0, at: now) != nil }) { continue }
            var known = entry.sighting.endpoints.lazy.compactMap { byEndpoint[$0] }.first
            if case .tag(let tag) = entry.sighting.claim { known = byTag[tag] ?? known }
            let group = known ?? groups.count
            if group == groups.count { groups.append([]) }
            groups[group].append(entry)
            for endpoint in entry.sighting.endpoints { byEndpoint[endpoint] = group }
            if case .tag(let tag) = entry.sighting.claim { byTag[tag] = group }
        }
        return groups.map { group in
            let order = DialOrder.endpoints(proven: [], sightings: group, failures: OrderedTable())
            return PeerSightings(
                node: nil, hints: group.map { hint($0, at: now) },
                endpoints: Array(order.prefix(Limits.endpointsPerPeer)), progress: .resting)
        }
    }

    private func hint(_ entry: SightingBook.Entry, at now: Instant) -> PeerSightings.Hint {
        .init(
            key: entry.sighting.key, endpoints: entry.sighting.endpoints, firstSeen: now - entry.firstSeen,
            lastSeen: now - entry.lastSeen)
    }

    /// Where to try `peer`, best first; not yet cut to `Limits.endpointsPerPeer`.
    func dialOrder(of peer: NodeID, failures: OrderedTable<Endpoint, Int>) -> [Endpoint] {
        DialOrder.endpoints(
            proven: proven.endpoints(of: peer), sightings: book.sightings(of: peer).values, failures: failures
        )
    }

    private func progress(of plan: DialPlan, at now: Instant) -> PeerSightings.Progress {
        switch plan.phase {
        case .resting: .resting
        case .waiting(let until): .waiting(max(.zero, until - now))
        case .dialling(let dials, _): dials.last.map { .dialling($0.endpoint) } ?? .resting
        case .up(let since, _): .linked(now - since)
        }
    }
}
