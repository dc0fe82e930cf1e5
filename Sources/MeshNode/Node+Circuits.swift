import MeshAgreements
import MeshBase
import MeshDiscovery
import MeshGossip
import MeshTrust

// Links that another peer carries, where two cannot connect (decision 0043).
//
//     sought, not reached ──> CircuitPlan ──dialThrough──> the shell calls the relay's `relay`, whose node
//                                                          opens a stream to the peer: over both TLS and the
//                                                          handshake
//     secured, admitted, up: as any link ──> Discovery goes on dialling the peer itself; a link that nobody
//                                            carries takes the other's place, which drains
//
// What a relay could see is what the wire shows: two node IDs, when, how much. Who may carry, the agreement
// on `relay` says; that calls may be carried, their own agreements' hop limit.
extension Node {
    /// Dials through relays whom nobody reaches directly.
    mutating func dialThroughRelays(at now: Moment, into effects: inout Outbox<NodeEffect>) {
        guard circuits.nextDeadline.map({ $0 <= now.instant }) ?? false else { return }
        let there = relays(at: now.wall)
        for dial in circuits.due(at: now.instant, relays: { peer in there.filter { $0 != peer } }) {
            let connection = newConnection()
            connections[connection] = .carried(dial)
            effects.post(.dialThrough(connection, dial))
        }
    }

    /// A link came up otherwise: nobody need carry one.
    mutating func giveUpCarried(
        _ peer: NodeID, but connection: ConnectionID, into effects: inout Outbox<NodeEffect>
    ) {
        for case (let other, .carried(let dial)) in connections
        where dial.peer == peer && other != connection && gossip.node(on: other) == nil
            && !gossip.isDraining(other)
        {
            effects.post(.close(other, nil))
        }
    }

    /// Whose `relay` this node may use by what is agreed, and who is connected; the nearest first. Whether it
    /// may now, each call of it decides.
    private func relays(at wall: WallTime) -> [NodeID] {
        let own = agreements.membership(of: me.node)
        var found: [(roundTrip: Duration, node: NodeID)] = []
        for peer in trust.pins.peers.values where peer.state == .trusted {
            guard let link = gossip.link(with: peer.node), link.relay == nil else { continue }
            let isAgreed = agreements.terms(with: peer.node).names(.relay, of: peer.node)
            guard
                isAgreed
                    || domainAgreements.index.grants(
                        .relay, of: peer.node, agreements.membership(of: peer.node), to: me.node, own,
                        at: wall)
            else { continue }
            found.append((link.roundTrip ?? .seconds(1), peer.node))
        }
        return found.sorted { ($0.roundTrip, $0.node) < ($1.roundTrip, $1.node) }.map(\.node)
    }
}
