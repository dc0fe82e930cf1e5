import MeshAgreements
import MeshBase
import MeshRouting

/// One node that might take a request: what it would be asked, whether it may be asked, and how good a
/// choice it is.
struct Assessment: Sendable, Equatable {
    let node: NodeID
    let isLocal: Bool
    /// What of the resource; nil when nothing matches.
    var capability: Capability?
    var method = ""
    var path = ""
    var query: String?
    /// The agreement that permits it; nil for this node, and where none does.
    var agreement: Digest?
    /// To which key its payload is sealed; nil: to none.
    var sealedTo: EncryptionKey?
    var breaker = Breaker.Standing.closed
    var readiness = RouteBook.Readiness.ready
    var microseconds: Int64 = 0
    var inFlight = 0
    /// How much the operator prefers it as a provider.
    var weight = RouteWeight.even
    /// Whether it refused a call a moment ago: others are asked before it.
    var hasTurnedAway = false
    /// Why this one was picked among several; nil before.
    var choice: Choice?
    /// Every reason why not; empty when it may be asked.
    var refusals: [Refusal] = []

    /// Why the router picked one of several.
    enum Choice: String, Sendable {
        /// The external policy was asked about it.
        case judged = "the external policy was asked about it"
        /// `comity route --prefer-node`.
        case preferred = "it is preferred to all others"
        /// The application's key drew it.
        case sticky = "the sticky key draws it"
        /// It is this node.
        case local = "this node comes first"
        /// Of two.
        case better = "the better of two"
    }

    /// Whether the attempt could leave now.
    var isReady: Bool { refusals.isEmpty && readiness == .ready }
    /// Whether the attempt could leave once its link is there.
    var isAwaited: Bool { refusals.isEmpty && readiness == .awaited }

    /// What the picker compares.
    var candidate: Picker.Candidate {
        Picker.Candidate(
            isLocal: isLocal, microseconds: microseconds, inFlight: inFlight, weight: weight)
    }

    init(node: NodeID, isLocal: Bool) {
        self.node = node
        self.isLocal = isLocal
    }

    /// This one, picked.
    func chosen(_ choice: Choice) -> Assessment {
        var chosen = self
        chosen.choice = choice
        return chosen
    }
}

/// Who provides a resource.
public struct Provider: Sendable, Equatable {
    /// The node.
    public let node: NodeID
    /// What people call it here.
    public let name: String

    public init(node: NodeID, name: String) {
        self.node = node
        self.name = name
    }
}

/// Weighing the candidates of one request: pure questions, asked alike to decide and to explain.
extension CallDesk {
    /// The nodes that may provide what `request` asks for, this node first; or why there is none.
    func candidates(of request: LocalRequest, at wall: WallTime) -> Ruling<[NodeID]> {
        switch request.target {
        case .node(let node):
            guard node == view.me || view.peers[node] != nil else {
                return .refused(Refusal(.peerNotFound, [Fact("node", node)]))
            }
            return .allowed([node])
        case .named(let name):
            if name == view.name { return .allowed([view.me]) }
            if let node = view.names[name] { return .allowed([node]) }
            return .refused(
                Refusal(.peerNotFound, [Fact("name", name), Fact("peers known", view.peers.count)]))
        case .any: return providers(of: request.resource, at: wall)
        }
    }

    /// The nodes that count as providers of `resource`, this one first; or why there is none.
    private func providers(of resource: ResourceName, at wall: WallTime) -> Ruling<[NodeID]> {
        var nodes = view.resources[resource] == nil ? [] : [view.me]
        let members = view.domain?.providers(of: resource, at: wall) ?? []
        nodes += members
        for provider in view.rule(for: resource)?.providers ?? []
        where !nodes.contains(provider.node) && provider.node != view.me {
            nodes.append(provider.node)
        }
        guard !nodes.isEmpty else {
            return .refused(
                Refusal(
                    .resourceUnknown,
                    [
                        Fact("resource", resource), Fact("providers here", 0),
                        Fact("members of the domain that offer it", members.count),
                        Fact("providers by route", view.rule(for: resource)?.providers.count ?? 0),
                    ]))
        }
        return .allowed(nodes)
    }

