import MeshAgreements
import MeshAudit
import MeshBase
import MeshRouting

@testable import MeshNode

let wallStart: Int64 = 1_800_000_000_000

func moment(_ milliseconds: Int64) -> Moment {
    Moment(
        instant: Instant(nanoseconds: 1_000_000_000 + milliseconds * 1_000_000),
        wall: WallTime(milliseconds: wallStart + milliseconds))
}

func node(_ number: UInt8) -> NodeID { NodeID(Digest([UInt8](repeating: number, count: 32))!) }
func resource(_ text: String) -> ResourceName { ResourceName(text)! }
func peerName(_ text: String) -> NodeName { NodeName(text)! }

/// A desk with a world that can be edited: `me` is node 0, peers B and C are nodes 1 and 2.
struct DeskRig {
    var peers: [UInt8: CallPeer] = [
        1: CallPeer(name: peerName("B"), trust: .trusted, link: .up),
        2: CallPeer(name: peerName("C"), trust: .trusted, link: .up),
    ]
    var agreements: [NodeID: [AgreementTerms]] = [:]
    var own: [OfferedResource] = []
    var descriptions: [NodeID: [ResourceDescription]] = [:]
    var routes: [ResourceName: [NodeID]] = [:]
    /// How much the operator prefers a node by all routes; 1 unless it stands here.
    var weights: [NodeID: Int64] = [:]
    /// What else the operator said of every route.
    var said: [RouteTerm] = []
    var domain: CallDomain?
    /// What of agreements with a peer the store holds otherwise than it was signed.
    var damaged: [NodeID: [Refusal]] = [:]
    var configuration = CallConfiguration()
    var desk: CallDesk
    var now: Int64 = 0
    var effects: [CallEffect] = []
    /// What each input ordered.
    var turns: [[CallEffect]] = []
    /// When each effect was ordered.
    var times: [Int64] = []
    var ledger = Ledger()
    /// Whether the ledger looks at every effect; its care costs more than the desk's.
    var isWatched = true
    private var requests: UInt64 = 0
    private var streams: UInt64 = 0

    init(seed: UInt64 = 1, room: Int64 = 1 << 30) {
        desk = CallDesk(view: Self.emptyView, generator: SeededGenerator(seed: seed))
        for number in [1, 2] as [UInt8] {
            agree(provider: node(number), consumer: node(0), "orders")
            agree(provider: node(0), consumer: node(number), "stock")
            descriptions[node(number)] = [Self.described("orders")]
        }
        own = [Self.offered("stock", to: [node(1)])]
        routes[resource("orders")] = [node(1), node(2)]
        publish()
        take(.roomMeasured(bytes: room))
        effects = []
        times = []
    }

    static var emptyView: CallView {
        CallView(
            me: node(0), name: peerName("A"), peers: .init(), agreements: .init(), resources: .init(),
            descriptions: .init(), routes: .init())
    }

    static func described(_ name: String, labels: [ResourceLabel] = []) -> ResourceDescription {
        let capabilities = [
            Capability(name: resource("list"), methods: ["GET"], path: "/list", safety: .safe),
            Capability(name: resource("put"), methods: ["PUT"], path: "/item", safety: .idempotent),
            Capability(name: resource("buy"), methods: ["POST"], path: "/buy", safety: .unsafe),
            Capability(name: resource("talk"), methods: ["WEBSOCKET"], path: "/talk", safety: .unsafe),
        ]
        return ResourceDescription(
            name: resource(name), protocol: .http, capabilities: capabilities, labels: labels)
    }

    static func offered(
        _ name: String, to peers: [NodeID], toDomain: DomainOffer = .withheld, timeout: Int64? = nil
    ) -> OfferedResource {
        OfferedResource(
            resource: LocalResource(
                description: described(name), url: "http://127.0.0.1:9000", timeoutInMilliseconds: timeout),
            offeredTo: peers, toDomain: toDomain)
    }

