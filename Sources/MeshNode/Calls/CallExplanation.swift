import MeshAgreements
import MeshAudit
import MeshBase
import MeshRouting

/// What the desk would do with a request now, and why: the same questions as when it decides, without any
/// effect.
public struct CallExplanation: Sendable, Equatable {
    /// What would happen.
    public let verdict: Verdict
    /// Why this node begins no call at all now; empty when it does.
    public var obstacles: [Refusal] = []
    /// Every node that was weighed, in the order in which that happened.
    public let candidates: [Candidate]

    /// What would happen to the request.
    public enum Verdict: Sendable, Equatable {
        /// It would be sent to one of these.
        case send([NodeID])
        /// It would wait for the link to one of these.
        case wait([NodeID])
        /// It would be refused, with every reason.
        case refuse([Refusal])
    }

    /// One node that was weighed.
    public struct Candidate: Sendable, Equatable {
        /// The node.
        public let node: NodeID
        /// What people here call it.
        public let name: String
        /// What of the resource the request would use; nil when nothing matches.
        public let capability: ResourceName?
        /// The agreement that permits it; nil for this node, and where none does.
        public let agreement: Digest?
        /// Whether it could be asked once its link is up, or the probe of its link is back.
        public let isAwaited: Bool
        /// The link's breaker, `closed`, `open` or `half-open`; nil for this node.
        public let linkBreaker: String?
        /// Lower is better: latency in microseconds x (attempts in flight + 1).
        public let score: Int64
        /// `closed`, `open` or `half-open`.
        public let breaker: String
        /// Why it cannot be asked; empty when it can.
        public let refusals: [Refusal]
    }
}

/// One way that calls can go, for `comity routes`.
public struct RouteView: Sendable, Equatable {
    /// The resource.
    public let resource: ResourceName
    /// Where.
    public let node: NodeID
    /// Whether the router may pick it: this node, a member that offers it to the domain of both, or one that
    /// the operator named; others only were called.
    public let isProvider: Bool
    /// What people here call it.
    public let name: String
    /// The breaker of the resource there.
    public let breaker: Breaker.Standing
    /// The link; nil for this node.
    public let link: CallLink?
    /// The breaker of the link; nil for this node.
    public let linkBreaker: Breaker.Standing?
    /// What an attempt is expected to take, 0 when nothing is known.
    public let microseconds: Int64
    /// Attempts on their way.
    public let inFlight: Int
    /// How much the operator prefers it, its labels counted in.
    public let weight: RouteWeight
    /// What of that was said of it by its name; 1: nothing.
    public let namedWeight: Int64
    /// For which of its labels.
    public let labels: [LabelPreference]
    /// Lower is better.
    public let score: Int64
    /// After how long without an answer a safe call is sent to a second provider as well; nil: none is.
    public let hedgeDelay: Duration?
    /// How busy the resource is; nil for another node's, and before it was used.
    public let load: ServiceStanding?
}

extension CallDesk {
    /// What would happen to `request` at `now`. Nothing changes by it.
    public func wouldDecide(_ request: LocalRequest, at now: Moment) -> CallExplanation {
        let obstacles = self.obstacles + [wouldBeTooSoon(request, at: now.instant)].compactMap { $0 }
        func refused(_ refusal: Refusal) -> CallExplanation {
            CallExplanation(verdict: .refuse(obstacles + [refusal]), obstacles: obstacles, candidates: [])
        }
        let path: String
        switch form(of: request) {
        case .refused(let refusal): return refused(refusal)
        case .allowed(let normal): path = normal
        }
        let nodes: [NodeID]
        switch candidates(of: request, at: now.wall) {
        case .refused(let refusal): return refused(refusal)
        case .allowed(let found): nodes = found
        }
        let assessments = assess(nodes, for: request, path: path, at: now)
        let rule = view.rule(for: request.resource) ?? RouteRule()
        return CallExplanation(
            verdict: obstacles.isEmpty ? verdict(over: assessments, by: rule) : .refuse(obstacles),
            obstacles: obstacles, candidates: assessments.map { described($0, at: now.instant) })
    }

    /// Why a call would be refused before anybody is weighed, in the order in which that is asked.
    private var obstacles: [Refusal] {
        var obstacles: [Refusal] = []
        if calls.count >= view.configuration.callsMax { obstacles.append(crowded) }
        if isDraining { obstacles.append(Refusal(.draining)) }
        if let refusal = audit.obstacle { obstacles.append(refusal) }
        return obstacles
    }

