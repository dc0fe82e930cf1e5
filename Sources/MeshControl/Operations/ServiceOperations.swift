import MeshBase

/// Adds a resource to what this node provides, and offers it where asked; all of it or nothing.
public enum AddResource: ControlOperation {
    /// The resource and to whom it is offered.
    public struct Request: Codable, Equatable, Sendable {
        /// Unique here.
        public var name: ResourceName
        /// `http://HOST:PORT[/PATH]` or `http://unix:SOCKET[:/PATH]`.
        public var url: String
        /// In the order in which a request is matched; empty: `read` and `write`.
        public var capabilities: [Capability]
        /// Of which of these callers may keep answers.
        public var kept: [KeptCapability]
        /// Words for search.
        public var labels: [ResourceLabel]
        /// Peers to whom all of it is offered at once; `domain` stands for the members of this node's domain.
        public var offerTo: [String]
        /// How long these offers hold, in seconds, above 0.
        public var offerSeconds: Int64
        /// How long one attempt may take; nil: as the deadline allows.
        public var timeoutMilliseconds: Int64?
        public init(
            name: ResourceName, url: String, capabilities: [Capability], kept: [KeptCapability] = [],
            labels: [ResourceLabel], offerTo: [String],
            offerSeconds: Int64, timeoutMilliseconds: Int64?
        ) {
            self.name = name
            self.url = url
            self.capabilities = capabilities
            self.kept = kept
            self.labels = labels
            self.offerTo = offerTo
            self.offerSeconds = offerSeconds
            self.timeoutMilliseconds = timeoutMilliseconds
        }
    }
    /// What was added, and the agreements that were offered with it.
    public struct Response: Codable, Equatable, Sendable {
        /// The resource.
        public var resource: ResourceReport
        /// One for each peer in `offerTo`; the house agreement covers what is offered to the domain.
        public var agreements: [AgreementReport]
        /// What bore the name before, and whose agreements now cover the new one; nil when nothing did.
        public var replaced: ResourceReport?
        /// This node's domain; nil while it is in none.
        public var domain: DomainID?
        public init(
            resource: ResourceReport, agreements: [AgreementReport], replaced: ResourceReport? = nil,
            domain: DomainID? = nil
        ) {
            self.resource = resource
            self.agreements = agreements
            self.replaced = replaced
            self.domain = domain
        }
    }
    public static let path = "resources/add"
}

/// What this node provides.
public enum ListResources: ControlOperation {
    public typealias Request = Nothing
    public typealias Response = ResourcesReport
    public static let path = "resources"
}

/// Takes a resource away; its agreements stay and cover nothing more of it.
public enum RemoveResource: ControlOperation {
    /// Which one.
    public struct Request: Codable, Equatable, Sendable {
        /// Its name.
        public var name: ResourceName
        public init(name: ResourceName) { self.name = name }
    }
    /// As it was.
    public typealias Response = ResourceReport
    public static let path = "resources/remove"
}

/// How calls to one resource go where the router picks the provider. Nothing said: how it is.
public enum SetRoute: ControlOperation {
    /// The resource, and what is said of it; what is nil stays as it was.
    public struct Request: Codable, Equatable, Sendable {
        /// The resource's name at all of its providers.
        public var resource: ResourceName
        /// Who provides it; empty: no peer but the members of the domain.
        public var via: [Provider]?
        /// By which labels providers are preferred: at most `Limits.routePreferences`; empty: by none.
        public var prefer: [LabelPreference]?
        /// The name or node ID of the peer that takes every call for as long as it is ready; empty: none.
        public var preferNode: String?
        /// Who comes first among the others.
        public var order: RouteOrder?
        /// After how long without an answer a safe call is sent to a second provider as well: `p95` or
        /// `200ms`, as `HedgeTime` reads it; empty or `off`: never.
        public var hedge: String?
        public init(
            resource: ResourceName, via: [Provider]? = nil, prefer: [LabelPreference]? = nil,
            preferNode: String? = nil, order: RouteOrder? = nil, hedge: String? = nil
        ) {
            self.resource = resource
            self.via = via
            self.prefer = prefer
            self.preferNode = preferNode
            self.order = order
            self.hedge = hedge
        }
    }
    /// One provider.
    public struct Provider: Codable, Equatable, Sendable {
        /// Its name or node ID.
        public var peer: String
        /// 1 ... `Limits.routeWeight`: it is taken as if it were so many times as fast.
        public var weight: Int64
        public init(peer: String, weight: Int64 = 1) {
            self.peer = peer
            self.weight = weight
        }
    }
    public typealias Response = RouteReport
    public static let path = "routes/set"
}

/// For each resource: candidates, score, breaker and why.
public enum ShowRoutes: ControlOperation {
    public typealias Request = Nothing
    public typealias Response = RoutesReport
    public static let path = "routes"
}

/// How calls have gone since the agent started, and the ways that they can go.
public enum ShowTop: ControlOperation {
    public typealias Request = Nothing
    public typealias Response = TopReport
    public static let path = "top"
}

/// The catalog: resources across all peers, as far as this node may see.
public enum FindResources: ControlOperation {
    /// What is looked for; nothing finds all.
    public struct Request: Codable, Equatable, Sendable {
        /// Part of a name, a capability or a label; nil: any.
        public var query: String?
        /// All of them must be there.
        public var labels: [ResourceLabel]
        public init(query: String?, labels: [ResourceLabel]) {
            self.query = query
            self.labels = labels
        }
    }
    public typealias Response = CatalogReport
    public static let path = "catalog/find"
}

/// This node's own audit, newest first.
public enum ListAuditEvents: ControlOperation {
    /// Which events, and how many.
    public struct Request: Codable, Equatable, Sendable {
        /// All that are set must match.
        public var filter: AuditFilter
        /// 1 ... 10 000.
        public var limit: Int
        public init(filter: AuditFilter, limit: Int) {
            self.filter = filter
            self.limit = limit
        }
    }
    public typealias Response = AuditReport
    public static let path = "audit/list"
}

/// All that is known about one call, joined with the peers' halves.
public enum TraceCall: ControlOperation {
    /// Which call, and whether peers are asked.
    public struct Request: Codable, Equatable, Sendable {
        /// The call.
        public var correlation: CorrelationID
        /// Whether the peers that the call reached are asked for their events.
        public var askPeers: Bool
        public init(correlation: CorrelationID, askPeers: Bool) {
            self.correlation = correlation
            self.askPeers = askPeers
        }
    }
    public typealias Response = TraceReport
    public static let path = "audit/trace"
}

/// Why something is as it is: the decision tree with both sides' verdicts.
public enum Explain: ControlOperation {
    /// What is to be explained.
    public struct Request: Codable, Equatable, Sendable {
        /// What is to be explained.
        public var subject: ExplainSubject
        public init(subject: ExplainSubject) { self.subject = subject }
    }
    public typealias Response = ExplainReport
    public static let path = "explain"
}

/// What may be explained.
public enum ExplainSubject: Codable, Equatable, Sendable {
    /// The last call that this node made.
    case last
    /// A call by its correlation id.
    case call(CorrelationID)
    /// A refused handshake by the reference that the other side was told.
    case reference(String)
    /// Whether and why a peer is trusted and linked.
    case peer(String)
    /// What would happen to a call now; looking has no side effect. `capability` nil: the only one.
    case wouldCall(peer: String, resource: ResourceName, capability: ResourceName?, principal: Principal?)
}
