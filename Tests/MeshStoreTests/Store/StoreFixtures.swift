import MeshBase

@testable import MeshStore

func node(_ number: UInt8) -> NodeID { NodeID(Digest([UInt8](repeating: number, count: 32))!) }
func pin(_ number: UInt8) -> Pin { Pin(digest(number)) }
func digest(_ number: UInt8) -> Digest { Digest([UInt8](repeating: number, count: 32))! }
func wall(_ seconds: Int64) -> WallTime { WallTime(milliseconds: 1_700_000_000_000 + seconds * 1_000) }

func peer(_ number: UInt8, name: String? = nil) -> PeerRow {
    PeerRow(
        node: node(number), name: name.flatMap { NodeName($0) }, state: "trusted", identityKey: [1, 2, 3],
        pin: pin(number), inception: [4, 5], boot: BootID(number: 1 << 52, random: .max),
        trustedSince: wall(1),
        evidence: #"{"how":"invite"}"#, updated: wall(2))
}

let orders = ResourceName("orders")!
let ordersResource = LocalResource(
    description: ResourceDescription(
        name: orders, protocol: .http,
        capabilities: [
            Capability(name: ResourceName("list")!, methods: ["GET"], path: "/list", safety: .safe)
        ],
        labels: [ResourceLabel(key: ResourceName("team")!, value: "blue / grün")]),
    url: "http://127.0.0.1:9000/a", timeoutInMilliseconds: 250)

/// One row of every kind.
let oneOfEach: [StoreChange] = [
    .putSetting(SettingRow(key: "boot", value: "17")),
    .putPeer(peer(1, name: "one")),
    .putEndpoint(
        PeerEndpointRow(
            node: node(1), endpoint: Endpoint(host: "fe80::1%eth0", port: 7410), witness: "mdns",
            lastSuccess: wall(3))),
    .putKey(PinnedKeyRow(pin: pin(1), node: node(1), state: .pinned)),
    .putInvite(
        InviteRow(
            id: [1, 2], secret: [UInt8](repeating: 9, count: 16), expires: wall(60), usedBy: pin(2),
            wrongProofs: 2,
            asksFirst: true, created: wall(0))),
    .putResource(
        ResourceRow(name: orders, resource: ordersResource, offeredTo: ["domain", node(1).description])),
    .putRoute(
        RouteRow(
            resource: orders, via: [.init(node: node(2), weight: 3), .init(node: node(1))],
            choice: RouteRow.Choice(
                preferences: [
                    LabelPreference(
                        label: ResourceLabel(key: ResourceName("region")!, value: "grün"),
                        factor: WeightFactor("1/4")!)
                ], preferred: node(2), order: .spread, hedge: .percentile(95)))),
    .putAgreement(
        AgreementRow(
            contentID: digest(4), agreement: "a-1", version: 2, peer: node(1), role: "provider",
            state: "active",
            document: [7, 0, 7], approvals: [8, 0, 8], validUntil: wall(100), updated: wall(5))),
    .putDomainAgreement(
        DomainAgreementRow(contentID: digest(9), agreement: "a-2", document: [7, 0, 8], updated: wall(5))),
    .putPerson(
        PersonRow(name: NodeName("ann")!, document: [5, 0, 5], ended: wall(7), updated: wall(6))),
    .putHouse(
        HouseRow(
            domain: DomainID(digest(5)), version: 3, anchor: [1, 2, 3], document: [9, 0, 9],
            updated: wall(6))),
    .putPaper(
        PaperRow(kind: .bundle, domain: DomainID(digest(5)), document: [6, 0, 6], updated: wall(6))),
    .putConviction(ConvictionRow(node: node(3), evidence: "two heads", since: wall(8))),
    .putHead(
        HeadRow(
            owner: node(1), audience: "pair", epoch: 1, sequence: 1 << 51, root: digest(6),
            document: [8, 8])),
    .putRecord(RecordRow(owner: node(1), audience: "pair", key: "orders", body: [])),
    .putIdempotency(
        IdempotencyRow(
            caller: node(1), key: "k", requestDigest: digest(8), state: .started, outcome: nil,
            expires: wall(50))),
]
