import MeshBase

/// One screen of how things stand.
public enum ShowStatus: ControlOperation {
    public typealias Request = Nothing
    public typealias Response = StatusReport
    public static let path = "status"
}

/// The effective configuration with the origin of each value.
public enum ShowConfiguration: ControlOperation {
    public typealias Request = Nothing
    public typealias Response = ConfigurationReport
    public static let path = "configuration"
}

/// Ends the agent as SIGTERM would: it drains, then stops. Answered before it drains.
public enum StopAgent: ControlOperation {
    public typealias Request = Nothing
    public typealias Response = Nothing
    public static let path = "stop"
}

/// Every peer that is known here, trusted or only seen.
public enum ListPeers: ControlOperation {
    public typealias Request = Nothing
    public typealias Response = PeersReport
    public static let path = "peers"
}

/// All that is known about one peer.
public enum ShowPeer: ControlOperation {
    /// Which peer.
    public struct Request: Codable, Equatable, Sendable {
        /// A name, a node ID, or a beginning of a node ID that only one peer has.
        public var peer: String
        public init(peer: String) { self.peer = peer }
    }
    public typealias Response = PeerReport
    public static let path = "peers/show"
}

/// This node's own decision about a peer. Felt on live links within a second.
public enum DecidePeer: ControlOperation {
    /// What is decided about whom.
    public struct Request: Codable, Equatable, Sendable {
        /// A name, a node ID, or a beginning of a node ID that only one peer has.
        public var peer: String
        /// What is decided.
        public var decision: PeerDecision
        public init(peer: String, decision: PeerDecision) {
            self.peer = peer
            self.decision = decision
        }
    }
    /// The peer as it stands after the decision; for `forget`, as it stood before.
    public typealias Response = PeerReport
    public static let path = "peers/decide"
}

/// What an operator may decide about a peer.
public enum PeerDecision: String, Codable, Sendable, CaseIterable {
    /// No link and no call until resumed.
    case suspend
    /// Ends a suspension.
    case resume
    /// Final for the peer's key.
    case revoke
    /// Removes the peer; the pins of revoked keys are kept.
    case forget
}

/// Opens an invite.
public enum CreateInvite: ControlOperation {
    /// How long it holds, and whether the operator confirms.
    public struct Request: Codable, Equatable, Sendable {
        /// Seconds from now, above 0.
        public var expiresSeconds: Int64
        /// Whether the operator confirms the joiner's words (`AnswerInvite`) before anything is granted.
        public var ask: Bool
        public init(expiresSeconds: Int64, ask: Bool) {
            self.expiresSeconds = expiresSeconds
            self.ask = ask
        }
    }
    public typealias Response = InviteReport
    public static let path = "invites/create"
}

/// Waits until an invite moves on, or the time is over.
public enum AwaitInvite: ControlOperation {
    /// Which invite, and how long to wait.
    public struct Request: Codable, Equatable, Sendable {
        /// As `InviteReport` named it.
        public var inviteID: String
        /// The state that the client knows; answered as soon as it is another one. Nil: answered at once.
        public var known: InviteState?
        /// At most `ControlLimits.wait`.
        public var waitMilliseconds: Int64
        public init(inviteID: String, known: InviteState?, waitMilliseconds: Int64) {
            self.inviteID = inviteID
            self.known = known
            self.waitMilliseconds = waitMilliseconds
        }
    }
    public typealias Response = InviteProgress
    public static let path = "invites/await"
}

/// The operator's answer about a joiner, where the invite asks.
public enum AnswerInvite: ControlOperation {
    /// Which invite, and yes or no.
    public struct Request: Codable, Equatable, Sendable {
        /// As `InviteReport` named it.
        public var inviteID: String
        /// Whether the words were the joiner's.
        public var accept: Bool
        public init(inviteID: String, accept: Bool) {
            self.inviteID = inviteID
            self.accept = accept
        }
    }
    public typealias Response = InviteProgress
    public static let path = "invites/answer"
}

/// Uses an invite. Asked again with the same line it goes on waiting for the same attempt, and starts another
/// one only when that has failed.
public enum Join: ControlOperation {
    /// The line, and how long to wait.
    public struct Request: Codable, Equatable, Sendable {
        /// The invite, at most `Limits.inviteLine` characters.
        public var line: String
        /// What the client knows; answered as soon as it is another stage. Nil: the first question.
        public var known: JoinStage?
        /// At most `ControlLimits.wait`.
        public var waitMilliseconds: Int64
        public init(line: String, known: JoinStage?, waitMilliseconds: Int64) {
            self.line = line
            self.known = known
            self.waitMilliseconds = waitMilliseconds
        }
    }
    public typealias Response = JoinProgress
    public static let path = "join"
}
