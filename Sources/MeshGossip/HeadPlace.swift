import MeshBase

/// Where an owner stands in an audience, at somebody who holds its head and all that lies under it.
public struct HeadPlace: Codable, Equatable, Sendable {
    /// Whose head it is.
    public let owner: NodeID
    /// Its epoch and sequence.
    public let position: HeadPosition
    /// The root of its records.
    public let root: Digest

    init(_ head: Head) {
        owner = head.owner
        position = head.position
        root = head.root
    }
}

/// Of a head whose records are all here, what is looked at whenever a domain is walked: nothing in it is
/// counted, so that a walk over thousands touches no other memory.
struct StandingHead: Equatable, Sendable {
    let place: HeadPlace
    let issued: WallTime
    let expires: WallTime

    init(_ head: Head) {
        place = HeadPlace(head)
        issued = head.issued
        expires = head.expires
    }

    /// Whether it may be served at `wall`: it is not over, and `wall` not far before it was made.
    func isCurrent(at wall: WallTime) -> Bool {
        wall < expires && issued <= wall + Limits.clockSkewRefused
    }
}

/// Some of the places that the sender knows, by rising owner.
public struct HeadPage: Codable, Equatable, Sendable {
    /// At most `HeadPage.most`; neither the sender's own nor the receiver's.
    public let places: [HeadPlace]
    /// Between which owners the sender holds these and no others; nil: this is news, and says nothing of
    /// others.
    public let span: OwnerSpan?

    /// As many places as a page has, and as many heads as are asked for at once (protocol section 6).
    public static let most = 128

    /// Whether it names all that its sender holds.
    var isWhole: Bool { span.map { $0.after == nil && $0.through == nil } ?? false }

    init(places: [HeadPlace], span: OwnerSpan?) {
        self.places = places
        self.span = span
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        places = try container.decode([HeadPlace].self, forKey: .places)
        span = try container.decodeIfPresent(OwnerSpan.self, forKey: .span)
        guard places.count <= Self.most else {
            throw DecodingError.dataCorruptedError(
                forKey: .places, in: container, debugDescription: "more than \(Self.most) places")
        }
    }
}

/// A run of owners, in the order of their node IDs.
public struct OwnerSpan: Codable, Equatable, Sendable {
    /// Begins behind this one; nil: with the first.
    public let after: NodeID?
    /// Ends with this one, and others follow; nil: with the last.
    public let through: NodeID?

    func contains(_ owner: NodeID) -> Bool {
        (after.map { $0 < owner } ?? true) && (through.map { owner <= $0 } ?? true)
    }
}

/// Tells some places in one audience.
public struct HeadPlaces: Codable, Equatable, Sendable {
    /// In which audience.
    public let audience: AudienceTag
    /// Which.
    public let page: HeadPage
}

/// Asks for heads, whoever owns them.
public struct HeadRequest: Codable, Equatable, Sendable {
    /// In which audience.
    public let audience: AudienceTag
    /// Whose, at most `HeadPage.most`.
    public let wanted: [WantedHead]
    /// And for the page of places behind this owner; nil: for none.
    public let after: NodeID?

    init(audience: AudienceTag, wanted: [WantedHead], after: NodeID?) {
        self.audience = audience
        self.wanted = wanted
        self.after = after
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        audience = try container.decode(AudienceTag.self, forKey: .audience)
        wanted = try container.decode([WantedHead].self, forKey: .wanted)
        after = try container.decodeIfPresent(NodeID.self, forKey: .after)
        guard wanted.count <= HeadPage.most else {
            throw DecodingError.dataCorruptedError(
                forKey: .wanted, in: container, debugDescription: "more than \(HeadPage.most) heads")
        }
    }
}

/// A head that somebody lacks.
public struct WantedHead: Codable, Equatable, Sendable {
    /// Whose.
    public let owner: NodeID
    /// Whether the asker knows already that the owner is in the audience; else the proof must come along.
    public let isProved: Bool
    /// Only if it stands above this; nil: wherever it stands.
    public let above: HeadPosition?

    init(owner: NodeID, isProved: Bool, above: HeadPosition? = nil) {
        self.owner = owner
        self.isProved = isProved
        self.above = above
    }
}

/// A head that goes to somebody who need not have met its owner.
public struct RelayedHead: Equatable, Sendable {
    /// As its owner signed it, with what lies under it.
    public let push: HeadPush
    /// Whether the receiver needs no proof that the owner is in the audience.
    public let isProved: Bool
}

/// Two heads of one owner at one position with two roots, or two keys for sealed payloads, both signed:
/// nobody but the owner can make that, so it convicts wherever it comes from.
public struct Contradiction: Codable, Equatable, Sendable {
    /// The one.
    public let one: Signed<Head>
    /// The other.
    public let other: Signed<Head>

    /// Whose they are.
    var owner: NodeID { one.body.owner }

    /// Whether the two say what cannot both be, whoever signed them.
    var isOne: Bool {
        one.body.owner == other.body.owner && one.body.audience == other.body.audience
            && one.body.position == other.body.position && !one.body.saysTheSame(as: other.body)
    }

    /// For people, with what finds the two again.
    func evidence(using suite: some SignatureSuite) -> String {
        let position = one.body.position
        let ids = [one, other].map { String($0.contentID(using: suite).description.prefix(12)) }
        let what = one.body.root == other.body.root ? "keys for sealed payloads" : "roots"
        return "two heads at epoch \(position.epoch) sequence \(position.sequence) with two \(what), "
            + "content ids \(ids[0]) and \(ids[1])"
    }
}
