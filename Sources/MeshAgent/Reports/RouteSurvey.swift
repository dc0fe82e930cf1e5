import MeshAudit
import MeshBase
import MeshControl
import MeshCredentials
import MeshNode
import MeshRouting

/// The ways that calls can go, as the desk sees them, in the control API's words.
struct RouteSurvey: Sendable {
    let plane: ControlPlane
    let calls: CallPlane
    let trail: AuditTrail

    /// Events of breakers that are looked through for when one opened.
    private static let historyMax = 1_000

    /// For each resource that can be called, who could answer, best first.
    func routes() async -> [RouteReport] {
        var candidates = OrderedTable<ResourceName, [CandidateReport]>()
        for view in ways() {
            let candidate = await candidate(view)
            if candidates[view.resource] == nil { candidates[view.resource] = [] }
            candidates.update(view.resource) { $0.append(candidate) }
        }
        var reports: [RouteReport] = []
        for (resource, candidates) in candidates { reports.append(await report(resource, candidates)) }
        return reports
    }

    /// One resource; without candidates when nobody provides it.
    func route(of resource: ResourceName) async -> RouteReport {
        var candidates: [CandidateReport] = []
        for view in ways() where view.resource == resource { candidates.append(await candidate(view)) }
        return await report(resource, candidates)
    }

    private func report(_ resource: ResourceName, _ candidates: [CandidateReport]) async -> RouteReport {
        await plane.report { writer in
            let rule = writer.node.routes[resource] ?? RouteRule()
            return RouteReport(
                resource: resource, prefer: rule.preferences,
                preferred: rule.preferred.map(writer.reference), order: rule.order, hedge: rule.hedge,
                candidates: candidates
            ).bestFirst
        }
    }

    /// How calls have gone since the start, beside the ways that they can go.
    func top() async -> TopReport {
        let ends = calls.desk.withLock { $0.tally.ends }
        let routes = await routes()
        return await plane.report { writer in
            TopReport(
                at: Timestamp(writer.now.wall),
                calls: ends.map { node, ends in CallCounts(ends, at: writer.reference(node)) },
                routes: routes)
        }
    }

    /// Every breaker that is not at rest, with when and why the audit says it left it. An audit that cannot
    /// be read takes nothing away but these two.
    func breakers() async -> [BreakerReport] {
        let views = ways()
        var found: [(view: RouteView, resource: ResourceName?, standing: Breaker.Standing)] = []
        var links = OrderedTable<NodeID, Bool>()
        for view in views {
            if view.breaker != .closed { found.append((view, view.resource, view.breaker)) }
            if let standing = view.linkBreaker, standing != .closed, links[view.node] == nil {
                links[view.node] = true
                found.append((view, nil, standing))
            }
        }
        guard !found.isEmpty else { return [] }
        let history = await past(AuditQuery(type: .breaker, limit: Self.historyMax))
        var reports: [BreakerReport] = []
        for (view, resource, standing) in found {
            let change = history.first {
                $0.target == view.node && $0.resource == resource && $0.breaker == standing.word
            }
            let why = await why(view, resource)
            reports.append(
                await plane.report { writer in
                    BreakerReport(
                        peer: writer.reference(view.node), resource: resource,
                        state: BreakerReport.State(standing),
                        since: Timestamp(change?.time ?? writer.now.wall),
                        probeAt: standing.probe.map(writer.date(of:)),
                        why: why)
                })
        }
        return reports
    }

    /// Resources of this node that have as much to do as they can.
    func crowded() -> [(resource: ResourceName, load: LoadReport)] {
        ways().compactMap { view in
            guard let load = view.load, load.limit != nil else { return nil }
            return (view.resource, LoadReport(load))
        }
    }

    /// What would happen to a request without a body.
    func explanation(_ request: LocalRequest) -> CallExplanation {
        calls.desk.withLock { $0.wouldDecide(request, at: SystemClock.now()) }
    }

    private func ways() -> [RouteView] {
        let now = SystemClock.now()
        return calls.desk.withLock { $0.routes(at: now) }
    }

    private func why(_ view: RouteView, _ resource: ResourceName?) async -> String {
        guard let resource else {
            return view.link == .up ? "the link came back and is tried" : "the link is down"
        }
        let query = AuditQuery(
            node: view.node, resource: resource, type: .attempt, outcomes: .failures, limit: 1)
        return await past(query).first?.refusals.first.map {
            "the last attempt failed with \($0.code.rawValue)"
        } ?? "attempts failed"
    }

    private func past(_ query: AuditQuery) async -> [AuditEvent] {
        do throws(ControlFailure) {
            return try await trail.answers(query).map(\.event)
        } catch {
            return []
        }
    }

