import MeshAgreements
import MeshBase
import MeshRouting

/// Everything that a call is decided by, as `Node` publishes it: immutable, replaced as a whole.
public struct CallView: Sendable, Equatable {
    /// This node.
    public let me: NodeID
    /// What people call this node; calls to it are calls to this node.
    public let name: NodeName
    /// Every peer that an operator may name.
    public let peers: OrderedTable<NodeID, CallPeer>
    /// What stands between this node and each peer, ended ones of late included, so that a refusal can name
    /// them.
    public let agreements: OrderedTable<NodeID, AgreementIndex>
    /// What holds for whole domains, this node's among them, or between it and a domain.
    public let domainAgreements: AgreementIndex
    /// What this node provides; `echo` need not stand here.
    public let resources: OrderedTable<ResourceName, OfferedResource>
    /// What peers say they offer to this node.
    public let descriptions: OrderedTable<NodeID, OrderedTable<ResourceName, ResourceDescription>>
    /// What `comity route` said about calls to a resource.
    public let routes: OrderedTable<ResourceName, RouteRule>
    /// This node's domain; nil while it is in none.
    public let domain: CallDomain?
    /// What the operator set.
    public let configuration: CallConfiguration
    /// Peers by name.
    let names: OrderedTable<NodeName, NodeID>
    /// The peers whose credentials are of another domain than this node's, with that.
    let foreigners: OrderedTable<NodeID, DomainID>
    /// The agreements under which payloads are sealed; asked, never walked.
    let sealed: Set<Digest>
    /// What each peer is granted, or grants, by one of these that is in force.
    let sealedGrants: OrderedTable<NodeID, Set<ResourceName>>
    /// What the store kept of agreements with each peer, and not as it was signed.
    let damaged: OrderedTable<NodeID, [Refusal]>
    /// The agreements that say from which networks may be called, which the provider alone can see; asked,
    /// never walked.
    let networked: Set<Digest>

    public init(
        me: NodeID, name: NodeName, peers: OrderedTable<NodeID, CallPeer>,
        agreements: OrderedTable<NodeID, AgreementIndex>, domainAgreements: AgreementIndex = [],
        resources: OrderedTable<ResourceName, OfferedResource>,
        descriptions: OrderedTable<NodeID, OrderedTable<ResourceName, ResourceDescription>>,
        routes: OrderedTable<ResourceName, RouteRule>, domain: CallDomain? = nil,
        damaged: OrderedTable<NodeID, [Refusal]> = OrderedTable(),
        configuration: CallConfiguration = CallConfiguration()
    ) {
        self.me = me
        self.name = name
        self.peers = peers
        self.agreements = agreements
        self.domainAgreements = domainAgreements
        self.resources = resources
        self.descriptions = descriptions
        self.routes = routes
        self.domain = domain
        self.configuration = configuration
        var names = OrderedTable<NodeName, NodeID>()
        // In their order, so that each goes behind the last and none has to make room.
        let byName = peers.map { ($1.name, $0) }.sorted { $0 < $1 }
        for (name, node) in byName where names[name] == nil { names[name] = node }
        self.names = names
        var foreigners = OrderedTable<NodeID, DomainID>()
        for (node, peer) in peers {
            guard let theirs = peer.membership?.domain, theirs != domain?.membership.domain else { continue }
            foreigners[node] = theirs
        }
        self.foreigners = foreigners
        var (sealed, networked) = (Set<Digest>(), Set<Digest>())
        var sealedGrants = OrderedTable<NodeID, Set<ResourceName>>()
        for (peer, terms) in agreements.map({ ($0, $1) }) + [(me, domainAgreements)] {
            for term in terms.terms {
                guard let conditions = term.agreement.conditions else { continue }
                if conditions.networks != nil { networked.insert(term.contentID) }
                guard conditions.encryption != nil else { continue }
                sealed.insert(term.contentID)
                guard term.standing == .active, peer != me else { continue }
                sealedGrants[peer] = (sealedGrants[peer] ?? []).union(term.agreement.grants.map(\.resource))
            }
        }
        (self.sealed, self.networked) = (sealed, networked)
        self.sealedGrants = sealedGrants
        self.damaged = damaged
    }
}

extension CallView {
    /// What the operator said about calls to `resource`; nil where that is nothing.
    func rule(for resource: ResourceName) -> RouteRule? { routes.isEmpty ? nil : routes[resource] }

    /// How much the operator prefers `node` among the providers of `resource`, and for which labels.
    func preference(for node: NodeID, of resource: ResourceName) -> (RouteWeight, [LabelPreference]) {
        guard let rule = rule(for: resource) else { return (.even, []) }
        let described = node == me ? self.resource(resource)?.description : description(resource, at: node)
        let labels = described?.labels ?? []
        return (rule.weight(of: node, labels: labels), rule.matches(in: labels))
    }
}

/// One peer, as calls see it.
public struct CallPeer: Sendable, Equatable {
    /// Unique in this node's store.
    public let name: NodeName
    /// Whether it is trusted now.
    public let trust: CallTrust
    /// Whether a link to it is up.
    public let link: CallLink
    /// Over what its link runs, if there is one.
    public let origin: LinkOrigin
    /// What counts of its credential, of whatever domain; nil: nothing.
    public let membership: Membership?
    /// To which key payloads for it are sealed; nil: none is known.
    public let encryption: EncryptionKey?
    /// Whether all that it offers is known.
    public let catalog: CallCatalog

