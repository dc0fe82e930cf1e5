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
        let identity = invocation.identity
        return rings.update(peer) { ring in
            if let seen = ring.seen[invocation.correlation] {
                guard seen.identity == identity, invocation.attempt > seen.attempt else { return false }
                ring.seen[invocation.correlation]?.attempt = invocation.attempt
                return true
            }
            ring.seen[invocation.correlation] = Seen(identity: identity, attempt: invocation.attempt)
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
