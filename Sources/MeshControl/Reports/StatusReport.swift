import MeshBase

/// One screen of how things stand at a node.
///
/// All reports are printed by `--json` as they are encoded here: a contract in which members are only added.
public struct StatusReport: Codable, Equatable, Sendable {
    /// The version of this form: 1.
    public var version = 1
    /// Who this node is.
    public var node: NodeReport
    /// Where it listens.
    public var listening: ListeningReport
    /// How it finds others, and what is missing for that.
    public var discovery: [DiscoveryReport]
    /// Every peer that is known.
    public var peers: [PeerReport]
    /// What this node provides.
    public var resources: [ResourceReport]
    /// Every agreement that is kept.
    public var agreements: [AgreementReport]
    /// The house agreement of this node's domain; nil while it is in none.
    public var house: HouseReport?
    /// Every breaker that is not at rest.
    public var breakers: [BreakerReport]
    /// What a person should look at, most urgent first.
    public var attention: [AttentionReport]

    public init(
        node: NodeReport, listening: ListeningReport, discovery: [DiscoveryReport], peers: [PeerReport],
        resources: [ResourceReport], agreements: [AgreementReport], house: HouseReport? = nil,
        breakers: [BreakerReport], attention: [AttentionReport]
    ) {
        self.node = node
        self.listening = listening
        self.discovery = discovery
        self.peers = peers
        self.resources = resources
        self.agreements = agreements
        self.house = house
        self.breakers = breakers
        self.attention = attention
    }
}

/// Who a node is.
public struct NodeReport: Codable, Equatable, Sendable {
    /// Its name for people.
    public var name: NodeName
    /// Its node ID.
    public var id: NodeID
    /// The fingerprint of its identity key in words.
    public var words: [String]
    /// The number of this run.
    public var boot: Int64
    /// What it is in its domain; nil: nothing.
    public var membership: MembershipReport?
    /// When its certificate ends; it is made anew at two thirds of its day.
    public var certificateExpires: Timestamp?
    /// When this run began.
    public var started: Timestamp
    /// The program's version.
    public var program: String

    public init(
        name: NodeName, id: NodeID, words: [String], boot: Int64, membership: MembershipReport? = nil,
        certificateExpires: Timestamp? = nil, started: Timestamp, program: String
    ) {
        self.name = name
        self.id = id
        self.words = words
        self.boot = boot
        self.membership = membership
        self.certificateExpires = certificateExpires
        self.started = started
        self.program = program
    }
}

/// Where a node listens.
public struct ListeningReport: Codable, Equatable, Sendable {
    /// For peers: the addresses that it listens on or advertises.
    public var link: [Endpoint]
    /// For applications on this machine; nil when the port is off.
    public var gateway: Endpoint?
    /// The path of the gateway's Unix socket; nil when there is none.
    public var gatewaySocket: String?
    /// The path of the control socket.
    public var control: String

    public init(link: [Endpoint], gateway: Endpoint?, gatewaySocket: String?, control: String) {
        self.link = link
        self.gateway = gateway
        self.gatewaySocket = gatewaySocket
        self.control = control
    }
}

/// One way to find others.
public struct DiscoveryReport: Codable, Equatable, Sendable {
    /// How it stands.
    public enum State: String, Codable, Sendable, CaseIterable {
        /// It works here.
        case working
        /// It should work and does not; `detail` says why.
        case failing
        /// It is not configured.
        case off
    }
    /// `mdns`, `static`, `consul`, `dns`.
    public var method: String
    /// How it stands.
    public var state: State
    /// What it does, or why it does not; one line.
    public var detail: String
    /// How long ago whatever stands behind it answered last; nil: not yet.
    public var answerAgeSeconds: Double?
    /// How long that answer took; nil where nothing is asked.
    public var answerMilliseconds: Double?

    public init(
        method: String, state: State, detail: String, answerAgeSeconds: Double? = nil,
        answerMilliseconds: Double? = nil
    ) {
        self.method = method
        self.state = state
        self.detail = detail
        self.answerAgeSeconds = answerAgeSeconds
        self.answerMilliseconds = answerMilliseconds
    }
}

/// One thing that a person should look at.
public struct AttentionReport: Codable, Equatable, Sendable {
    /// What is wrong, in one line.
    public var what: String
    /// The one command that would change it; nil when there is none.
    public var next: String?

    public init(what: String, next: String?) {
        self.what = what
        self.next = next
    }
}

/// The effective configuration.
public struct ConfigurationReport: Codable, Equatable, Sendable {
    /// The version of this form: 1.
    public var version = 1
    /// In the order of the documentation.
    public var values: [ConfigurationValue]

    public init(values: [ConfigurationValue]) { self.values = values }
}

/// One configured value.
public struct ConfigurationValue: Codable, Equatable, Sendable {
    /// Its name, as in `config.yaml`: `gateway.listen`.
    public var key: String
    /// Its value as text; a secret is shown as `(secret)`.
    public var value: String
    /// Where it comes from: `default`, `config.yaml:12`, `COMITY_GATEWAY_LISTEN`, `--gateway`, `remembered`.
    public var origin: String

    public init(key: String, value: String, origin: String) {
        self.key = key
        self.value = value
        self.origin = origin
    }
}
