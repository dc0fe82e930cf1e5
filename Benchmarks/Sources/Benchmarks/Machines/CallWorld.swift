import MeshAgreements
import MeshBase
import MeshNode
import MeshRouting

/// What a desk decides by, of a given size: every peer is trusted and linked, and stands in agreements with this
/// node about the same resources both ways. A call is about the last of them.
struct CallWorld {
    let peers: Int
    /// How many each pair agreed on, each way: half as many as agreements between the two.
    let resources: Int
    /// Over how many names the agreements are spread; nil: each has one of its own. Where they share one, each
    /// ends an hour after the one before it, so that at `lastTime` only the last holds.
    var named: Int?
    /// What every agreement allows at most.
    var limits = UsageLimits.none

    let me = CallWorld.node(0)
    let capability = CallWorld.resource("list")
    /// One that exists and nobody agreed on.
    let foreignResource = CallWorld.resource("foreign")
    let start = Moment(
        instant: Instant(nanoseconds: 1_000_000_000), wall: WallTime(milliseconds: 1_800_000_000_000))

    /// The last of the resources under agreement.
    var lastResource: ResourceName { name(of: resources - 1) }

    /// When only the last of the agreements that share a name holds.
    var lastTime: WallTime { start.wall + .seconds(Int64(resources - 1) * 3_600 + 1_800) }

    /// May this node call `resource` of the first peer?
    func question(on resource: ResourceName, at wall: WallTime) -> PolicyQuestion {
        PolicyQuestion(
            side: .consumer, caller: me, callee: peer(0), resource: resource, capability: capability,
            safety: .safe, method: "GET", principal: .local, now: wall)
    }

    private func name(of index: Int) -> ResourceName { Self.name(index % (named ?? resources)) }

    /// A peer, from 0.
    func peer(_ number: Int) -> NodeID { Self.node(number + 1) }

    /// The name of a peer.
    func peerName(_ number: Int) -> NodeName { Self.checked(NodeName("peer-\(number)")) }

    /// A desk that decides by this, with room for its records.
    func desk() -> CallDesk {
        var desk = CallDesk(view: view, generator: SeededGenerator(seed: 1))
        var effects = Outbox<CallEffect>()
        desk.handle(.roomMeasured(bytes: 1 << 40), at: start, into: &effects)
        return desk
    }

    var view: CallView {
        var known = OrderedTable<NodeID, CallPeer>()
        var agreements = OrderedTable<NodeID, AgreementIndex>()
        var descriptions = OrderedTable<NodeID, OrderedTable<ResourceName, ResourceDescription>>()
        var own = OrderedTable<ResourceName, OfferedResource>()
        var offered = OrderedTable<ResourceName, ResourceDescription>()
        let everybody = (0..<peers).map(peer)
        for number in 0..<resources {
            let description = Self.described(Self.name(number))
            offered[description.name] = description
            own[description.name] = OfferedResource(
                resource: LocalResource(
                    description: description, url: "http://127.0.0.1:9000", timeoutInMilliseconds: nil),
                offeredTo: everybody)
        }
        for number in 0..<peers {
            known[peer(number)] = CallPeer(name: peerName(number), trust: .trusted, link: .up)
            agreements[peer(number)] = AgreementIndex(terms(with: number))
            descriptions[peer(number)] = offered
        }
        return CallView(
            me: me, name: Self.checked(NodeName("me")), peers: known, agreements: agreements, resources: own,
            descriptions: descriptions, routes: OrderedTable())
    }

    /// How many agreements this node has.
    var agreements: Int { peers * resources * 2 }

    /// What stands between this node and a peer: for each resource one agreement a direction.
    func terms(with number: Int) -> [AgreementTerms] {
        (0..<resources).flatMap { index in
            [(me, peer(number)), (peer(number), me)].map { provider, consumer in
                agreement(on: name(of: index), index, provider, consumer, salt: provider == me ? 1 : 2)
            }
        }
    }

    private func agreement(
        on resource: ResourceName, _ index: Int, _ provider: NodeID, _ consumer: NodeID, salt: UInt64
    ) -> AgreementTerms {
        var generator = SeededGenerator(seed: UInt64(index) << 2 | salt)
        let agreement = Agreement(
            id: AgreementID(using: &generator), version: 1, source: provider, target: consumer,
            grants: [Grant(resource: resource, capabilities: nil)], limits: limits, validFrom: nil,
            validUntil: start.wall + .seconds(named == nil ? 30 * 24 * 3_600 : Int64(index + 1) * 3_600),
            createdBy: provider, created: start.wall)
        let id = Self.checked(Digest(generator.bytes(32)))
        return AgreementTerms(contentID: id, agreement: agreement, standing: .active)
    }

    static func described(_ name: ResourceName) -> ResourceDescription {
        ResourceDescription(
            name: name, protocol: .http,
            capabilities: [
                Capability(name: resource("list"), methods: ["GET"], path: "/list", safety: .safe),
                Capability(name: resource("put"), methods: ["PUT"], path: "/item", safety: .idempotent),
                Capability(name: resource("buy"), methods: ["POST"], path: "/buy", safety: .unsafe),
            ], labels: [])
    }

    static func node(_ number: Int) -> NodeID {
        var generator = SeededGenerator(seed: UInt64(number))
        return NodeID(checked(Digest(generator.bytes(32))))
    }

    static func resource(_ text: String) -> ResourceName { checked(ResourceName(text)) }
    private static func name(_ number: Int) -> ResourceName { resource("orders-\(1_000 + number)") }

    private static func checked<Value>(_ value: Value?) -> Value {
        guard let value else { preconditionFailure("a \(Value.self) of this file is none") }
        return value
    }
}
