import MeshBase

// Where strangers are: what is dialled while any are sought.
extension Discovery {
    /// Where strangers are, what an operator named first, none twice.
    func strangersSeen(at now: Instant) -> [Endpoint] {
        let entries = book.strangers.values
        guard !entries.isEmpty else { return [] }
        let vouched = entries.filter(\.sighting.key.witness.isVouched)
        let heard = entries.filter { !$0.sighting.key.witness.isVouched }
        let linked = linkedEndpoints()
        var seen = OrderedTable<Endpoint, Bool>()
        return (vouched + heard).flatMap(\.sighting.endpoints).filter { endpoint in
            guard seen[endpoint] == nil, linked[endpoint] == nil, own.lapse(of: endpoint, at: now) == nil
            else { return false }
            seen[endpoint] = true
            return true
        }
    }

    /// Where a peer with a link was met, or has said on this link that it listens: also behind a tag that
    /// nobody recognises, as of a clock that was wrong, and behind an address that names no node. One more
    /// connection to it would take the place of its link, and break off what is under way there. Who names
    /// others' places as its own keeps this node from dialling them, for as long as it has a link.
    private func linkedEndpoints() -> OrderedTable<Endpoint, Bool> {
        var linked = OrderedTable<Endpoint, Bool>()
        for (peer, candidate) in candidates {
            guard let since = candidate.plan.upSince else { continue }
            for met in proven.endpoints(of: peer) { linked[met.endpoint] = true }
            for (key, entry) in book.sightings(of: peer) where key.witness == .link && entry.lastSeen >= since
            {
                for endpoint in entry.sighting.endpoints { linked[endpoint] = true }
            }
        }
        return linked
    }
}