    private func candidate(_ view: RouteView) async -> CandidateReport {
        let (reference, isHere, relay, capabilities) = await plane.report { writer in
            (
                writer.reference(view.node), view.node == writer.me,
                writer.node.gossip.link(with: view.node)?.relay.map(writer.reference),
                writer.description(of: view.resource, at: view.node)?.capabilities.map(\.name) ?? []
            )
        }
        let milliseconds = view.microseconds == 0 ? nil : Double(view.microseconds) / 1_000
        let weight = Double(view.weight.thousandths) / 1_000
        return CandidateReport(
            peer: reference, isHere: isHere, isProvider: view.isProvider,
            reasons: reasons(view, capabilities), weight: view.namedWeight, labels: view.labels,
            wholeWeight: weight,
            score: milliseconds.map { $0 * Double(view.inFlight + 1) / weight },
            latencyMilliseconds: milliseconds,
            inFlight: view.inFlight, relay: relay, breaker: BreakerReport.State(view.breaker),
            hedgeAfterMilliseconds: view.hedgeDelay.map { Double($0.wholeNanoseconds / 1_000) / 1_000 },
            load: view.load.map(LoadReport.init))
    }

    /// Why not: nothing when one capability at least may be used.
    private func reasons(_ view: RouteView, _ capabilities: [ResourceName]) -> [Refusal] {
        let named: [ResourceName?] = capabilities.isEmpty ? [nil] : capabilities
        var fewest: [Refusal]?
        for capability in named {
            let request = LocalRequest.imagined(at: .node(view.node), view.resource, capability, as: .local)
            let refusals: [Refusal]
            switch explanation(request).verdict {
            case .send: return []
            case .wait:
                refusals = [Refusal(.peerUnreachable, [Fact("peer", view.name), Fact("link", "dialled")])]
            case .refuse(let found): refusals = found
            }
            if refusals.count < fewest?.count ?? .max { fewest = refusals }
        }
        return fewest ?? []
    }
}

extension LocalRequest {
    /// A request that nobody makes, to ask what would happen to it.
    static func imagined(
        at target: CallTarget, _ resource: ResourceName, _ capability: ResourceName?, as principal: Principal
    ) -> LocalRequest {
        LocalRequest(
            id: RequestID(0), target: target, resource: resource,
            form: .invoke(capability: capability, query: nil),
            principal: principal, body: .none)
    }
}

extension ReportWriter {
    /// What is known of a resource here or at a peer; nil when nothing is.
    func description(of resource: ResourceName, at provider: NodeID) -> ResourceDescription? {
        if provider == me { return node.resources[resource]?.description }
        let described = node.gossip.resources(of: provider, at: now.wall).first { $0.name == resource }
        return described ?? CapabilityMatcher.builtIn(resource)
    }
}

extension RouteReport {
    /// Who is preferred to all first, then this node where it comes first, then providers; of each, who may
    /// be picked first, then by score: who was never called is tried before who is slow.
    fileprivate var bestFirst: RouteReport {
        var sorted = self
        sorted.candidates.sort { left, right in
            (rank(of: left), left.reasons.isEmpty ? 0 : 1, left.score ?? 0, left.peer.title)
                < (rank(of: right), right.reasons.isEmpty ? 0 : 1, right.score ?? 0, right.peer.title)
        }
        return sorted
    }

    private func rank(of candidate: CandidateReport) -> Int {
        if let preferred, preferred.id == candidate.peer.id { return 0 }
        if candidate.isHere && order == .localFirst { return 1 }
        return candidate.isProvider ? 2 : 3
    }
}

extension BreakerReport.State {
    init(_ standing: Breaker.Standing) {
        switch standing {
        case .closed: self = .closed
        case .open: self = .open
        case .halfOpen, .probing: self = .halfOpen
        }
    }
}

extension Breaker.Standing {
    /// When the next probe is let through; nil unless that is a matter of time.
    fileprivate var probe: Instant? {
        guard case .open(let until) = self, until != .never else { return nil }
        return until
    }
}

extension LoadReport {
    fileprivate init(_ standing: ServiceStanding) {
        self.init(
            inHand: standing.inHand, limit: standing.limit, partners: standing.partners,
            refused: standing.refusals,
            aloneMilliseconds: standing.microseconds == 0 ? nil : Double(standing.microseconds) / 1_000)
    }
}

extension CallCounts {
    fileprivate init(_ ends: CallTally.Ends, at peer: NodeReference) {
        self.init(
            peer: peer, successes: ends.count(.success), failures: ends.count(.failure),
            refused: ends.count(.refused),
            boundsMilliseconds: ends.durations.bounds.map { Double($0.wholeNanoseconds) / 1_000_000 },
            buckets: ends.durations.buckets)
    }
}
