import MeshBase

/// All that `comity doctor` looked at: what can be seen without the agent, and what a running agent told. It
/// is gathered by a shell and judged by `DoctorJudgement`; nil and empty mean that it could not be looked at.
public struct DoctorFacts: Equatable, Sendable {
    /// The home's folder.
    public var home: HomeFacts
    /// This machine's networks.
    public var networks: [NetworkFacts] = []
    /// The Avahi daemon.
    public var avahi = AvahiFacts.off
    /// Names among the operator's addresses, and what they lead to.
    public var names: [NameFacts] = []
    /// The link port, where no agent holds it.
    public var port: PortFacts?
    /// What the agent told; nil when none runs.
    public var agent: AgentFacts?

    public init(home: HomeFacts) { self.home = home }

    /// A home.
    public struct HomeFacts: Equatable, Sendable {
        /// Its absolute path.
        public var path: String
        /// Whether it is there.
        public var exists: Bool
        /// Whether this user may write in it, and its file system takes writes.
        public var isWritable = true
        /// Room for this user, in bytes.
        public var freeBytes: Int64?
        /// The folder, and the files that must be their owner's alone.
        public var secrets: [FileFacts] = []

        public init(path: String, exists: Bool) {
            self.path = path
            self.exists = exists
        }
    }

    /// A file or folder that must be its owner's alone.
    public struct FileFacts: Equatable, Sendable {
        /// Its path.
        public var path: String
        /// Its permissions, the lowest nine bits of its mode.
        public var permissions: UInt16
        /// Whether it belongs to this user.
        public var isOwn: Bool
        /// Whether it is a folder.
        public var isFolder: Bool

        public init(path: String, permissions: UInt16, isOwn: Bool, isFolder: Bool) {
            self.path = path
            self.permissions = permissions
            self.isOwn = isOwn
            self.isFolder = isFolder
        }
    }

    /// One network interface.
    public struct NetworkFacts: Equatable, Sendable {
        /// What it is, as far as mDNS is concerned.
        public enum Kind: String, Sendable {
            case ordinary
            /// A bridge of Docker or the like: containers of this host, nobody else.
            case containerBridge
            /// A tunnel: point to point.
            case tunnel
        }

        /// Its name.
        public var name: String
        /// What it is.
        public var kind: Kind
        /// Whether it says that it carries multicast.
        public var carriesMulticast: Bool
        /// What a real question over it came to, one for each address family that it has.
        public var probes: [MulticastFacts]

        public init(name: String, kind: Kind, carriesMulticast: Bool, probes: [MulticastFacts]) {
            self.name = name
            self.kind = kind
            self.carriesMulticast = carriesMulticast
            self.probes = probes
        }
    }

    /// What a question by multicast came to.
    public struct MulticastFacts: Equatable, Sendable {
        /// `IPv4` or `IPv6`.
        public var family: String
        /// Datagrams that the kernel took.
        public var sent: Int
        /// Of these, such as came back to this host itself; nil where nobody could listen for them.
        public var returned: Int?
        /// The others who answered.
        public var answering: [String]
        /// Why one was not sent; nil when all were.
        public var error: String?

        public init(family: String, sent: Int, returned: Int?, answering: [String], error: String?) {
            self.family = family
            self.sent = sent
            self.returned = returned
            self.answering = answering
            self.error = error
        }
    }

    /// The Avahi daemon.
    public enum AvahiFacts: Equatable, Sendable {
        /// `discovery.avahi` is off.
        case off
        case running
        /// With the reason.
        case unavailable(String)
    }

    /// A name among the operator's addresses.
    public struct NameFacts: Equatable, Sendable {
        /// The name.
        public var name: String
        /// Where it leads.
        public var addresses: [String]
        /// Why it leads nowhere; nil when it leads somewhere.
        public var error: String?

        public init(name: String, addresses: [String], error: String?) {
            self.name = name
            self.addresses = addresses
            self.error = error
        }
    }

    /// A port that nobody of this home holds.
    public struct PortFacts: Equatable, Sendable {
        /// Where the agent would listen.
        public var wanted: Endpoint
        /// Whether an operator chose it: then no other is tried.
        public var isChosen: Bool
        /// Why it cannot be had; nil when it can.
        public var error: String?

        public init(wanted: Endpoint, isChosen: Bool, error: String?) {
            self.wanted = wanted
            self.isChosen = isChosen
            self.error = error
        }
    }

    /// What a running agent told.
    public struct AgentFacts: Equatable, Sendable {
        /// One screen of it.
        public var status: StatusReport
        /// Its domain; nil when it is in none.
        public var domain: DomainReport?
        /// What its dials and its peers' found, one for each peer that has a link and was asked.
        public var reach: [ReachReport] = []

        public init(status: StatusReport) { self.status = status }
    }
}