    public init(
        name: NodeName, trust: CallTrust, link: CallLink, address: IPAddress? = nil, relay: NodeID? = nil,
        membership: Membership? = nil, encryption: EncryptionKey? = nil, catalog: CallCatalog = .known
    ) {
        self.name = name
        self.trust = trust
        self.link = link
        origin = LinkOrigin(address: address, relay: relay)
        self.membership = membership
        self.encryption = encryption
        self.catalog = catalog
    }
}

/// What is known of a peer's resources.
public enum CallCatalog: String, Sendable {
    /// As much as it tells.
    case known
    /// It had no link for so long that what it told is over: it tells anew once there is one.
    case awaited
}

/// Whether calls to and from a peer may pass at all.
public enum CallTrust: String, Sendable {
    /// It is trusted now.
    case trusted
    /// It is pending or verified, but not trusted.
    case untrusted
    /// The operator or an alarm suspended it.
    case suspended
    /// Its key is revoked.
    case revoked
}

/// The link to a peer, as calls see it.
public enum CallLink: String, Sendable {
    /// Calls can be sent.
    case up
    /// It is being dialled, or will be after a pause: calls wait for it within their deadline.
    case dialling
    /// Nothing needs it, and it is opened when a call comes: calls ask for it and wait within their deadline.
    case atRest
    /// Nothing tries to bring it up.
    case down
}

/// A resource that this node provides, with those who may know of it.
public struct OfferedResource: Sendable, Equatable {
    /// The resource.
    public let resource: LocalResource
    /// The peers to whom it is offered, in any order. Whoever holds an agreement on it may know of it too.
    public let offeredTo: [NodeID]
    /// Whether every member of this node's domain may know of it.
    public let toDomain: DomainOffer

    public init(resource: LocalResource, offeredTo: [NodeID], toDomain: DomainOffer = .withheld) {
        self.resource = resource
        self.offeredTo = offeredTo
        self.toDomain = toDomain
    }
}

/// What an operator may say about calls.
public struct CallConfiguration: Sendable, Equatable {
    /// Own calls under way at once, 1 ... 65 536; more are refused as overload.
    public var callsMax: Int
    /// Peers' calls under way here at once, 1 ... 65 536.
    public var servicesMax: Int
    /// Of these, one peer's; at most `servicesMax`.
    public var servicesPerPeer: Int
    /// How often it is told that calls use a link: well below `OverlayConfiguration.idle`.
    public var linkUsePause: Duration = .seconds(10)
    /// The policy engine that is asked about calls; nil: none is.
    public var external: ExternalPolicyRules?
    /// How often partners and principals may call, beside what is agreed with each.
    public var rates = CallRates()

    public init(
        callsMax: Int = 4_096, servicesMax: Int = 4_096, servicesPerPeer: Int = 2_048,
        external: ExternalPolicyRules? = nil
    ) {
        self.callsMax = callsMax
        self.servicesMax = servicesMax
        self.servicesPerPeer = servicesPerPeer
        self.external = external
    }

    /// All that is wrong with it.
    public func problems() -> [String] {
        var problems: [String] = []
        if !(1...65_536).contains(callsMax) { problems.append("own calls at once are 1 ... 65536") }
        if !(1...65_536).contains(servicesMax) { problems.append("peers' calls at once are 1 ... 65536") }
        if !(1...max(servicesMax, 1)).contains(servicesPerPeer) {
            problems.append("one peer's calls at once are 1 ... \(servicesMax)")
        }
        if let external {
            if !(.milliseconds(10) ... .seconds(5)).contains(external.patience) {
                problems.append("a policy engine is waited for 10 ms ... 5 s")
            }
            if !(.zero ... .seconds(3_600)).contains(external.cacheLife) {
                problems.append("a policy engine's answer counts for an hour at most")
            }
        }
        return problems
    }
}

extension CallView {
    /// The resource of this name that this node provides; what is built in always exists, and agreements
    /// decide who may call it.
    func resource(_ name: ResourceName) -> LocalResource? {
        resources[name]?.resource ?? LocalResource(builtIn: name)
    }

    /// What is known of `peer`'s resource.
    func description(_ name: ResourceName, at peer: NodeID) -> ResourceDescription? {
        descriptions[peer]?[name] ?? CapabilityMatcher.builtIn(name)
    }

    /// Whether `peer` may know that this node has `name`: it was offered, to it or to the domain of both, or
    /// an agreement names it.
    func mayKnow(_ peer: NodeID, of name: ResourceName, at wall: WallTime) -> Bool {
        name == .echo || resources[name]?.offeredTo.contains(peer) == true
            || resources[name]?.toDomain == .offered && domain?.isMember(peer, at: wall) == true
            || agreements[peer]?.names(name, of: me) == true || isGranted(name, to: peer, at: wall)
    }

    /// What people call `node`.
    func label(_ node: NodeID) -> String {
        node == me ? name.description : peers[node]?.name.description ?? node.brief
    }
}
