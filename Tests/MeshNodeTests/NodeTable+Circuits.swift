import MeshBase
import MeshDiscovery
import MeshGossip
import MeshTrust

@testable import MeshNode

extension NodeTable {
    /// Every place carries for all who have links with it; what it may, desks decide.
    mutating func dial(_ connection: ConnectionID, _ dial: CircuitPlan.Dial, from place: Int) {
        guard let relay = places.firstIndex(where: { $0.id == dial.relay }),
            let other = places.firstIndex(where: { $0.id == dial.peer }), isLinked(place, relay),
            isLinked(relay, other), !isCut(place, relay), !isCut(relay, other)
        else { return schedule(.connectionClosed(connection), at: place, after: .milliseconds(2)) }
        let accepted = ConnectionID(places[other].accepted)
        places[other].accepted += 2
        places[place].ends[connection] = TableEnd(place: other, connection: accepted, relay: relay)
        places[other].ends[accepted] = TableEnd(place: place, connection: connection, relay: relay)
        for (id, role, at, from, delay) in [
            (accepted, HandshakeRole.responder, other, place, 2),
            (connection, .initiator, place, other, 4),
        ] {
            let secured = facts(role, .peering, at: at, from: from)
            schedule(
                .connectionSecured(id, secured, .relayed(by: dial.relay)), at: at,
                after: .milliseconds(delay))
        }
    }

    /// Whether nothing passes between a place and the end of one of its connections.
    func isCut(_ place: Int, to end: TableEnd) -> Bool {
        guard let relay = end.relay else { return isCut(place, end.place) }
        return isCut(place, relay) || isCut(relay, end.place)
    }
}
