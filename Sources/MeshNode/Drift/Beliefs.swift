import MeshAgreements
import MeshBase

/// What a node believes about itself and one peer, and about nobody else.
///
/// What each may see of the other follows from it: the pair's audience from the keys, the domain's from
/// `domain`, single resources from the agreements. Whether the bytes of a catalog arrived is compared by the
/// registry's summary.
public struct Beliefs: Equatable, Sendable, Codable {
    /// The sender's own key.
    public let mine: Pin
    /// The key by which the sender knows the receiver.
    public let yours: Pin
    /// The domain whose records both may see: both are proved to be its members; nil: none.
    public let domain: DomainID?
    /// By id, version and content id, then those that are damaged; those that ended not long ago among them,
    /// so that the other side can be told why it stands alone.
    public let agreements: [BelievedAgreement]

    /// The same with other agreements.
    func with(_ agreements: some Sequence<BelievedAgreement>) -> Beliefs {
        Beliefs(mine: mine, yours: yours, domain: domain, agreements: Array(agreements))
    }
}

/// One version of an agreement, as one side has it.
public struct BelievedAgreement: Equatable, Sendable, Codable {
    /// The same in all versions.
    public let id: AgreementID
    /// Which version.
    public let version: Int64
    /// SHA-256 of what was signed.
    public let contentID: Digest
    /// What became of it.
    public let standing: Standing
    /// Until when it is good.
    public let until: WallTime
    /// The first of what it covers, at most `resourcesMax`: for people who do not hold it.
    public let resources: [ResourceName]

    /// As many names as are told.
    public static let resourcesMax = 4

    /// What became of it.
    public enum Standing: String, Sendable, Codable {
        /// One party signed.
        case offered
        /// Both did; approvals are missing, or the other party has not said that it has them.
        case signed
        /// Both did, and all that must approve.
        case active
        /// It was rejected, replaced or revoked.
        case ended
        /// The store holds something else than was signed: nothing is honoured of it, and nothing but the
        /// content id under which it is kept is certain.
        case damaged

        /// Whether the other side must have it, too.
        var isOpen: Bool {
            switch self {
            case .offered, .signed, .active: true
            case .ended, .damaged: false
            }
        }
    }
}

extension BelievedAgreement {
    init(_ record: AgreementRecord) {
        let standing: Standing =
            switch record.state {
            case .offered: .offered
            case .signed: .signed
            case .active: .active
            case .ended: .ended
            }
        self.init(
            id: record.agreement.id, version: record.agreement.version, contentID: record.contentID,
            standing: standing, until: record.agreement.validUntil,
            resources: record.agreement.grants.prefix(Self.resourcesMax).map(\.resource))
    }

    /// What is kept and is not what was signed; nil where it may be with another peer.
    init?(_ damaged: DamagedAgreement) {
        guard let id = damaged.id else { return nil }
        self.init(
            id: id, version: damaged.version, contentID: damaged.contentID, standing: .damaged,
            until: damaged.until, resources: [])
    }
}

/// Eight bytes that are alike on both sides while both believe the same: they travel with each ping.
public struct BeliefMark: Hashable, Sendable, Codable {
    /// `length` bytes.
    let octets: Octets

    static let length = 8

    /// - Parameter bytes: exactly `length` bytes; anything else gives nil.
    init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Self.length else { return nil }
        octets = Octets(Array(bytes))
    }

    /// Of what `me` believes about itself and `peer`: the same bytes whoever of the two makes it.
    init(
        of me: NodeID, _ ownPin: Pin, and peer: NodeID, _ peerPin: Pin, domain: DomainID?, open: Digest,
        using suite: some SignatureSuite
    ) {
        var fields = FieldSequence(.beliefs)
        for pin in me < peer ? [ownPin, peerPin] : [peerPin, ownPin] { fields.append(pin.digest) }
        fields.append(domain?.description ?? "")
        fields.append(open)
        octets = Octets(Array(suite.digest(fields.bytes).bytes.prefix(Self.length)))
    }

    public init(from decoder: any Decoder) throws {
        octets = try Octets(from: decoder)
        guard octets.bytes.count == Self.length else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "not a mark"))
        }
    }

    public func encode(to encoder: any Encoder) throws { try octets.encode(to: encoder) }

}

/// The part of a mark that changes with agreements and time only: those that are open and not over, by id and
/// version. What is over may have been forgotten, at either side.
struct OpenAgreements: Equatable, Sendable {
    let digest: Digest
    /// When it was made; a clock that is set back finds other things open.
    private let made: WallTime
    /// When the first of them is over.
    private let until: WallTime

    init(_ records: [AgreementRecord], at now: WallTime, using suite: some SignatureSuite) {
        var fields = FieldSequence(.beliefs)
        var until = WallTime(milliseconds: AgreementLimits.versionMax)
        for believed in records.map(BelievedAgreement.init)
        where believed.standing.isOpen && now < believed.until {
            fields.append(believed.contentID)
            fields.append(believed.standing.rawValue)
            until = min(until, believed.until)
        }
        digest = suite.digest(fields.bytes)
        made = now
        self.until = until
    }

    /// Whether it still says what is open.
    func counts(at now: WallTime) -> Bool { made <= now && now < until }
}
