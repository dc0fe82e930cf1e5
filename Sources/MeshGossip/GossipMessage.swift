import MeshBase

/// What one side holds of the audiences that it shares with a peer, small enough for every ping: where it
/// differs, something is to be done.
///
/// It covers the content only. A renewal that was lost leaves it equal: who holds a copy in the last quarter
/// of its life asks by a list.
public struct RegistrySummary: Equatable, Sendable, Hashable {
    /// SHA-256 over each shared audience with (owner, epoch, root) of each head that is held of it.
    public let digest: Digest

    public init(digest: Digest) { self.digest = digest }
}

/// What travels between two nodes about the audiences that they share. A head names its audience, since it is
/// only sent to who is in it; everything else names it by its tag, the pair of the two by none.
public enum GossipMessage: Equatable, Sendable {
    /// The sender's newest head, the leaves under it, and as many records as fit.
    case head(HeadPush)
    /// The sender lacks these records under that head of the receiver.
    case want(RecordRequest)
    /// Records that were asked for.
    case records(RecordBatch)
    /// Where the sender stands: what it holds of both.
    case list(RegistryList)
    /// Where owners of an audience stand, as the sender holds them.
    case places(HeadPlaces)
    /// The sender lacks these heads.
    case ask(HeadRequest)
    /// The sender wants a stretch of the receiver's row of coded symbols.
    case symbolsWanted(SymbolRequest)
    /// That stretch.
    case symbols(SymbolBatch)
    /// The sender lacks these heads, which it knows by the ids of a session.
    case elementsWanted(ElementRequest)
    /// Somebody of an audience signed two heads for one place in it.
    case contradiction(Contradiction)

    /// Whether it asks for something and brings nothing.
    var isRequest: Bool {
        switch self {
        case .want, .ask, .symbolsWanted, .elementsWanted: true
        case .head, .records, .list, .places, .symbols, .contradiction: false
        }
    }
}

/// A head with what lies under it.
public struct HeadPush: Codable, Equatable, Sendable {
    /// The head.
    public let head: Signed<Head>
    /// All leaves under it, by rising key.
    public let leaves: [RecordLeaf]
    /// As many of its records as surely fit the frame.
    public let records: [Record]

    public init(head: Signed<Head>, leaves: [RecordLeaf], records: [Record]) {
        self.head = head
        self.leaves = leaves
        self.records = records
    }
}

/// Asks for records under one head.
public struct RecordRequest: Codable, Equatable, Sendable {
    /// In which audience.
    public let audience: AudienceTag?
    /// Whose head; nil: the receiver's.
    public let owner: NodeID?
    /// Which head of that owner.
    public let position: HeadPosition
    /// Which records under it.
    public let keys: [ResourceName]

    init(
        audience: AudienceTag? = nil, owner: NodeID? = nil, position: HeadPosition, keys: [ResourceName]
    ) {
        self.audience = audience
        self.owner = owner
        self.position = position
        self.keys = keys
    }
}

/// Answers a `RecordRequest`.
public struct RecordBatch: Codable, Equatable, Sendable {
    /// In which audience.
    public let audience: AudienceTag?
    /// Whose head; nil: the sender's.
    public let owner: NodeID?
    /// Which head of that owner.
    public let position: HeadPosition
    /// As many of those asked for as surely fit the frame.
    public let records: [Record]

    init(
        audience: AudienceTag? = nil, owner: NodeID? = nil, position: HeadPosition, records: [Record]
    ) {
        self.audience = audience
        self.owner = owner
        self.position = position
        self.records = records
    }
}

/// What one side holds of one audience, as far as it concerns the other.
public struct RegistryList: Codable, Equatable, Sendable {
    /// Which audience.
    public let audience: AudienceTag?
    /// The newest position of the sender's own head; nil when it never made one.
    public let mine: HeadPosition?
    /// The newest of the receiver's heads that the sender accepted, as it was signed: a receiver that lost it
    /// takes its position from here.
    public let yours: Signed<Head>?
    /// Whether the sender holds every record under it.
    public let isComplete: Bool
    /// Where the others of the audience stand at the sender, the first of them; nil in an audience of two.
    public let held: HeadPage?

    public init(
        audience: AudienceTag? = nil, mine: HeadPosition?, yours: Signed<Head>?, isComplete: Bool,
        held: HeadPage? = nil
    ) {
        self.held = held
        self.audience = audience
        self.mine = mine
        self.yours = yours
        self.isComplete = isComplete
    }
}
