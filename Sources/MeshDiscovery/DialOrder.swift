import MeshBase

/// In which order the endpoints of one peer are tried: where it was proven to be, latest first; then what
/// witnesses say, each witness in turn, so that a talkative one cannot crowd out the rest; of one witness
/// what failed least, and among those the families of addresses in turn, so that one that does not work costs
/// one try (RFC 8305 section 4), of each family what is freshest, then in the sighting's own order.
enum DialOrder {
    private struct Hint {
        let endpoint: Endpoint
        let failureCount: Int
        let seen: Instant
        /// Where it stands in its sighting, whose witness may know why.
        let position: Int
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
            let new = entry.sighting.endpoints.enumerated().map { position, endpoint in
                Hint(
                    endpoint: endpoint, failureCount: failures[endpoint] ?? 0, seen: entry.lastSeen,
                    position: position)
            }
            hints[entry.sighting.key.witness] = (hints[entry.sighting.key.witness] ?? []) + new
        }
        let queues = hints.values.map { alternating($0.sorted(by: isBetter)) }
        for turn in 0..<(queues.map(\.count).max() ?? 0) {
            let heads = queues.filter { turn < $0.count }.map { $0[turn] }.sorted(by: isBetter)
            for head in heads where !order.contains(head.endpoint) { order.append(head.endpoint) }
        }
        return order
    }

    /// The families in turn, among what failed equally often; the best one's family begins.
    private static func alternating(_ sorted: [Hint]) -> [Hint] {
        var rest = sorted[...]
        var order: [Hint] = []
        while let best = rest.first {
            let equals = rest.prefix { $0.failureCount == best.failureCount }
            rest = rest.dropFirst(equals.count)
            let same = equals.filter { $0.endpoint.isIPv6 == best.endpoint.isIPv6 }
            let other = equals.filter { $0.endpoint.isIPv6 != best.endpoint.isIPv6 }
            for turn in 0..<max(same.count, other.count) {
                if turn < same.count { order.append(same[turn]) }
                if turn < other.count { order.append(other[turn]) }
            }
        }
        return order
    }

    private static func isBetter(_ left: Hint, _ right: Hint) -> Bool {
        if left.failureCount != right.failureCount { return left.failureCount < right.failureCount }
        if left.seen != right.seen { return left.seen > right.seen }
        if left.position != right.position { return left.position < right.position }
        return left.endpoint < right.endpoint
    }
}
