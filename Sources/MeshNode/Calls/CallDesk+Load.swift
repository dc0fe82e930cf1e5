import MeshAudit
import MeshBase
import MeshRouting

/// Calls that this node's resources have in hand, of peers and of applications here: each has a place from
/// when it is given to its resource until its answer begins, or until it is over without one.
extension CallDesk {
    /// Why `node` gets no place at a resource of this node; nil when it gets one. What it wants counts.
    mutating func askPlace(at resource: ResourceName, for node: NodeID, now: Instant) -> Refusal? {
        let partner = partner(node)
        guard let refusal = loads.update(resource, { $0.ask(partner, at: now) }) ?? nil else { return nil }
        return Refusal(refusal.code, [Fact("resource", resource)] + refusal.facts)
    }

    /// Gives `node` a place at a resource that it was not refused at this moment.
    mutating func takePlace(at resource: ResourceName, for node: NodeID, now: Instant) -> ServicePlace {
        let partner = partner(node)
        if let place = loads.update(resource, { $0.take(partner, at: now) }) { return place }
        var load = ServiceLoad()
        let place = load.take(partner, at: now)
        loads[resource] = load
        return place
    }

    /// Takes a place back.
    mutating func settle(
        _ place: ServicePlace, at resource: ResourceName, _ end: ServiceLoad.End, now: Instant
    ) {
        let lag = shellBusy.lag(at: now)
        _ = loads.update(resource) { $0.settle(place, end, at: now, less: lag) }
    }

    /// All of a peer's streamed request has come: from now on the resource takes its time.
    mutating func requestCame(_ key: InboundKey, _ body: BodySummary, at now: Instant) {
        _ = services.update(key) { service in
            service.passed = body
            service.isRequestWhole = true
            service.place?.requestCame(at: now)
        }
        judging[key]?.passed = body
    }

    /// Forgets what is known of resources that this node provides no more.
    mutating func forgetLoads() {
        let view = view
        loads.removeAll { name, load in load.inHand == 0 && view.resource(name) == nil }
    }

    /// Who shares: a domain that is not this node's has one share, however many nodes it sends.
    func partner(_ node: NodeID) -> Digest {
        (view.foreigners.isEmpty ? nil : view.foreigners[node]?.digest) ?? node.digest
    }

    /// Why a call of `node` would get no place now. It changes nothing.
    func wouldCrowd(_ resource: ResourceName, by node: NodeID, at now: Instant) -> Refusal? {
        guard let refusal = loads[resource]?.refusal(of: partner(node), at: now) else { return nil }
        return Refusal(refusal.code, [Fact("resource", resource)] + refusal.facts)
    }

    /// How busy a resource of this node is; nil where nothing is known of it.
    func standing(of resource: ResourceName) -> ServiceStanding? {
        loads[resource].map {
            ServiceStanding(
                inHand: $0.inHand, limit: $0.standing, partners: $0.partners, refusals: $0.refusals,
                microseconds: $0.baseline)
        }
    }
}

/// How busy a resource of this node is.
public struct ServiceStanding: Sendable, Equatable {
    /// Calls whose answer has not begun.
    public let inHand: Int
    /// How many may be in hand; nil: nothing is limited now.
    public let limit: Int?
    /// Who shares them.
    public let partners: Int
    /// Calls that were refused for it since the start.
    public let refusals: UInt64
    /// What a call takes that waits for no other; 0 while nothing is known.
    public let microseconds: Int64
}

/// For how long the shell is busy with what comes at once.
struct ShellBusy: Sendable, Equatable {
    /// How long an answer may have waited for the shell: it leaves with the turn that decided, and is read in
    /// one that began behind another.
    private let lag: Duration
    private let told: Instant

    init(time: Duration = .zero, told: Instant = .zero) {
        lag = min(time * 3, Self.lagMost)
        self.told = told
    }

    /// So long what was told counts.
    static let life: Duration = .seconds(2)
    /// More is not made of it: whoever makes this node busy must not hide from it what a resource takes.
    static let lagMost: Duration = .seconds(1)

    /// How long an answer that is read at `now` may have waited for the shell.
    func lag(at now: Instant) -> Duration { now - told < Self.life ? lag : .zero }
}
