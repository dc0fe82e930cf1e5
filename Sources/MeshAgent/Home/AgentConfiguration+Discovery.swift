import MeshBase

// How peers are found.
extension AgentConfiguration {
    /// How peers are found. Discovery gives hints only: whatever is set here, nobody is trusted by it.
    public struct Discovery: Sendable, Equatable {
        /// Whether this node announces itself by mDNS through Avahi, and browses. Without it peers on the LAN
        /// are found by static entries, invites and redialling only.
        public var isAvahiOn = true
        /// Addresses to dial from the start: at most 256, with those of `staticFile`.
        public var `static`: [StaticPeer] = []
        /// A file with more of them, in YAML or JSON, so that other tools can write it: absolute, or from the
        /// home. Nil: none. It is read with the configuration.
        public var staticFile: String?
        /// What that file holds.
        public var listed: [StaticPeer] = []
        /// Whether sightings at loopback addresses are believed, for several nodes on one machine. Whoever
        /// can announce on the LAN could then make this node connect to ports of its own machine; it would
        /// say hello there and hang up.
        public var allowsLoopback = false
        /// How long what mDNS or Consul showed holds without being shown again: 30 s ... 1 h. Shorter forgets
        /// sooner who left without a goodbye, longer outlasts longer failures of a witness. What DNS says
        /// holds for as long as its records say.
        public var sightingLife: Duration = .seconds(150)
        /// A Consul server to register with and to ask.
        public var consul = Consul()
        /// Name servers to ask.
        public var dns = DNS()
    }

    /// A Consul server to register with and to ask. Its token stands in a file or in `COMITY_CONSUL_TOKEN`,
    /// never here.
    public struct Consul: Sendable, Equatable {
        /// Where its HTTP API is: `http://` or `https://`, a host, a port. Nil: Consul is not used.
        public var url: ServerURL?
        /// Under which name this node registers and looks: 1 ... 63 letters, digits and `-`.
        public var service = "comity"
        /// In which datacenter to look; nil: that of the server.
        public var datacenter: String?
        /// Whether this node registers itself. Without it peers find it by other ways only.
        public var announces = true
        /// What the registration says beside version and tag, which whoever reads the catalog sees: at most
        /// 16 pairs.
        public var metadata = OrderedTable<String, String>()
        /// Pairs that a registration must show to be listened to: at most 16.
        public var required = OrderedTable<String, String>()
        /// A file with the token, readable by its owner only (mode 0600): absolute, or from the home.
        public var tokenFile: String?
        /// PEM of the authorities that may vouch for an `https://` server; nil: those of the system.
        public var authorityFile: String?
        /// PEM of the certificate to show to the server, with its chain; nil: none.
        public var certificateFile: String?
        /// PEM of that certificate's key, readable by its owner only.
        public var keyFile: String?
    }

    /// Name servers to ask for services (RFC 6763).
    public struct DNS: Sendable, Equatable {
        /// In which domains to look for `_comity._tcp`: at most 8. Empty: DNS is not used.
        public var domains: [String] = []
        /// Which name server to ask; nil: those of the system (`/etc/resolv.conf`).
        public var server: Endpoint?
    }

    /// Where a server's HTTP API is.
    public struct ServerURL: Sendable, Hashable, CustomStringConvertible {
        /// Whether it is asked over TLS.
        public let isEncrypted: Bool
        /// Its host and port.
        public let endpoint: Endpoint

        /// `http://HOST:PORT` or `https://HOST:PORT`, a slash behind it or not; nil for anything else.
        public init?(_ text: String) {
            let isEncrypted = text.hasPrefix("https://")
            guard isEncrypted || text.hasPrefix("http://") else { return nil }
            var rest = text.dropFirst(isEncrypted ? 8 : 7)
            if rest.hasSuffix("/") { rest = rest.dropLast() }
            guard let endpoint = Endpoint(String(rest)), endpoint.port > 0 else { return nil }
            self.isEncrypted = isEncrypted
            self.endpoint = endpoint
        }

        public var description: String { "\(isEncrypted ? "https" : "http")://\(endpoint)" }
    }

    /// One address to dial.
    public struct StaticPeer: Sendable, Hashable {
        /// Where; a name is resolved anew at each attempt. Port 1 ... 65535.
        public var endpoint: Endpoint
        /// Who must answer there; nil: a hint like any other.
        public var node: NodeID?

        public init(endpoint: Endpoint, node: NodeID? = nil) {
            self.endpoint = endpoint
            self.node = node
        }
    }
}
