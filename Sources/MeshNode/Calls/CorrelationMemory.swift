import MeshBase
import MeshRouting

/// Which correlation ids a peer has used of late, and for what: an id comes again only for the same request
/// with a higher attempt (protocol section 8). Each peer has its own bounded ring, so that none can make
/// another's be forgotten.
struct CorrelationMemory: Sendable, Equatable {
    /// Ids of one peer.
    static let idsPerPeer = 4_096

    private struct Seen: Sendable, Equatable {
        let identity: RequestIdentity
        var attempt: UInt8
    }

    private struct Ring: Sendable, Equatable {
        var seen: [CorrelationID: Seen] = [:]
        var order: [CorrelationID] = []
        var next = 0
    }

    private var rings = OrderedTable<NodeID, Ring>()

    /// Takes one use of an id; false when it was used before for something else, or for this very attempt
    /// or a later one.
    mutating func take(_ invocation: Invocation, from peer: NodeID) -> Bool {
        if rings[peer] == nil { rings[peer] = Ring() }
        let seen = Seen(identity: invocation.identity, attempt: invocation.attempt)
        return rings.update(peer) { ring in
            let before = ring.seen.updateValue(seen, forKey: invocation.correlation)
            if let before {
                guard before.identity == seen.identity, seen.attempt > before.attempt else {
                    ring.seen[invocation.correlation] = before
                    return false
                }
                return true
            }
            if ring.order.count < Self.idsPerPeer {
                ring.order.append(invocation.correlation)
            } else {
                ring.seen[ring.order[ring.next]] = nil
                ring.order[ring.next] = invocation.correlation
                ring.next = (ring.next + 1) % Self.idsPerPeer
            }
            return true
        } ?? false
    }

    /// Forgets the ids of peers that `isKnown` denies.
    mutating func forget(unless isKnown: (NodeID) -> Bool) { rings.removeAll { peer, _ in !isKnown(peer) } }
}
