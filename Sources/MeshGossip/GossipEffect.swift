import MeshBase

/// What the gossip machine orders, in this order.
public enum GossipEffect: Equatable, Sendable {
    /// Ask for a sign of life, with what this node believes of the audiences that the two share.
    case ping(ConnectionID, RegistrySummary)
    /// End a connection.
    case close(ConnectionID, RefusalCode?)
    /// End a connection once the streams that are open on it are over; the peer is told to open no more.
    case drain(ConnectionID)
    /// Calls and documents for this peer go over this connection from now on.
    case linkUp(NodeID, ConnectionID, Endpoint)
    /// There is no link with this peer any more.
    case linkDown(NodeID, LinkLoss)
    /// The link is silent, or speaks again.
    case linkDegraded(NodeID, LinkCondition)
    /// Send a registry message.
    case send(NodeID, GossipMessage)
    /// Pass these heads on, those of owners that the receiver does not know with the proof that they are in
    /// the audience; in as many documents as it takes.
    case relay(NodeID, [RelayedHead])
    /// Sign with the identity key.
    case sign(SigningRequest)
    /// Write this down before anything behind it is done.
    case persist(GossipChange)
    /// What this peer offers has changed: calls must see it.
    case catalogChanged(NodeID)
    /// Of whom nothing comes, and whose link others are heard of by: links are chosen by it.
    case reach(GossipReach)
    /// The peer signed two different things under one name.
    case contradicted(NodeID, evidence: String)
    /// Remember.
    case record(GossipEvent)
}

/// How a link is.
public enum LinkCondition: String, Sendable, Codable, Hashable {
    /// It speaks.
    case up
    /// Two pings went unanswered.
    case degraded
}

/// Why a link ended.
public enum LinkLoss: String, Sendable, Codable, Hashable {
    /// The connection ended.
    case closed
    /// Three pings went unanswered.
    case silent
    /// The peer is no longer trusted.
    case dropped
    /// Neither end needs it: another is opened when something does.
    case idle
}

/// A change of what the gossip machine keeps.
public enum GossipChange: Equatable, Sendable {
    /// The newest head of this owner in this audience, with its records; whatever was there.
    case head(StoredHead)
    /// Nothing of this owner in this audience.
    case headGone(NodeID, Audience)
}

/// A head as it is kept.
public struct StoredHead: Equatable, Sendable {
    /// The head: the highest that was accepted of its owner in its audience.
    public let head: Signed<Head>
    /// All records under it; none while they are incomplete.
    public let records: [Record]

    public init(head: Signed<Head>, records: [Record]) {
        self.head = head
        self.records = records
    }
}

/// What the audit is told.
public enum GossipEvent: Equatable, Sendable {
    /// A link came up; who carries it, nil: nobody.
    case linkUp(NodeID, Endpoint, by: NodeID?)
    /// A link went down.
    case linkDown(NodeID, LinkLoss)
    /// A message broke a rule that no honest node breaks.
    case messageInvalid(NodeID, Refusal)
    /// This node's own stored sequence was behind what a peer holds of it: a restored home.
    case ownHeadRecovered(from: NodeID, sequence: Int64)
    /// A clock that had run ahead was set back: this owner began to count anew, above what it gives up.
    case epochBegan(of: NodeID, epoch: Int64, givenUp: Int64)
    /// A peer asked for more than its share, and was not answered.
    case answerWithheld(NodeID, Refusal)
    /// What a peer sent was put away unread, or as worth nothing, and is not held against it.
    case messageDropped(NodeID, Refusal)
}