    mutating func agree(
        provider: NodeID, consumer: NodeID, _ name: String, only: [String]? = nil, until: Int64 = 1 << 40,
        standing: AgreementTerms.Standing = .active, conditions: AgreementConditions = .none,
        limits: UsageLimits = .none, callsAtEnd: CallsAtEnd = .finish, numbered number: UInt64? = nil
    ) {
        let count = UInt8(agreements.values.reduce(0) { $0 + $1.count })
        var generator = SeededGenerator(seed: number ?? UInt64(count))
        let agreement = Agreement(
            id: AgreementID(using: &generator), version: 1, source: provider, target: consumer,
            grants: [Grant(resource: resource(name), capabilities: only?.map { resource($0) })],
            conditions: conditions, limits: limits, callsAtEnd: callsAtEnd, validFrom: nil,
            validUntil: WallTime(milliseconds: wallStart + until), createdBy: provider,
            created: WallTime(milliseconds: wallStart - 1000))
        let other = provider == node(0) ? consumer : provider
        let id = Digest([UInt8](repeating: 100 + count, count: 32))!
        agreements[other, default: []].append(
            AgreementTerms(contentID: id, agreement: agreement, standing: standing))
    }

    mutating func publish() {
        func table<Key: Comparable & Sendable, Value: Sendable>(_ pairs: [(Key, Value)]) -> OrderedTable<
            Key, Value
        > {
            var table = OrderedTable<Key, Value>()
            for (key, value) in pairs { table[key] = value }
            return table
        }
        take(
            .viewPublished(
                CallView(
                    me: node(0), name: peerName("A"), peers: table(peers.map { (node($0.key), $0.value) }),
                    agreements: table(agreements.map { ($0.key, AgreementIndex($0.value)) }),
                    resources: table(own.map { ($0.resource.name, $0) }),
                    descriptions: table(descriptions.map { ($0.key, table($0.value.map { ($0.name, $0) })) }),
                    routes: table(
                        routes.map { resource, nodes in
                            (resource, rule(nodes.map { RouteProvider($0, weight: weights[$0] ?? 1) }))
                        }), domain: domain, damaged: table(damaged.map { ($0.key, $0.value) }),
                    configuration: configuration)))
    }

    private func rule(_ providers: [RouteProvider]) -> RouteRule {
        var rule = RouteRule(providers: providers)
        for term in said { rule.take(term) }
        return rule
    }

    /// Gives the desk an input, keeps its effects, and holds them against the rules.
    @discardableResult
    mutating func take(_ input: CallInput) -> [CallEffect] {
        var outbox = Outbox<CallEffect>()
        desk.handle(input, at: moment(now), into: &outbox)
        let fresh = outbox.drain()
        effects += fresh
        turns.append(fresh)
        times += fresh.map { _ in now }
        if isWatched { ledger.take(fresh) }
        return fresh
    }

    /// Lets time pass to the desk's deadlines, up to `milliseconds` from now.
    mutating func pass(_ milliseconds: Int64) {
        let end = now + milliseconds
        while let next = desk.nextDeadline, next <= moment(end).instant {
            now = max(now, (next.nanoseconds - 1_000_000_000 + 999_999) / 1_000_000)
            take(.timeReached)
        }
        now = end
    }

    mutating func nextRequest() -> RequestID {
        requests += 1
        return RequestID(requests)
    }

    /// An application calls.
    @discardableResult
    mutating func call(
        _ target: String, _ name: String = "orders", _ capability: String? = "list",
        deadline: Duration? = nil, as principal: Principal = .local, purpose: Purpose? = nil,
        key: String? = nil, sticky: String? = nil, form: CallForm? = nil,
        body: RequestBody = .whole(length: 2, digest: .zero)
    ) -> RequestID {
        let id = nextRequest()
        take(
            .requested(
                LocalRequest(
                    id: id, target: CallTarget(target)!, resource: resource(name),
                    form: form ?? .invoke(capability: capability.map { resource($0) }, query: nil),
                    principal: principal, purpose: purpose, deadline: deadline, idempotencyKey: key,
                    sticky: sticky.map(Rendezvous.hash), body: body)))
        return id
    }

