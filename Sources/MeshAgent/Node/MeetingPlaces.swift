import MeshBase

/// Where trusted peers were met: addresses for which handshakes are kept free when strangers flood the port.
///
/// A few of each peer, the latest, so that one that comes from ever new addresses takes no other's place;
/// and of at most `Limits.peers` peers: beyond that the one that was met first yields.
struct MeetingPlaces: Equatable, Sendable {
    /// Addresses that are kept of one peer.
    static let ofPeer = 4

    private var places: [NodeID: [String]] = [:]
    /// The peers, the one that was met first in front.
    private var order: [NodeID] = []

    /// All of them.
    var all: Set<String> { Set(places.values.joined()) }

    /// Notes that a trusted `peer` was met at `host`; whether that changes anything.
    mutating func note(_ host: String, of peer: NodeID) -> Bool {
        var known = places[peer] ?? []
        if known.contains(host) { return false }
        if known.isEmpty {
            if order.count == Limits.peers { places[order.removeFirst()] = nil }
            order.append(peer)
        }
        known.append(host)
        places[peer] = known.suffix(Self.ofPeer)
        return true
    }
}
