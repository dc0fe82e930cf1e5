import MeshBase

/// Somebody who says that its operator waits for somebody to pair with. Nothing of it is proven: two people
/// will compare words.
public struct PairingSighting: Sendable, Equatable {
    /// The name that it gives.
    public let name: NodeName
    /// Where, best first; at most `Limits.endpointsPerPeer`.
    public let endpoints: [Endpoint]
}

extension Discovery {
    /// Who waits to be paired with, by name. One that is seen on several interfaces is one.
    public var pairingSightings: [PairingSighting] {
        struct Shown: Hashable, Comparable {
            let name: NodeName
            let tag: SightingTag?
            static func < (left: Self, right: Self) -> Bool {
                left.name == right.name
                    ? left.tag?.description ?? "" < right.tag?.description ?? "" : left.name < right.name
            }
        }
        var groups = OrderedTable<Shown, [SightingBook.Entry]>()
        for entry in book.all {
            guard let name = entry.sighting.pairing else { continue }
            var tag: SightingTag?
            if case .tag(let shown) = entry.sighting.claim { tag = shown }
            let shown = Shown(name: name, tag: tag)
            groups[shown] = (groups[shown] ?? []) + [entry]
        }
        return groups.map { shown, entries in
            let order = DialOrder.endpoints(proven: [], sightings: entries, failures: OrderedTable())
            return PairingSighting(
                name: shown.name, endpoints: Array(order.prefix(Limits.endpointsPerPeer)))
        }
    }
}
