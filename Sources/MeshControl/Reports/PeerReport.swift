import MeshBase

/// Every peer that is known.
public struct PeersReport: Codable, Equatable, Sendable {
    /// The version of this form: 1.
    public var version = 1
    /// Trusted ones first, then by name.
    public var peers: [PeerReport]

    public init(peers: [PeerReport]) { self.peers = peers }
}

/// All that is known about one peer. Trust, link and service are three things and never mixed.
public struct PeerReport: Codable, Equatable, Sendable {
    /// How far a peer is trusted.
    public enum Trust: String, Codable, Sendable, CaseIterable {
        /// Only a hint from discovery.
        case seen
        /// Trust is being made.
        case pending
        /// Its key is proved; grants are missing.
        case verified
        /// Both sides granted.
        case trusted
        /// Put aside by this node's operator or an alarm.
        case suspended
        /// Final for its key.
        case revoked
    }
    /// How the link stands.
    public enum Link: String, Codable, Sendable, CaseIterable {
        /// It carries.
        case up
        /// It missed pings.
        case degraded
        /// There is none, and none is needed: it is opened when a call or a document needs it.
        case onDemand = "on-demand"
        /// There is none.
        case down

        /// Whether there is one.
        public var isUp: Bool { self == .up || self == .degraded }
    }

    /// Unique here; nil while it is only seen.
    public var name: NodeName?
    /// Nil while it is only seen and unrecognised.
    public var id: NodeID?
    /// The fingerprint of its identity key in words; empty while unknown.
    public var words: [String]
    /// How far it is trusted.
    public var trust: Trust
    /// How the link stands.
    public var link: Link
    /// The address in use; nil without a link, and where a relay carries it.
    public var address: Endpoint?
    /// The relay that carries the link; nil: none does.
    public var relay: NodeReference?
    /// Where it may be reached, best first.
    public var endpoints: [Endpoint]
    /// Who told of it.
    public var witnesses: [WitnessReport]
    /// Round trip of the last ping; nil without one.
    public var latencyMilliseconds: Double?
    /// Its clock less ours at the last handshake; nil without one.
    public var clockSkewSeconds: Double?
    /// When the node certificate that it showed last ends; nil without one.
    public var certificateExpires: Timestamp?
    /// Since when it is trusted; nil when it is not.
    public var trustedSince: Timestamp?
    /// What it is in its domain; nil: nothing that counts here.
    public var membership: MembershipReport?
    /// Why it stands where it stands, oldest first.
    public var evidence: [EvidenceReport]
    /// How frames have left on its link; nil without one, and in lists.
    public var flow: FlowReport?
    /// What it and this node believe differently about the two; nil: nothing that lasted.
    public var drift: DriftReport?

    public init(
        name: NodeName?, id: NodeID?, words: [String], trust: Trust, link: Link, address: Endpoint? = nil,
        relay: NodeReference? = nil, endpoints: [Endpoint] = [], witnesses: [WitnessReport] = [],
        latencyMilliseconds: Double? = nil,
        clockSkewSeconds: Double? = nil, certificateExpires: Timestamp? = nil, trustedSince: Timestamp? = nil,
        membership: MembershipReport? = nil, evidence: [EvidenceReport] = []
    ) {
        self.name = name
        self.id = id
        self.words = words
        self.trust = trust
        self.link = link
        self.address = address
        self.relay = relay
        self.endpoints = endpoints
        self.witnesses = witnesses
        self.latencyMilliseconds = latencyMilliseconds
        self.clockSkewSeconds = clockSkewSeconds
        self.certificateExpires = certificateExpires
        self.trustedSince = trustedSince
        self.membership = membership
        self.evidence = evidence
    }

    /// Its name, else the beginning of its ID, else where it was seen.
    public var title: String {
        name?.description ?? id?.brief ?? endpoints.first.map { "(\($0))" } ?? "(unknown)"
    }
}

/// How the frames of a link have left: that its streams share it fairly.
public struct FlowReport: Codable, Equatable, Sendable {
    /// Streams open now.
    public var streams: Int
    /// The most streams that were ever open at once.
    public var mostStreams: Int
    /// Frames that left.
    public var framesSent: UInt64
    /// The most frames that left while any one was ready: at most one of each other stream, and one document.
    public var longestWaitFrames: UInt64

    public init(streams: Int, mostStreams: Int, framesSent: UInt64, longestWaitFrames: UInt64) {
        self.streams = streams
        self.mostStreams = mostStreams
        self.framesSent = framesSent
        self.longestWaitFrames = longestWaitFrames
    }
}

/// Who told of a peer.
public struct WitnessReport: Codable, Equatable, Sendable {
    /// `mdns`, `static`, `invite`, `link`, `consul`, `dns`.
    public var witness: String
    /// Which of several that look in the same way: an interface, a domain; nil where there is but one.
    public var scope: String?
    /// How long ago, in seconds.
    public var ageSeconds: Double
    /// Where it said the peer is; nil when it said nothing of that.
    public var endpoint: Endpoint?

    /// How long ago it said so first.
    public var firstAgeSeconds: Double?

    public init(
        witness: String, scope: String? = nil, ageSeconds: Double, firstAgeSeconds: Double? = nil,
        endpoint: Endpoint?
    ) {
        self.witness = witness
        self.scope = scope
        self.ageSeconds = ageSeconds
        self.firstAgeSeconds = firstAgeSeconds
        self.endpoint = endpoint
    }
}

/// One reason for a peer's trust state.
public struct EvidenceReport: Codable, Equatable, Sendable {
    /// When.
    public var time: Timestamp
    /// What happened: `joined by invite`, `suspended by operator`.
    public var what: String
    /// What was compared.
    public var facts: [Fact]

    public init(time: Timestamp, what: String, facts: [Fact]) {
        self.time = time
        self.what = what
        self.facts = facts
    }
}

/// A node as others speak of it.
public struct NodeReference: Codable, Equatable, Hashable, Sendable {
    /// Its name here; nil for one that has none.
    public var name: NodeName?
    /// Its node ID.
    public var id: NodeID

    public init(name: NodeName?, id: NodeID) {
        self.name = name
        self.id = id
    }

    /// Its name, else the beginning of its ID.
    public var title: String { name?.description ?? id.brief }
}
