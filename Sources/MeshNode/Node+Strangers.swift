import MeshBase
import MeshDiscovery
import MeshTrust

// Whom this node does not know, and dials all the same: members of its domain, or who enrols it.
extension Node {
    mutating func dialStranger(_ endpoint: Endpoint, into effects: inout Outbox<NodeEffect>) {
        guard let intent = trust.intentTowardStrangers else { return }
        let connection = newConnection()
        connections[connection] = .seeking(endpoint, intent)
        effects.post(.dial(connection, endpoint, intent.token == nil ? .peering : .pairing))
    }

    /// Who was found, and where: it is dialled there from now on. A connection on `comity/1` becomes its link
    /// next; were it not known as a dial of this node, trust would begin with another one.
    mutating func prove(
        _ node: NodeID, on connection: ConnectionID, at now: Moment, into effects: inout Outbox<NodeEffect>
    ) {
        guard case .seeking(let endpoint, let intent)? = connections[connection] else { return }
        if intent.token == nil {
            let target = DialTarget(node: node, endpoint: endpoint)
            connections[connection] = .dialled(target)
            tell(.strangerFound(target), at: now, into: &effects)
        }
        let key = SightingKey(witness: .link, source: endpoint.description)
        let sighting = Sighting(key: key, endpoints: [endpoint], claim: .node(node), life: nil)
        tell(.sighted(sighting), at: now, into: &effects)
        remember(endpoint, of: node, into: &effects)
    }

    /// Answers a newcomer that only others can enrol.
    mutating func refer(
        _ connection: ConnectionID, to issuers: [NodeID], into effects: inout Outbox<NodeEffect>
    ) {
        let reached = issuers.compactMap { endpoints[$0]?.last }
        effects.post(.send(connection, .handshake(.referral(Referral(issuers: reached)))))
        effects.post(.close(connection, .issuerMissing))
    }
}

extension Sighting {
    /// A member said that issuers are there: a hint like any other.
    init(referredTo endpoints: [Endpoint]) {
        self.init(
            key: SightingKey(witness: .link, source: "referral"), endpoints: endpoints, claim: .nobody,
            life: .seconds(3600))
    }
}

extension StrangerSearch {
    init(_ whom: Seeking) {
        self =
            switch whom {
            case .nobody: .never
            case .members: .members
            case .issuer: .issuer
            }
    }
}
