import MeshBase

/// In which order the endpoints of one peer are tried: where it was proven to be, latest first; then what
/// witnesses say, each witness in turn, so that a talkative one cannot crowd out the rest, and of one witness
/// what failed least, then what is freshest.
enum DialOrder {
    private struct Hint {
        let endpoint: Endpoint
        let failureCount: Int
        let seen: Instant
    }

    /// All there are, none twice.
    static func endpoints(
        proven: [ProvenEndpoint], sightings: some Sequence<SightingBook.Entry>,
        failures: OrderedTable<Endpoint, Int>
    ) -> [Endpoint] {
        var order: [Endpoint] = []
        for endpoint in proven.map(\.endpoint) where !order.contains(endpoint) { order.append(endpoint) }
        var hints = OrderedTable<Witness, [Hint]>()
        for entry in sightings {
            let new = entry.sighting.endpoints.map {
                Hint(endpoint: $0, failureCount: failures[$0] ?? 0, seen: entry.lastSeen)
            }
            hints[entry.sighting.key.witness] = (hints[entry.sighting.key.witness] ?? []) + new
        }
        let queues = hints.values.map { $0.sorted(by: isBetter) }
        for turn in 0..<(queues.map(\.count).max() ?? 0) {
            let heads = queues.filter { turn < $0.count }.map { $0[turn] }.sorted(by: isBetter)
            for head in heads where !order.contains(head.endpoint) { order.append(head.endpoint) }
        }
        return order
    }

    private static func isBetter(_ left: Hint, _ right: Hint) -> Bool {
        if left.failureCount != right.failureCount { return left.failureCount < right.failureCount }
        return left.seen == right.seen ? left.endpoint < right.endpoint : left.seen > right.seen
    }
}
