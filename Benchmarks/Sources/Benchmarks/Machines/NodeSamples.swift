import MeshAgreements
import MeshBase
import MeshNode
import MeshSimulator
import MeshTrust

/// What the whole control plane does when one thing changes.
func nodeComparison() -> Comparison {
    Comparison(
        area: "machines", title: "a node makes a view of its peers, 4 agreements each, as they grow",
        baseline: .view("10 peers", peers: 10),
        others: [100, 1_000, 4_000].map { .view("\($0) peers", peers: $0) }
            + [.view("1000 peers, for each of them", peers: 1_000, portion: 1_000)])
}

extension Sample {
    fileprivate static func view(_ name: String, peers: Int, portion: Int = 1) -> Sample {
        Sample(name, portion: portion) {
            let wall = WallTime(milliseconds: 1_800_000_000_000)
            let now = Moment(instant: Instant(nanoseconds: 1), wall: wall)
            let side = HandshakeSide(simulated: 1, at: wall)
            var node = Node(
                me: side.identity, restored: RestoredNode(peers: peers, me: side.identity.node, at: wall),
                configuration: NodeConfiguration(), suite: SimulatedSuite(),
                generator: SeededGenerator(seed: 1))
            var effects = Outbox<NodeEffect>()
            node.start(at: now, into: &effects)
            let view = node.callView(at: now)
            try require(view.peers.count == peers && view.agreements.count == peers, "peers are missing")
            return { count in for _ in 0..<count { keep(node.callView(at: now)) } }
        }
    }
}

extension RestoredNode {
    /// As many trusted peers, each with agreements on two resources, both ways.
    fileprivate init(peers count: Int, me: NodeID, at wall: WallTime) {
        self.init()
        peers = (0..<count).map { PeerRecord(simulated: UInt64(100 + $0), at: wall) }
        resources = ["orders", "stock"].map { name in
            LocalResource(
                description: CallWorld.described(CallWorld.resource(name)), url: "http://127.0.0.1:9000",
                timeoutInMilliseconds: nil)
        }
        agreements = peers.enumerated().flatMap { number, peer in
            resources.enumerated().flatMap { index, resource in
                [(me, peer.node), (peer.node, me)].enumerated().map { way, parties in
                    AgreementRecord(
                        simulated: UInt64(number << 4 | index << 2 | way), of: resource.name, peer: peer.node,
                        provider: parties.0, consumer: parties.1, at: wall)
                }
            }
        }
    }
}

extension AgreementRecord {
    fileprivate init(
        simulated number: UInt64, of resource: ResourceName, peer: NodeID, provider: NodeID, consumer: NodeID,
        at wall: WallTime
    ) {
        var generator = SeededGenerator(seed: number)
        let agreement = Agreement(
            id: AgreementID(using: &generator), version: 1, source: provider, target: consumer,
            grants: [Grant(resource: resource, capabilities: nil)], validFrom: nil,
            validUntil: wall + .seconds(1_000_000), createdBy: provider, created: wall)
        let first = SimulatedKey(1).sign(agreement)
        let second = SimulatedKey(100 + number >> 4).sign(agreement)
        let document = Signed(
            body: agreement, payload: first.payload, signatures: first.signatures + second.signatures)
        self.init(
            contentID: document.contentID(using: SimulatedSuite()), peer: peer, document: document,
            state: .active(acceptance: .automatic), origin: .byOperator)
    }
}