    /// All of whom a request to every provider of `resource` asks, by name: at most `Limits.fanOut`. Whether
    /// each may be asked is found when it is.
    public func providers(of resource: ResourceName, at wall: WallTime) -> Ruling<[Provider]> {
        switch providers(of: resource, at: wall) as Ruling<[NodeID]> {
        case .refused(let refusal): return .refused(refusal)
        case .allowed(let nodes):
            guard nodes.count <= Limits.fanOut else {
                return .refused(
                    Refusal(.limitReached, [Fact("providers", nodes.count), Fact("at most", Limits.fanOut)]))
            }
            // Other calls keep as much room as these take.
            let room = view.configuration.callsMax - calls.count
            guard nodes.count <= max(room / 2, 1) else { return .refused(crowded) }
            let providers = nodes.map { Provider(node: $0, name: view.label($0)) }
            return .allowed(providers.sorted { ($0.name, $0.node) < ($1.name, $1.node) })
        }
    }

    /// What is wrong with `request` whoever takes it; otherwise its path in normal form (`/` for `/invoke`).
    func form(of request: LocalRequest) -> Ruling<String> {
        if let key = request.idempotencyKey, !(1...Limits.idempotencyKey).contains(key.utf8.count) {
            return .refused(
                Refusal(
                    .requestMalformed,
                    [
                        Fact("bytes of the idempotency key", key.utf8.count),
                        Fact("at most", Limits.idempotencyKey),
                    ]))
        }
        let isKeptWhole = request.form.isInvoke || !request.body.isStreamed
        if isKeptWhole, (request.body.length ?? .max) > Limits.callBody {
            let length = request.body.length.map { "\($0)" } ?? "not declared"
            return .refused(
                Refusal(.bodyTooLarge, [Fact("bytes", length), Fact("at most", Limits.callBody)]))
        }
        let head = HeaderFilter.length(of: request.headers)
        if head > HeaderFilter.lengthMax {
            return .refused(
                Refusal(.headTooLarge, [Fact("bytes", head), Fact("at most", HeaderFilter.lengthMax)]))
        }
        guard case .mesh(let method, let path, let query) = request.form else { return .allowed("/") }
        guard CapabilityMatcher.isMethod(method), (query?.utf8.count ?? 0) <= RequestPath.lengthMax else {
            return .refused(Refusal(.requestMalformed, [Fact("method", String(method.prefix(16)))]))
        }
        return RequestPath.normalised(path)
    }

    /// Weighs each of `nodes` for `request`. Nothing changes by it.
    /// - Parameter path: from `form(of:)`.
    func assess(
        _ nodes: [NodeID], for request: LocalRequest, path: String, at now: Moment
    ) -> [Assessment] {
        var assessments = nodes.map { Assessment(node: $0, isLocal: $0 == view.me) }
        // Each where it stands: they are long.
        for index in assessments.indices { assess(&assessments[index], for: request, path: path, at: now) }
        return assessments
    }

    private func assess(
        _ assessment: inout Assessment, for request: LocalRequest, path: String, at now: Moment
    ) {
        let node = assessment.node
        if !assessment.isLocal { assessLink(&assessment, at: now) }
        let description =
            assessment.isLocal
            ? view.resource(request.resource)?.description : view.description(request.resource, at: node)
        if let rule = view.rule(for: request.resource) {
            assessment.weight = rule.weight(of: node, labels: description?.labels ?? [])
        }
        guard let description else {
            if assessment.refusals.isEmpty, view.peers[node]?.catalog == .awaited {
                assessment.readiness = .awaited
                return
            }
            if !assessment.isLocal {
                assessment.refusals += view.whyWithdrawn(request.resource, by: node, at: now.wall)
                assessment.refusals += view.damaged[node] ?? []
            }
            assessment.refusals.append(
                Refusal(
                    .resourceUnknown, [Fact("resource", request.resource), Fact("at", view.label(node))]))
            return
        }
        guard let capability = settleForm(of: request, path: path, against: description, in: &assessment)
        else {
            return
        }
        if !assessment.isLocal {
            var verdict = permits(calling: node, capability, request, method: assessment.method, at: now)
            if case .refused = verdict, assessment.method == ToolCall.listing {
                // Whoever may call some tool may ask which there are.
                for other in CapabilityMatcher.listings(of: description) where other != capability {
                    let another = permits(calling: node, other, request, method: ToolCall.listing, at: now)
                    guard case .permitted = another else { continue }
                    (assessment.capability, verdict) = (other, another)
                    break
                }
            }
            switch verdict {
            case .permitted(let agreement):
                assessment.agreement = agreement
                assessment.sealedTo = view.sealing(under: agreement, for: request.resource, to: node)
            case .refused(let reasons): assessment.refusals += reasons
            }
        }
        assessBreaker(&assessment, resource: request.resource, at: now.instant)
    }

