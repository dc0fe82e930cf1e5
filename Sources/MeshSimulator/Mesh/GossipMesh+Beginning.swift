import MeshBase
import MeshDiscovery
import MeshGossip
import MeshNode

// How it begins.
extension GossipMesh {
    static func offers(_ place: Int, version: Int) -> [ResourceDescription] {
        guard let name = ResourceName("orders-\(place)"), let list = ResourceName("list") else { return [] }
        let capability = Capability(
            name: list, methods: ["GET"], path: "/v\(version)/orders", safety: .safe)
        return [ResourceDescription(name: name, protocol: .http, capabilities: [capability], labels: [])]
    }

    /// What a member tells since some time within the last forty minutes, as it made it itself then.
    static func head(
        of key: SimulatedKey, _ place: Int, among keys: [SimulatedKey], _ domain: DomainID,
        _ generator: SeededGenerator, _ suite: Suite
    ) -> StoredHead {
        var generator = generator
        let age = generator.duration(from: .zero, through: .seconds(39 * 60))
        let then = Instant.zero + (Duration.seconds(7_200) - age)
        let moment = Moment(instant: then, wall: wall(then))
        let membership = Membership(
            domain: domain, roles: [.member], until: wall(.zero) + .seconds(7 * 86_400))
        var gossip = Gossip(
            me: key.node, ownKey: key.publicKey, heads: [], suite: suite, generator: generator)
        var outbox = Outbox<GossipEffect>()
        gossip.handle(.membershipChanged(key.node, membership), at: moment, into: &outbox)
        // As many as make a head live an hour.
        for other in keys.prefix(Limits.smallAudience + 2) where other != key {
            gossip.handle(
                .memberVouched(other.node, other.publicKey, membership), at: moment, into: &outbox)
        }
        gossip.handle(.domainOffersChanged(offers(place, version: 1)), at: moment, into: &outbox)
        var stored: StoredHead?
        for effect in outbox.drain() {
            if case .sign(let request) = effect {
                gossip.handle(.signed(request.ticket, key.sign(request)), at: moment, into: &outbox)
            }
        }
        for case .persist(.head(let head)) in outbox.drain() { stored = head }
        guard let stored else { preconditionFailure("a member alone makes no head") }
        return stored
    }

    mutating func begin(_ place: Int) {
        tell(place, .membershipChanged(members[place].key.node, membership))
        for other in members where other.key != members[place].key {
            tell(place, .memberVouched(other.key.node, other.key.publicKey, membership))
        }
        tell(place, .domainOffersChanged(Self.offers(place, version: 1)))
        for (other, member) in members.enumerated() where other != place && haveMet(place, other) {
            if sites == .two {
                tell(place, .peerTrusted(member.key.node, member.key.publicKey))
                tell(place, .membershipChanged(member.key.node, membership))
            }
            order(place, .peerTrusted(member.key.node))
            order(place, .membership(member.key.node, .shared))
        }
    }

    /// Whether two may be linked.
    func haveMet(_ one: Int, _ other: Int) -> Bool {
        sites == .one || (one - other).isMultiple(of: 2) || [min(one, other), max(one, other)] == bridge
    }

    /// The pair that has met across two sites: half the ring apart.
    var bridge: [Int] { [0, (members.count / 2) | 1] }
}
