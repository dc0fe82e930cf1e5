import MeshBase

/// What the members of a domain may do with one another: one document for all of them, signed by the
/// domain's anchor (protocol section 3). A newcomer's request to be enrolled names its content id, which is
/// its consent.
///
/// Like any agreement it says nothing about whether it is in force: `HouseBook` keeps the newest, and
/// `PolicyEvaluator` asks it.
public struct HouseAgreement: SignedBody {
    public static let kind = DocumentKind.houseAgreement

    /// For whose members.
    public let domain: DomainID
    /// From 1; a higher one takes the place of a lower one at every member.
    public let version: Int64
    /// What members may do; nothing else.
    public let permits: Permission
    /// When it was made, by the clock where the anchor is.
    public let issued: WallTime
    /// Not after.
    public let until: WallTime

    /// What a house agreement can permit. Of a word that this build does not know the document stays whole
    /// and travels on, and permits nothing here.
    public struct Permission: Hashable, Sendable, Codable, CustomStringConvertible {
        private let word: ResourceName

        /// Each member may call what another offers to the domain.
        public static let whatMembersOffer = Permission(.whatMembersOffer)

        /// What `word` stands for, known here or not.
        init(_ word: ResourceName) { self.word = word }

        public init(from decoder: any Decoder) throws { word = try ResourceName(from: decoder) }
        public func encode(to encoder: any Encoder) throws { try word.encode(to: encoder) }
        public var description: String { word.description }
    }

    public init(
        domain: DomainID, version: Int64, permits: Permission = .whatMembersOffer, issued: WallTime,
        until: WallTime
    ) {
        self.domain = domain
        self.version = version
        self.permits = permits
        self.issued = issued
        self.until = until
    }

    /// The rules that no honest anchor breaks.
    public var isWellFormed: Bool {
        (1...AgreementLimits.versionMax).contains(version) && until > issued
            && until <= issued + AgreementLimits.lifeMax && issued.milliseconds >= 0
    }

    /// How people and refusals name it.
    public var name: String { "house of \(domain.brief)" }
}

/// A house agreement with the key that signed it.
public struct HouseDocument: Codable, Equatable, Sendable {
    /// The anchor's key. Its pin is the domain's ID, so it names the domain and proves nothing by itself.
    public let anchor: PublicKey
    /// What the anchor signed.
    public let agreement: Signed<HouseAgreement>

    public init(anchor: PublicKey, agreement: Signed<HouseAgreement>) {
        self.anchor = anchor
        self.agreement = agreement
    }

    /// What it says.
    public var body: HouseAgreement { agreement.body }

    /// Why it is none of the house agreements of its domain, whatever the clock; nil when it is one.
    public func flaw(using suite: some SignatureSuite) -> Refusal? {
        let named = [Fact("agreement", body.name), Fact("version", body.version)]
        guard body.isWellFormed, agreement.payload.bytes.count <= Limits.documentPayload else {
            return Refusal(.documentInvalid, named)
        }
        guard DomainID(suite.pin(of: anchor).digest) == body.domain,
            agreement.isSigned(by: anchor, using: suite)
        else { return Refusal(.documentInvalid, named + [Fact("signature by", suite.pin(of: anchor))]) }
        return nil
    }

    /// Whether it takes the place of `other`, of the same domain: the same at every member, whichever came
    /// first. Two of one version are an anchor's mistake, as after a backup; all members then keep the same.
    func isNewer(than other: HouseDocument, using suite: some SignatureSuite) -> Bool {
        let mine = (body.version, body.issued, agreement.contentID(using: suite))
        let theirs = (other.body.version, other.body.issued, other.agreement.contentID(using: suite))
        return mine > theirs
    }

    /// What the evaluator needs of it.
    public func terms(using suite: some SignatureSuite) -> HouseTerms {
        HouseTerms(contentID: agreement.contentID(using: suite), agreement: body)
    }
}
