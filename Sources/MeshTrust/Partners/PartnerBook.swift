import MeshBase

/// Which other domains are trusted here, and by which keys (protocol section 3).
///
/// Two kinds of evidence, neither of which replaces the other: what the home domain's anchor decided
/// (`Partnerships`), and what a domain says of its own keys (`DomainBundle`).
///
///     (nothing) ──decided by the home's anchor──> partner, by the keys that were confirmed
///               partner ──later bundle, signed by its anchor──> partner, by the keys in it
///               partner ──later decision without it──> (nothing)
///
/// Invariants: a bundle counts only for its own domain, and by its domain's anchor; its number never falls;
/// of two decisions all members keep the same, by (sequence, issued, content id). So the keys of two domains
/// are never merged, and whoever brings a document need not be believed. Bounded by `Limits.partnerDomains`:
/// one bundle for each partner, and one for the home.
///
/// Source: protocol section 3, SPIFFE Trust Domain and Bundle section 4.
public struct PartnerBook: Equatable, Sendable {
    /// What the home domain decided last; nil: nothing yet.
    public private(set) var decided: Signed<Partnerships>?
    /// The newest bundle of the home domain, and of each partner of which one came.
    public private(set) var bundles = OrderedTable<DomainID, Signed<DomainBundle>>()
    /// Who of a partner said last that it does not accept this domain. For people; not kept.
    public internal(set) var declined = OrderedTable<DomainID, PartnerRefusal>()

    public init() {}

    /// What became of a document.
    enum Reception: Equatable, Sendable {
        /// It says nothing that is not known, or is no business of this node.
        case known
        /// It is not what it must be.
        case refused(Refusal)
        /// It is held from now on, in the place of one with this number.
        case adopted(replacing: Int64?)
    }

    /// The partners, by rising domain.
    public var partners: [Partner] { decided?.body.partners ?? [] }

    /// The keys that count for `partner` now.
    public func keys(of partner: Partner) -> [PublicKey] {
        guard let held = bundles[partner.domain]?.body, held.sequence >= partner.sequence else {
            return partner.keys
        }
        return held.keys.map(\.key)
    }

    /// The keys that were confirmed, and those that count now.
    func everyKey(of partner: Partner) -> [PublicKey] { partner.keys + keys(of: partner) }

    /// The number of the bundle that counts for `partner` now.
    public func sequence(of partner: Partner) -> Int64 {
        max(partner.sequence, bundles[partner.domain]?.body.sequence ?? 0)
    }

    // MARK: Bundles

    /// Takes a bundle, wherever it came from. `home`: this node's domain, and its anchor.
    mutating func take(
        _ bundle: Signed<DomainBundle>, home: HomeDomain, using suite: some SignatureSuite
    ) -> Reception {
        let domain = bundle.body.domain
        let partner = decided?.body.partner(domain)
        guard domain == home.domain || partner != nil else { return .known }
        let held = bundles[domain]
        guard held?.payload != bundle.payload else { return .known }
        let known = partner.map(everyKey) ?? [home.chain.anchor]
        if let refusal = Self.flaw(of: bundle, known: known, using: suite) { return .refused(refusal) }
        if let refusal = staleness(of: bundle, using: suite) { return .refused(refusal) }
        bundles[domain] = bundle
        return .adopted(replacing: held?.body.sequence ?? partner?.sequence)
    }

    /// Why `bundle` is none of its domain; nil when it is one. The anchor whose pin is the domain's ID signs
    /// every one, also of a domain that has put its key aside: who missed some can follow the next. Its
    /// key is in the bundle, or among those `known` of the domain.
    static func flaw(
        of bundle: Signed<DomainBundle>, known: [PublicKey], using suite: some SignatureSuite
    ) -> Refusal? {
        func invalid(_ problem: String) -> Refusal {
            Refusal(.bundleInvalid, [Fact("problem", problem), Fact("domain", bundle.body.domain)])
        }
        if let flaw = bundle.body.flaw { return invalid(flaw) }
        let keys = bundle.body.keys.map(\.key) + known
        guard let anchor = keys.first(where: { suite.pin(of: $0).digest == bundle.body.domain.digest }),
            bundle.isSigned(by: anchor, using: suite)
        else { return invalid("the anchor whose pin is its domain's ID did not sign it") }
        return nil
    }

