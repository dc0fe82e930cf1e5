import MeshBase

/// What members of one domain, and of partner domains, say to one another over trusted links.
public enum DomainMessage: Equatable, Sendable {
    /// This is the sender's credential now.
    case shown(CredentialChain)
    /// This is the tag of the sender's domain; who accepts that domain shows its own credential.
    case named(DomainTags)
    /// The sender's credential is past two thirds of its life; it asks for a later one.
    case renewalWanted(CredentialChain)
    /// The receiver's later credential.
    case renewed(CredentialChain)
    /// None, and why.
    case notRenewed(Refusal)
    /// Which papers the sender holds of those that the two may show each other.
    case papersHeld(HeldPapers)
    /// One of them.
    case paper(DomainPaper)
    /// The sender's operator wants to see the bundle of the receiver's domain.
    case bundleWanted
    /// The bundle, and the proof that the sender belongs to its domain.
    case bundleGiven(BundleAnswer)
    /// None, and why.
    case bundleWithheld(Refusal)
}

/// What a domain says to all of its members, or of itself to others.
public enum DomainPaper: Equatable, Sendable {
    /// Which other domains it trusts: for its members only.
    case partnerships(Signed<Partnerships>)
    /// Its keys.
    case bundle(Signed<DomainBundle>)

    /// Which paper it is.
    func contentID(using suite: some SignatureSuite) -> Digest {
        switch self {
        case .partnerships(let decision): decision.contentID(using: suite)
        case .bundle(let bundle): bundle.contentID(using: suite)
        }
    }
}

/// The content ids of papers, at most one for each that a node can hold.
public struct HeldPapers: Codable, Equatable, Sendable {
    /// In no order that says anything.
    public let papers: [Digest]

    /// The decision, the home's bundle and the partners'.
    static let most = 2 + Limits.partnerDomains

    init(_ papers: [Digest]) { self.papers = papers }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        papers = try container.decode([Digest].self, forKey: .papers)
        guard papers.count <= Self.most else {
            throw DecodingError.dataCorruptedError(
                forKey: .papers, in: container, debugDescription: "more than \(Self.most) papers")
        }
    }
}

/// A node's answer about its own domain.
public struct BundleAnswer: Codable, Equatable, Sendable {
    /// What the domain says of its keys.
    public let bundle: Signed<DomainBundle>
    /// The node's credential under one of them: without it, anybody could give the bundle of a domain to
    /// which it does not belong.
    public let chain: CredentialChain
}