    /// The peers 1 and 2 are members of one domain that is not this node's.
    mutating func enrolPeersAbroad() {
        let other = Membership(
            domain: DomainID(Digest([UInt8](repeating: 9, count: 32))!), roles: [.member],
            until: WallTime(milliseconds: wallStart + 1 << 40))
        for number in [1, 2] as [UInt8] {
            peers[number] = CallPeer(
                name: peerName("P\(number)"), trust: .trusted, link: .up, membership: other)
        }
        publish()
    }

    /// A peer's invocation arrives.
    @discardableResult
    mutating func arrive(
        from peer: UInt8 = 1, over origin: LinkOrigin? = nil, _ name: String = "stock",
        _ capability: String = "list", method: String = "GET", path: String = "/list",
        correlation: UInt64? = nil, attempt: UInt8 = 1, key: String? = nil,
        as principal: Principal = .local, remaining: UInt32 = 5000, scope: DeadlineScope = .wholeCall,
        body: RequestBody = .none,
        received: RequestBody? = nil, sealedTo: EncryptionKey? = nil,
        opening: InboundInvocation.Opening = .whole, isOpened: Bool = false
    ) -> InboundKey {
        streams += 1
        let inbound = InboundKey(connection: ConnectionID(UInt64(peer)), stream: streams)
        let invocation = Invocation(
            correlation: CorrelationID(high: 77, low: correlation ?? streams), attempt: attempt,
            traceparent: nil,
            agreement: nil, principal: principal, resource: resource(name), capability: resource(capability),
            method: method, path: path, query: nil, headers: [HeaderField("comity-caller", "forged")],
            remainingMilliseconds: remaining, deadlineScope: scope, idempotencyKey: key, body: body,
            sealedTo: sealedTo)
        take(
            .arrived(
                InboundInvocation(
                    key: inbound, peer: node(peer), over: origin, invocation: invocation,
                    body: received ?? body,
                    opening: opening, isOpened: isOpened))
        )
        return inbound
    }

    /// Attempts that left, in order.
    var sent: [(AttemptID, NodeID)] {
        effects.compactMap { effect in
            guard case .send(let attempt, let node, _) = effect else { return nil }
            return (attempt, node)
        }
    }

    /// The heads of attempts that left, in order.
    var invocations: [Invocation] {
        effects.compactMap { effect in
            guard case .send(_, _, let invocation) = effect else { return nil }
            return invocation
        }
    }

    /// The codes with which a request was refused; nil when it was not.
    func refusal(of id: RequestID) -> [RefusalCode]? {
        for case .refuse(id, let refusals, _) in effects { return refusals.map(\.code) }
        return nil
    }

    /// The codes with which a peer's call was refused; nil when it was not.
    func refusal(of key: InboundKey) -> [RefusalCode]? {
        for case .respond(key, .refused(let refusals, _)) in effects { return refusals.map(\.code) }
        return nil
    }

    /// Answers the last attempt that left.
    mutating func answerLast(status: UInt16 = 200) {
        guard let last = sent.last else { return }
        take(.attemptAnswered(last.0, status: status, headers: []))
        take(.attemptEnded(last.0, BodySummary(length: 3, digest: nil)))
    }

    mutating func failLast(_ failure: AttemptFailure = .streamReset, _ effect: PossibleEffect = .possible) {
        guard let last = sent.last else { return }
        take(.attemptFailed(last.0, failure, effect))
    }

    /// Opens the breaker of `orders` at `peer`.
    mutating func openBreaker(_ peer: String) {
        for _ in 0..<5 {
            call(peer, "orders", "buy")
            failLast()
        }
    }
}
