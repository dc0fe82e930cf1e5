import MeshBase

/// The domain that this node is in.
public struct HomeDomain: Equatable, Sendable {
    /// Which.
    public let domain: DomainID
    /// How its people call it.
    public let label: NodeName
    /// This node's own credential, over or not.
    public let chain: CredentialChain

    public init(domain: DomainID, label: NodeName, chain: CredentialChain) {
        self.domain = domain
        self.label = label
        self.chain = chain
    }
}

/// Who was enrolled here under one token.
public struct TokenUse: Equatable, Sendable {
    /// The token's key.
    public let token: Pin
    /// The token's end; remembered beyond it for as long as nothing else needs the place.
    public let until: WallTime
    /// The keys that it served, in their order; at most as many as the token says.
    public internal(set) var usedBy: [Pin]

    public init(token: Pin, until: WallTime, usedBy: [Pin]) {
        self.token = token
        self.until = until
        self.usedBy = usedBy
    }
}

/// A peer's credential, as it was stored: judged anew at each start.
public struct StoredCredential: Equatable, Sendable {
    /// Whose.
    public let node: NodeID
    /// The evidence.
    public let chain: CredentialChain

    public init(node: NodeID, chain: CredentialChain) {
        self.node = node
        self.chain = chain
    }
}

/// Which anchors count here, who showed what under them, and what tokens served (protocol section 3).
///
/// It keeps evidence; `Trust` moves trust by it. Bounded: one credential for each peer of the pin book, and
/// `Limits.tokensRemembered` tokens, `Limits.peers` convictions; what `PartnerBook` says.
public struct DomainBook: Equatable, Sendable {
    /// The domain that this node is in; nil: in none.
    public internal(set) var home: HomeDomain?
    /// What this node's own credential says while it counts; nil: it is over, or there is none.
    public internal(set) var own: HeldCredential?
    /// What peers' credentials say while they count.
    public internal(set) var members = OrderedTable<NodeID, HeldCredential>()
    /// Members of this node's domain whom it has not met, and who vouches for them while that counts.
    public internal(set) var vouched = OrderedTable<NodeID, VouchedMember>()
    /// Members of this node's domain whom it never met, and who told two things.
    public internal(set) var convictions = OrderedTable<NodeID, Conviction>()
    /// Whom tokens served here.
    public internal(set) var tokens = OrderedTable<Pin, TokenUse>()
    /// The anchor's key, where it lies in this home; nil: it does not.
    public internal(set) var anchor: PublicKey?
    /// Which other domains are trusted, and by which keys.
    public internal(set) var partners = PartnerBook()
    /// The anchor's certificate, for bundles; nil until it is told.
    var anchorCertificate: Octets?
    /// What a newcomer's request must name; nil: nothing.
    var houseAgreement: Digest?
    /// What was stored and is not judged yet.
    var stored: [StoredCredential] = []
    var storedPartners = StoredPartners()

    public init() {}

    /// The book as it was stored. `anchor` is the key that lies in the home, if one does.
    public init(
        home: HomeDomain?, credentials: [StoredCredential], tokens uses: [TokenUse], anchor: PublicKey?,
        certificate: Octets? = nil, partners: StoredPartners = StoredPartners(),
        convictions convicted: [Conviction] = []
    ) {
        self.home = home
        self.anchor = anchor
        anchorCertificate = certificate
        stored = credentials
        storedPartners = partners
        for use in uses { tokens[use.token] = use }
        for conviction in convicted { convictions[conviction.node] = conviction }
    }

    /// The domains whose credentials count here: its own, and its partners, each by its own keys.
    func accepted(using suite: some SignatureSuite) -> [AcceptedDomain] {
        guard let home else { return [] }
        return [AcceptedDomain(home.domain)]
            + partners.partners.map { partner in
                AcceptedDomain(
                    domain: partner.domain, keys: partners.keys(of: partner).map(suite.pin),
                    roles: partner.roles)
            }
    }

    /// How people here call `domain`; nil for one that is neither this node's nor a partner, and for a
    /// partner that calls itself like another domain here: it goes by its ID.
    public func label(of domain: DomainID) -> NodeName? {
        if let home, home.domain == domain { return home.label }
        let label = partners.partners.first { $0.domain == domain }?.label
        let namesakes = partners.partners.filter { $0.label == label }
        return label == home?.label || namesakes.count > 1 ? nil : label
    }

    /// This node's own credential, to be shown; nil when there is none that counts.
    var shown: CredentialChain? { own?.chain }

    /// The tags with which this node dials: of each anchor under which it would accept a node. `known`, whom
    /// it trusts already, is told those of the two domains only: who else is a partner is none of its
    /// business, and whoever knows a domain's ID knows its tags.
    func tags(
        nonce: Digest, certificate: Digest, toward known: NodeID? = nil, using suite: some SignatureSuite
    ) -> [Digest]? {
        guard own != nil else { return nil }
        let theirs = known.flatMap { members[$0]?.membership.domain }
        let domains = accepted(using: suite).filter {
            !$0.keys.isEmpty && (known == nil || [home?.domain, theirs].contains($0.domain))
        }
        return domains.prefix(Limits.anchorTags).map {
            AnchorTag.tag(of: $0.domain, nonce: nonce, certificate: certificate, using: suite)
        }
    }

    /// Whether a node may enrol here now.
    func isIssuer(at wall: WallTime) -> Bool { own?.membership.holds(.issue) ?? false }

    /// Forgets the token that has been over for the longest time where another needs its place, and no
    /// sooner: by a clock that runs ahead every token is over, and would serve anew once the clock is right.
    mutating func makeRoom(for token: Pin, at wall: WallTime) -> Pin? {
        guard tokens[token] == nil, tokens.count >= Limits.tokensRemembered else { return nil }
        let over = tokens.values.filter { wall > $0.until + Limits.clockSkewRefused }
        guard let oldest = over.min(by: { $0.until < $1.until }) else { return nil }
        tokens[oldest.token] = nil
        return oldest.token
    }

    /// Whether this key may use a token, with what the book then says.
    func use(of record: TokenRecord, by pin: Pin, using suite: some SignatureSuite) -> Ruling<TokenUse> {
        let token = suite.pin(of: record.key)
        var use = tokens[token] ?? TokenUse(token: token, until: record.until, usedBy: [])
        if use.usedBy.contains(pin) { return .allowed(use) }
        if tokens[token] == nil, tokens.count >= Limits.tokensRemembered {
            return .refused(
                Refusal(
                    .limitReached,
                    [Fact("tokens in use", tokens.count), Fact("limit", Limits.tokensRemembered)]))
        }
        guard use.usedBy.count < record.uses else {
            return .refused(
                Refusal(.tokenUsed, [Fact("used", use.usedBy.count), Fact("uses", record.uses)]))
        }
        use.usedBy.append(pin)
        return .allowed(use)
    }
}

/// A join token as a newcomer holds it, but for the seed of its key, which stays in the shell.
public struct JoinToken: Equatable, Sendable {
    /// The anchor's word.
    public let record: Signed<TokenRecord>
    /// The anchor's pin, and so the only domain that may answer.
    public let domain: DomainID

    public init(record: Signed<TokenRecord>, domain: DomainID) {
        self.record = record
        self.domain = domain
    }
}
