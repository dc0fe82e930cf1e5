import MeshBase

/// Where a node was proven to be: an endpoint that was dialled and behind which that node passed the
/// handshake.
struct ProvenEndpoint: Sendable, Equatable {
    let endpoint: Endpoint
    /// When the handshake was passed last.
    let at: Instant
}

/// Remembers where which node was proven to be, latest first: what we dial before anything that was only
/// sighted.
///
/// One endpoint has one owner, the latest. It outlives the link and every sighting; only later proofs
/// displace it.
struct ProvenEndpoints: Sendable, Equatable {
    /// At most this many a node: half of what is kept for a peer, so that sightings always have the other
    /// half.
    static let perNode = Limits.endpointsPerPeer / 2

    private var endpoints = OrderedTable<NodeID, [ProvenEndpoint]>()
    private var owners = OrderedTable<Endpoint, NodeID>()

    /// Whose endpoint it was last; nil when nobody's.
    func owner(of endpoint: Endpoint) -> NodeID? { owners[endpoint] }

    /// Those of `node`, latest first.
    func endpoints(of node: NodeID) -> [ProvenEndpoint] { endpoints[node] ?? [] }

    /// `node` passed the handshake at `endpoint`.
    mutating func prove(_ node: NodeID, at endpoint: Endpoint, when now: Instant) {
        if let former = owners[endpoint] { drop(endpoint, of: former) }
        var list = endpoints[node] ?? []
        list.insert(ProvenEndpoint(endpoint: endpoint, at: now), at: 0)
        if list.count > Self.perNode { owners[list.removeLast().endpoint] = nil }
        endpoints[node] = list
        owners[endpoint] = node
    }

    /// Forgets what was proven at `endpoint`, for it was proven to be somebody whom we do not list.
    mutating func disprove(_ endpoint: Endpoint) {
        if let former = owners[endpoint] { drop(endpoint, of: former) }
    }

    /// Forgets all about `node`.
    mutating func forget(_ node: NodeID) {
        for proven in endpoints.remove(node) ?? [] { owners[proven.endpoint] = nil }
    }

    private mutating func drop(_ endpoint: Endpoint, of node: NodeID) {
        owners[endpoint] = nil
        let isEmpty = endpoints.update(node) { list in
            list.removeAll { $0.endpoint == endpoint }
            return list.isEmpty
        }
        if isEmpty == true { endpoints[node] = nil }
    }
}
