import MeshBase

/// Which Consul is asked, and how.
public struct ConsulSettings: Sendable {
    /// Its HTTP API.
    public var endpoint: Endpoint
    /// Nil for plain HTTP.
    public var tls: ConsulTLS?
    /// Under which name to register and look.
    public var service: String
    /// Where to look; nil: in the server's own datacenter.
    public var datacenter: String?
    /// Pairs of metadata that a registration must show; the server is asked for these only, and each answer
    /// is compared again.
    public var required: OrderedTable<String, String>
    /// The ACL token, read anew for each question, so that it may be changed under a running agent; nil:
    /// none. What it throws stands for "do not ask".
    public var token: @Sendable () throws(ConsulFailure) -> String?
    /// How long a question may wait at the server.
    public var wait: Duration

    public init(
        endpoint: Endpoint, tls: ConsulTLS? = nil, service: String, datacenter: String? = nil,
        required: OrderedTable<String, String> = OrderedTable(), wait: Duration = .seconds(30),
        token: @escaping @Sendable () throws(ConsulFailure) -> String? = { () throws(ConsulFailure) in nil }
    ) {
        self.endpoint = endpoint
        self.tls = tls
        self.service = service
        self.datacenter = datacenter
        self.required = required
        self.wait = wait
        self.token = token
    }
}

/// How an `https://` server is believed, and what it is shown.
public struct ConsulTLS: Sendable {
    /// PEM of the authorities that may vouch for it; nil: those of the system.
    public var authorities: [UInt8]?
    /// PEM of the certificate to show and its chain, and of its key; nil: none is shown.
    public var identity: (certificate: [UInt8], key: [UInt8])?

    public init(authorities: [UInt8]? = nil, identity: (certificate: [UInt8], key: [UInt8])? = nil) {
        self.authorities = authorities
        self.identity = identity
    }
}

/// What this node registers.
public struct ConsulRegistration: Sendable, Equatable {
    /// The registration's ID: random, so that it tells nothing and differs from start to start.
    public let id: String
    /// Where this node listens; an empty host stands for the address of the Consul agent's own machine.
    public let endpoint: Endpoint
    /// What it says of itself; whoever may read the catalog sees it.
    public let metadata: OrderedTable<String, String>

    public init(id: String, endpoint: Endpoint, metadata: OrderedTable<String, String>) {
        self.id = id
        self.endpoint = endpoint
        self.metadata = metadata
    }
}
