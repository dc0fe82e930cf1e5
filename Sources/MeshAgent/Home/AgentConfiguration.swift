import MeshBase
import MeshControl
import MeshRouting

/// All that an operator may set. The defaults work: no file is needed. What the protocol fixes stands in
/// `Limits`, not here.
public struct AgentConfiguration: Sendable, Equatable {
    /// What peers call this node at first: 1 ... 63 letters, digits, `.`, `_`, `-`. Claimed, never a ground
    /// for trust; a peer that already knows another node of this name adds a number.
    public var name: NodeName
    /// Where peers reach this node. Port 0 ... 65535; 0 takes any free port. The host `::` serves IPv4 and
    /// IPv6. When nobody set it and the port is taken, the next free one is used and remembered; when
    /// somebody did, the agent does not start.
    public var listen = Endpoint(host: "::", port: 7410)
    /// What invites and sightings name instead of this machine's own addresses, for a forwarded port: at most
    /// `Limits.endpointsPerPeer`. Empty: the addresses of this machine.
    public var advertise: [Endpoint] = []
    /// How peers are found.
    public var discovery = Discovery()
    /// How applications on this machine call.
    public var gateway = Gateway()
    /// What is agreed without asking.
    public var agreements = Agreements()
    /// A policy engine that is asked about calls.
    public var policy = Policy()
    /// How often partners and principals may call, beside what is agreed with each: 1 ... 1 000 000 calls in
    /// a second, a minute or an hour, and as many at once. What comes faster is refused.
    public var calls = CallRates()
    /// Servers of the Model Context Protocol that this agent runs.
    public var mcp = MCP()
    /// Whether `echo` is offered to every newly trusted peer for 30 days. Without it a first call needs a
    /// resource.
    public var isEchoOffered = true
    /// How much of the past is kept.
    public var audit = Audit()
    /// What is said while running.
    public var log = Log()

    public init(name: NodeName) { self.name = name }

    /// How applications on this machine call.
    public struct Gateway: Sendable, Equatable {
        /// A loopback address and a port 0 ... 65535, as with `AgentConfiguration.listen`. Never another
        /// address: whoever reaches the gateway calls in this node's name.
        public var listen = Endpoint(host: "127.0.0.1", port: 7411)
        /// Whether the port asks for a token. On a host with users who should not call, it must.
        public var access = Access.open
        /// Who may call in the name of which principals, at most 64 each, beside their own name. Nobody may
        /// unless listed.
        public var principals = OrderedTable<Caller, [Principal]>()
        /// Whose calls on the Unix socket are whose: user ID to principal. A user who is not listed is
        /// `local`.
        public var users = OrderedTable<UInt32, Principal>()
    }

    /// Whether the gateway's port asks for a token.
    public enum Access: String, Sendable, CaseIterable {
        /// Every process of this machine may call.
        case open
        /// Who calls shows the token in the home's `gateway.token`.
        case token
    }

    /// Whoever calls through the gateway.
    public enum Caller: Sendable, Hashable, Comparable {
        /// Anybody who reaches the port (with the token, where one is asked for).
        case port
        /// A user of this machine, on the Unix socket.
        case user(UInt32)
    }

    /// What is agreed without asking.
    public struct Agreements: Sendable, Equatable {
        /// Whether offers in which this node is only the consumer, without conditions, of at most 31 days,
        /// are accepted by themselves.
        public var autoAccept = AutoAccept.default
        /// In which roles people of this node must approve before it signs an agreement; responsible and
        /// accountable are among them where any is. Empty: nobody need.
        public var requireApprovals: [PersonRole] = []
    }

    /// A policy engine (Open Policy Agent's REST API) that is asked about each call besides the agreements.
    /// It can only refuse; an engine that does not answer refuses everything that it is asked about.
    public struct Policy: Sendable, Equatable {
        /// Where its HTTP API is: `http://` or `https://`, a host, a port. Nil: no engine is asked.
        public var url: ServerURL?
        /// Which rule decides, as its path under `/v1/data/`: at most 512 letters, digits, `_`, `-`, `/`.
        public var rule = "comity/allow"
        /// Which calls are asked about.
        public var asks = Sides.both
        /// How long an answer is waited for, 10 ms ... 5 s: what each call may wait longer.
        public var timeout: Duration = .milliseconds(500)
        /// How long an answer counts for calls that are alike, 0 ... 1 h. Longer asks less often and hears
        /// later of a change.
        public var cache: Duration = .zero
        /// A file with a bearer token, readable by its owner only (mode 0600): absolute, or from the home.
        public var tokenFile: String?
        /// PEM of the authorities that may vouch for an `https://` engine; nil: those of the system.
        public var authorityFile: String?
    }

    /// Servers of the Model Context Protocol that this agent runs.
    public struct MCP: Sendable, Equatable {
        /// What `mcp+stdio:NAME` starts: the absolute path of a program, and its arguments. At most 16, each
        /// of at most 64 words of 4 096 bytes. Whoever writes them here has them run as this agent's user, so
        /// `config.yaml` alone names them, and only while nobody else can change it.
        public var servers = OrderedTable<ResourceName, [String]>()
    }

    /// On which side of calls something is done.
    public enum Sides: String, Sendable, CaseIterable {
        /// What leaves this node, and what peers call here.
        case both
        /// What leaves this node.
        case consumer
        /// What peers call here.
        case provider
    }

    /// Which offers are accepted by themselves.
    public enum AutoAccept: String, Sendable, CaseIterable {
        /// Those that only give and ask nothing (protocol section 7), at most
        /// `Limits.automaticAgreementsPerPeer` per peer.
        case `default`
        /// None: every offer waits for `comity agreement accept`.
        case none
    }

    /// How much of the past is kept: whatever limit is met first. What is gone cannot be proved any more.
    public struct Audit: Sendable, Equatable {
        /// 1 ... 3 650 days.
        public var days: Int64 = 90
        /// 64 MiB ... 1 TiB, in bytes. When it is full of what may not go yet, calls are refused.
        public var bytes: Int64 = 2 << 30
    }

    /// What is said while running, on standard error.
    public struct Log: Sendable, Equatable {
        /// The least that is said.
        public var level = LogLevel.info
        /// For people or for machines.
        public var format = Format.text
    }

    /// How it is said.
    public enum Format: String, Sendable, CaseIterable {
        /// One line for people.
        case text
        /// One JSON object a line.
        case json
    }
}
