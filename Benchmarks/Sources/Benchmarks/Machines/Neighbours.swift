import MeshBase
import MeshDiscovery
import MeshGossip
import MeshSimulator

extension Sample {
    /// An announcement that is heard again, as mDNS repeats them, of one among many strangers.
    static func repeatedSighting(_ name: String, strangers: Int) -> Sample {
        Sample(name) {
            var neighbourhood = Neighbourhood(strangers: strangers)
            return { count in for turn in 0..<count { neighbourhood.hear(turn % strangers) } }
        }
    }

    /// Each is one never heard before; the book is full.
    static func freshSighting(_ name: String) -> Sample {
        Sample(name) {
            var neighbourhood = Neighbourhood(strangers: Limits.sightings)
            var next = Limits.sightings
            return { count in
                for _ in 0..<count {
                    neighbourhood.hear(next)
                    next += 1
                }
            }
        }
    }

    /// All links fall silent for their interval, are pinged, and answer.
    static func pingRound(_ name: String, peers: Int) -> Sample {
        Sample(name, portion: peers) {
            var links = LinkedPeers(peers)
            return { count in for _ in 0..<count { try links.round() } }
        }
    }
}

private struct Neighbourhood {
    private var discovery: Discovery
    private var now = Moment(
        instant: Instant(nanoseconds: 1), wall: WallTime(milliseconds: 1_800_000_000_000))
    private var outbox = Outbox<DiscoveryEffect>()

    init(strangers: Int) {
        discovery = Discovery(
            node: CallWorld.node(0), configuration: DiscoveryConfiguration(),
            generator: SeededGenerator(seed: 1))
        for number in 0..<strangers { hear(number) }
    }

    mutating func hear(_ number: Int) {
        now = Moment(instant: now.instant + .microseconds(1), wall: now.wall)
        let sighting = Sighting(
            key: SightingKey(witness: .mdns(interface: "eth0"), source: "comity-\(100_000 + number)"),
            endpoints: [Endpoint(host: "10.0.\(number >> 8 & 255).\(number & 255)", port: 7410)],
            claim: .nobody, life: .seconds(150))
        discovery.learnTags(at: now, using: SimulatedSuite())
        discovery.handle(.sighted(sighting), at: now, into: &outbox)
        keep(outbox.drain())
    }
}

private struct LinkedPeers {
    private var gossip: Gossip<SimulatedSuite>
    private var now = Moment(
        instant: Instant(nanoseconds: 1), wall: WallTime(milliseconds: 1_800_000_000_000))
    private var outbox = Outbox<GossipEffect>()
    private let peers: Int

    init(_ peers: Int) {
        self.peers = peers
        let own = SimulatedKey(0)
        gossip = Gossip(
            me: own.node, ownKey: own.publicKey, heads: [], suite: SimulatedSuite(),
            generator: SeededGenerator(seed: 1))
        for number in 1...peers {
            let key = SimulatedKey(UInt64(number))
            gossip.handle(.peerTrusted(key.node, key.publicKey), at: now, into: &outbox)
            let terms = LinkTerms(
                node: key.node, dialler: own.node, boot: BootID(number: 1, random: 1), skew: .zero,
                certificateExpires: now.wall + .seconds(86_400),
                remote: Endpoint(host: "10.0.0.1", port: 7410),
                distance: .local)
            gossip.handle(.linkAdmitted(ConnectionID(UInt64(number)), terms), at: now, into: &outbox)
        }
        keep(outbox.drain())
    }

    mutating func round() throws {
        now = Moment(instant: now.instant + .seconds(1), wall: now.wall)
        gossip.handle(.timeReached, at: now, into: &outbox)
        var pinged = 0
        for effect in outbox.drain() {
            guard case .ping(let connection, _) = effect else { continue }
            pinged += 1
            gossip.handle(.ponged(connection, roundTrip: .milliseconds(1)), at: now, into: &outbox)
        }
        keep(outbox.drain())
        try require(pinged == peers, "\(pinged) of \(peers) were pinged")
    }
}
