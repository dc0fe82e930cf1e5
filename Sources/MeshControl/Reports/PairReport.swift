import MeshBase

/// How pairing by words stands.
public enum PairState: String, Codable, Sendable, CaseIterable {
    /// The window is open; nobody is there yet.
    case listening
    /// The side that was picked is being dialled.
    case dialling
    /// Both screens show words: the operator is asked.
    case comparing
    /// This operator said yes; the other one is waited for.
    case answered
    /// Trust is made.
    case paired
    /// The window is over without trust.
    case closed

    /// Whether it will change no more.
    public var isFinal: Bool { self == .paired || self == .closed }
}

/// How a window for pairing by words stands.
public struct PairReport: Codable, Equatable, Sendable {
    /// The version of this form: 1.
    public var version = 1
    /// Names the window.
    public var window: Int64
    /// How it stands.
    public var state: PairState
    /// When it ends by itself; nil once it is over.
    public var until: Timestamp?
    /// Others whose windows are seen on the local network, by name. Hints: anybody can say any name.
    public var seen: [PairSighting]
    /// Who is on the other side; nil before its key is known.
    public var peer: NodeReference?
    /// Where it is; while dialling, where it is looked for.
    public var address: Endpoint?
    /// The words on this screen; empty while there are none.
    public var words: [String]
    /// Its clock less ours; nil while unknown.
    public var clockSkewSeconds: Double?
    /// Why the last try failed, or the window ended; while dialling, why it does not go on.
    public var failure: ControlFailure?
    /// How many tries have failed, counting up: tells a second failure from the first.
    public var failures: Int64
    /// Who reaches whom, once there is a link; nil before.
    public var reach: ReachReport?

    public init(
        window: Int64, state: PairState, until: Timestamp? = nil, seen: [PairSighting] = [],
        peer: NodeReference? = nil, address: Endpoint? = nil, words: [String] = [],
        clockSkewSeconds: Double? = nil, failure: ControlFailure? = nil, failures: Int64 = 0
    ) {
        self.window = window
        self.state = state
        self.until = until
        self.seen = seen
        self.peer = peer
        self.address = address
        self.words = words
        self.clockSkewSeconds = clockSkewSeconds
        self.failure = failure
        self.failures = failures
    }
}

/// Somebody whose window is seen on the local network.
public struct PairSighting: Codable, Equatable, Sendable {
    /// The name that its operator gave it.
    public var name: NodeName
    /// Where it may be dialled, best first.
    public var endpoints: [Endpoint]

    public init(name: NodeName, endpoints: [Endpoint]) {
        self.name = name
        self.endpoints = endpoints
    }
}