    /// Why `bundle` takes the place of nothing that is held, confirmed or come.
    func staleness(
        of sequence: Int64, _ content: Digest, in domain: DomainID, using suite: some SignatureSuite
    ) -> Refusal? {
        let confirmed: (Int64, Digest?)? = decided?.body.partner(domain).map { ($0.sequence, $0.bundle) }
        let came: (Int64, Digest?)? = bundles[domain].map { ($0.body.sequence, $0.contentID(using: suite)) }
        for (held, heldContent) in [confirmed, came].compactMap({ $0 }) {
            if sequence < held {
                return Refusal(
                    .bundleOlder, [Fact("domain", domain), Fact("sequence", sequence), Fact("held", held)])
            }
            // Keys that nobody signed are under no content id.
            guard sequence == held, let heldContent, content != heldContent else { continue }
            return Refusal(
                .bundleConflict,
                [
                    Fact("domain", domain), Fact("sequence", sequence), Fact("content", content),
                    Fact("held", heldContent),
                ])
        }
        return nil
    }

    private func staleness(of bundle: Signed<DomainBundle>, using suite: some SignatureSuite) -> Refusal? {
        staleness(
            of: bundle.body.sequence, bundle.contentID(using: suite), in: bundle.body.domain, using: suite)
    }

    // MARK: Decisions

    /// Takes a decision of the home domain, wherever it came from; with what is left of the bundles when it
    /// is adopted. `now`: nil for one that was stored, whatever the clock says.
    mutating func take(
        _ decision: Signed<Partnerships>, home: HomeDomain, at now: WallTime?,
        using suite: some SignatureSuite
    ) -> Reception {
        let body = decision.body
        guard body.domain == home.domain, isNews(decision, using: suite) else { return .known }
        let named = [Fact("domain", body.domain), Fact("sequence", body.sequence)]
        guard body.isWellFormed, decision.payload.bytes.count <= Limits.documentPayload,
            decision.isSigned(by: home.chain.anchor, using: suite)
        else { return .refused(Refusal(.documentInvalid, named)) }
        if let now, body.issued > now + Limits.clockSkewRefused {
            let compared = [
                Fact("issued", RFC3339.text(body.issued)), Fact("now", RFC3339.text(now)),
            ]
            return .refused(Refusal(.clockSkew, named + compared))
        }
        let before = decided?.body.sequence
        decided = decision
        for (domain, bundle) in bundles where domain != home.domain {
            let isLater = body.partner(domain).map { partner in
                bundle.body.sequence > partner.sequence
                    || bundle.body.sequence == partner.sequence
                        && (partner.bundle ?? bundle.contentID(using: suite))
                            == bundle.contentID(using: suite)
            }
            if isLater != true { bundles[domain] = nil }
        }
        declined.removeAll { domain, _ in body.partner(domain) == nil }
        return .adopted(replacing: before)
    }

    /// Whether all members keep `decision` rather than what is held: the same at each, whichever came first.
    /// Two of one number are an anchor's mistake, as after a backup.
    private func isNews(_ decision: Signed<Partnerships>, using suite: some SignatureSuite) -> Bool {
        guard let held = decided else { return true }
        let theirs = (decision.body.sequence, decision.body.issued, decision.contentID(using: suite))
        return theirs > (held.body.sequence, held.body.issued, held.contentID(using: suite))
    }

    // MARK: Stored

    /// The book as it was stored, the decision held against the home's anchor once more. A bundle may have
    /// been signed by a key that counted once and is in none of the documents that are left: it was checked
    /// when it came.
    mutating func restore(
        _ stored: StoredPartners, home: HomeDomain, using suite: some SignatureSuite
    ) {
        if let decision = stored.decided { _ = take(decision, home: home, at: nil, using: suite) }
        for bundle in stored.bundles {
            let partner = decided?.body.partner(bundle.body.domain)
            guard partner != nil || bundle.body.domain == home.domain,
                staleness(of: bundle, using: suite) == nil
            else { continue }
            bundles[bundle.body.domain] = bundle
        }
    }
}

/// What was kept of partners.
public struct StoredPartners: Equatable, Sendable {
    /// The home domain's last decision.
    public var decided: Signed<Partnerships>?
    /// The newest bundles.
    public var bundles: [Signed<DomainBundle>] = []

    public init() {}

    /// Keeps `bundle` in place of another of its domain.
    public mutating func keep(_ bundle: Signed<DomainBundle>) {
        drop(bundle.body.domain)
        bundles.append(bundle)
    }

    /// Keeps none of this domain.
    public mutating func drop(_ domain: DomainID) { bundles.removeAll { $0.body.domain == domain } }
}

/// A node of a partner refused this node for what its domain has not decided.
public struct PartnerRefusal: Equatable, Sendable {
    /// Who.
    public let node: NodeID
    /// With which code.
    public let code: RefusalCode
    /// When.
    public let time: WallTime
}