    private func described(_ assessment: Assessment, at now: Instant) -> CallExplanation.Candidate {
        let line = assessment.isLocal ? nil : routes.lines[assessment.node]
        return CallExplanation.Candidate(
            node: assessment.node, name: view.label(assessment.node), capability: assessment.capability?.name,
            agreement: assessment.agreement, isAwaited: assessment.readiness == .awaited,
            linkBreaker: line?.breaker.standing(at: now).word, score: assessment.candidate.score,
            breaker: assessment.breaker.word, refusals: assessment.refusals)
    }

    private func verdict(over assessments: [Assessment], by rule: RouteRule) -> CallExplanation.Verdict {
        let ready = Self.willing(assessments.filter(\.isReady))
        if let preferred = ready.first(where: { $0.node == rule.preferred }) {
            return .send([preferred.node])
        }
        if rule.order == .localFirst, let local = ready.first(where: \.isLocal) {
            return .send([local.node])
        }
        if !ready.isEmpty { return .send(ready.map(\.node)) }
        let awaited = assessments.filter(\.isAwaited)
        if !awaited.isEmpty { return .wait(awaited.map(\.node)) }
        return .refuse(Self.bounded(assessments.flatMap(\.refusals)))
    }

    /// Whether this node would let `peer` use `capability` of `resource`, and why not: the provider's half
    /// of an explanation.
    public func wouldServe(
        _ peer: NodeID, resource: ResourceName, capability: ResourceName, principal: Principal,
        purpose: Purpose? = nil, at now: Moment
    ) -> Verdict {
        let early = trustRefusal(peer) ?? wouldBeTooSoon(peer, principal, at: now.instant)
        if let early { return .refused([early]) }
        guard let own = view.resource(resource), view.mayKnow(peer, of: resource, at: now.wall) else {
            return .refused([Refusal(.resourceUnknown, [Fact("resource", resource)])])
        }
        switch CapabilityMatcher.named(capability, of: own.description) {
        case .refused(let refusal): return .refused([refusal])
        case .allowed(let capability):
            let verdict = view.permits(
                callBy: peer, resource, capability, method: capability.methods.first ?? "POST",
                // Under an agreement that wants it sealed, the caller seals it.
                as: principal, for: purpose, payload: .sealed, meters, at: now)
            if case .permitted = verdict, let refusal = wouldCrowd(resource, by: peer, at: now.instant) {
                return .refused([refusal])
            }
            return verdict
        }
    }

    /// Every way that was used or is configured, by resource and node.
    public func routes(at now: Moment) -> [RouteView] {
        var ways = routes.ways
        let wall = now.wall
        func add(_ resource: ResourceName, _ node: NodeID) {
            let way = RouteBook.Way(resource: resource, node: node)
            if ways[way] == nil { ways[way] = RouteBook.Standing() }
        }
        for (resource, rule) in view.routes {
            for provider in rule.providers { add(resource, provider.node) }
        }
        for (node, member) in view.domain?.members ?? OrderedTable()
        where view.domain?.isMember(node, at: wall) == true {
            for resource in member.offers.keys { add(resource, node) }
        }
        for resource in view.resources.keys { add(resource, view.me) }
        let now = now.instant
        return ways.map { way, standing in
            let line = way.node == view.me ? nil : routes.lines[way.node]
            let microseconds = standing.latency.value(at: now)
            let (weight, labels) = view.preference(for: way.node, of: way.resource)
            let candidate = Picker.Candidate(
                isLocal: way.node == view.me, microseconds: microseconds, inFlight: standing.inFlight,
                weight: weight)
            return RouteView(
                resource: way.resource, node: way.node, isProvider: isProvider(way, at: wall),
                name: view.label(way.node),
                breaker: standing.breaker.standing(at: now), link: line?.link,
                linkBreaker: line?.breaker.standing(at: now), microseconds: microseconds,
                inFlight: standing.inFlight, weight: weight,
                namedWeight: view.rule(for: way.resource)?.weight(of: way.node) ?? 1, labels: labels,
                score: candidate.score, hedgeDelay: hedgeDelay(of: way),
                load: way.node == view.me ? self.standing(of: way.resource) : nil)
        }
    }

    private func isProvider(_ way: RouteBook.Way, at wall: WallTime) -> Bool {
        guard way.node != view.me else { return view.resources[way.resource] != nil }
        if let domain = view.domain, domain.members[way.node]?.offers[way.resource] != nil,
            domain.isMember(way.node, at: wall)
        {
            return true
        }
        return view.routes[way.resource]?.providers.contains { $0.node == way.node } ?? false
    }
}