    private func permits(
        calling node: NodeID, _ capability: Capability, _ request: LocalRequest, method: String,
        at now: Moment
    ) -> Verdict {
        view.permits(
            calling: node, request.resource, capability, method: method, as: request.principal,
            for: request.purpose, through: routes.lines.read(node, { $0.relay }) ?? nil, meters,
            at: now)
    }

    private func settleForm(
        of request: LocalRequest, path: String, against description: ResourceDescription,
        in assessment: inout Assessment
    ) -> Capability? {
        let ruling: Ruling<Capability>
        switch request.form {
        case .invoke(let name, _): ruling = CapabilityMatcher.named(name, of: description)
        case .mesh(let method, _, _):
            ruling = CapabilityMatcher.matched(method: method, path: path, of: description)
        }
        guard case .allowed(let capability) = ruling else {
            if case .refused(let refusal) = ruling { assessment.refusals.append(refusal) }
            return nil
        }
        switch request.form {
        case .invoke(_, let query):
            guard let method = capability.methods.first(where: { $0 != WebSocketUpgrade.method }) else {
                assessment.refusals.append(
                    Refusal(
                        .websocketExpected,
                        [
                            Fact("capability", capability.name), Fact("method", WebSocketUpgrade.method),
                            Fact("path", capability.path),
                        ]))
                return nil
            }
            assessment.method = method
            assessment.path = capability.path
            assessment.query = ["GET", "HEAD"].contains(assessment.method) ? query : nil
        case .mesh(let method, _, let query):
            assessment.method = method
            assessment.path = path
            assessment.query = query
        }
        assessment.capability = capability
        return capability
    }

    private func assessLink(_ assessment: inout Assessment, at now: Moment) {
        let node = assessment.node
        if let refusal = trustRefusal(node) { assessment.refusals.append(refusal) }
        assessment.readiness = routes.readiness(of: node, at: now.instant)
        switch assessment.readiness {
        case .ready, .awaited: break
        case .down:
            assessment.refusals.append(
                Refusal(.peerUnreachable, [Fact("peer", view.label(node)), Fact("link", "down")]))
        case .refused(let until):
            assessment.refusals.append(
                openRefusal("link to \(view.label(node))", until: until, at: now.instant))
        }
    }

    private func assessBreaker(_ assessment: inout Assessment, resource: ResourceName, at now: Instant) {
        let way = RouteBook.Way(resource: resource, node: assessment.node)
        let isUsed: Void? = routes.ways.read(way) { standing in
            assessment.breaker = standing.breaker.standing(at: now)
            assessment.microseconds = standing.latency.value(at: now)
            assessment.inFlight = standing.inFlight
            assessment.hasTurnedAway = standing.hasTurnedAway(at: now)
        }
        guard isUsed != nil else { return }
        switch assessment.breaker {
        case .closed, .halfOpen: break
        case .open(let until):
            let name = "\(view.label(assessment.node))/\(resource)"
            assessment.refusals.append(openRefusal(name, until: until, at: now))
        case .probing:
            let name = "\(view.label(assessment.node))/\(resource)"
            assessment.refusals.append(
                Refusal(.breakerOpen, [Fact("breaker", name), Fact("state", "half-open, its probe is out")]))
        }
    }

    /// Why nothing passes between this node and `peer`; nil when it is trusted.
    func trustRefusal(_ peer: NodeID) -> Refusal? { view.trustRefusal(peer) }

    private func openRefusal(_ name: String, until: Instant, at now: Instant) -> Refusal {
        let wait = until == .never ? "until the link returns" : "\((until - now).wholeMilliseconds) ms"
        return Refusal(.breakerOpen, [Fact("breaker", name), Fact("state", "open"), Fact("for", wait)])
    }
}
