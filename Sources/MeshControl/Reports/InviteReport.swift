import MeshBase

/// An invite that was opened.
public struct InviteReport: Codable, Equatable, Sendable {
    /// The version of this form: 1.
    public var version = 1
    /// The one line to pass on. It holds a secret.
    public var line: String
    /// Names the invite without its secret.
    public var inviteID: String
    /// When it ends.
    public var expires: Timestamp

    public init(line: String, inviteID: String, expires: Timestamp) {
        self.line = line
        self.inviteID = inviteID
        self.expires = expires
    }
}

/// How an invite stands.
public enum InviteState: String, Codable, Sendable, CaseIterable {
    /// Nobody has used it.
    case open
    /// A joiner proved that it knows the line; the operator is asked.
    case asking
    /// Used: the joiner is trusted.
    case joined
    /// Its time is over.
    case expired
    /// Ended: too many wrong proofs, or the operator said no.
    case ended

    /// Whether it will change no more.
    public var isFinal: Bool {
        switch self {
        case .open, .asking: false
        case .joined, .expired, .ended: true
        }
    }
}

/// How an invite stands, and who is at the door.
public struct InviteProgress: Codable, Equatable, Sendable {
    /// The version of this form: 1.
    public var version = 1
    /// How it stands.
    public var state: InviteState
    /// Who asks or joined.
    public var peer: NodeReference?
    /// Its fingerprint in words; empty without a peer.
    public var words: [String]
    /// When the invite ends.
    public var expires: Timestamp

    public init(state: InviteState, peer: NodeReference?, words: [String], expires: Timestamp) {
        self.state = state
        self.peer = peer
        self.words = words
        self.expires = expires
    }
}

/// How far a join has come.
public enum JoinStage: String, Codable, Sendable, CaseIterable {
    /// Connecting to the inviter's addresses.
    case dialling
    /// The handshake under the invite's secret.
    case proving
    /// The inviter's operator is asked.
    case confirming
    /// Trust is made; the link is coming up.
    case linking
    /// The link is up; the built-in offer is not active yet.
    case agreeing
    /// All is done.
    case done
}

/// How far a join has come; a join that failed is a `ControlFailure`.
public struct JoinProgress: Codable, Equatable, Sendable {
    /// The version of this form: 1.
    public var version = 1
    /// How far it has come.
    public var stage: JoinStage
    /// The inviter.
    public var peer: NodeReference?
    /// Its fingerprint in words; empty before it proved its key.
    public var words: [String]
    /// What it waits for, in one line: `10.0.0.2:7410 to answer`; nil when done.
    public var waitingFor: String?

    public init(stage: JoinStage, peer: NodeReference?, words: [String], waitingFor: String?) {
        self.stage = stage
        self.peer = peer
        self.words = words
        self.waitingFor = waitingFor
    }
}
