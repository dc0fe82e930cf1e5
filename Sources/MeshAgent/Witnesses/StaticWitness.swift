import MeshBase
import MeshControl
import MeshDiscovery

/// The operator's list, in the configuration and in the file that it names. It says all once: an address
/// stays there until somebody changes the list.
struct StaticWitness: WitnessShell {
    let method = Witness.staticList.method
    private let peers: [AgentConfiguration.StaticPeer]

    init(_ peers: [AgentConfiguration.StaticPeer]) { self.peers = peers }

    func run(_ desk: WitnessDesk) async {
        desk.stand(.working, "\(peers.count) \(peers.count == 1 ? "address" : "addresses")")
        for peer in peers {
            let key = SightingKey(witness: .staticList, source: peer.description)
            let claim: Sighting.Claim = peer.node.map { .node($0) } ?? .nobody
            desk.sight(Sighting(key: key, endpoints: [peer.endpoint], claim: claim, life: nil), .owed)
        }
        await untilCancelled()
    }
}
