import MeshBase
import MeshTrust

// What operators said of other domains, and anchors signed.
extension DomainCheck {
    /// What an operator ordered once: to accept a domain, as far as it said.
    struct Terms: Hashable, Sendable {
        let home: DomainID
        let partner: DomainID
        let roles: RoleList?
    }

    /// A host and a domain.
    struct Place: Hashable, Comparable, Sendable {
        let host: Int
        let domain: DomainID
        static func < (left: Self, right: Self) -> Bool {
            (left.host, left.domain) < (right.host, right.domain)
        }
    }

    mutating func ordered(_ partner: DomainID, _ roles: RoleList?, by home: DomainID) {
        terms.insert(Terms(home: home, partner: partner, roles: roles))
    }

    /// A host's home has accepted these domains: from now on it can name their tags.
    mutating func knows(_ host: Int, _ domains: [DomainID]) {
        for domain in domains { known.insert(Place(host: host, domain: domain)) }
    }

    /// Whether a host's home has ever accepted `domain`.
    func hasKnown(_ domain: DomainID, at host: Int) -> Bool {
        known.contains(Place(host: host, domain: domain))
    }

    /// What is wrong with a decision that a host keeps.
    mutating func flaw(
        of decision: Signed<Partnerships>, at host: Int, using suite: SimulatedSuite
    ) -> String? {
        let body = decision.body
        guard let anchor = anchors[body.domain], isSigned(decision.payload, by: anchor, using: suite) else {
            return "host \(host) keeps a decision that the anchor of \(body.domain.brief) did not sign"
        }
        let place = Place(host: host, domain: body.domain)
        defer { decisions[place] = max(decisions[place] ?? 0, body.sequence) }
        guard body.sequence >= decisions[place] ?? 0 else {
            return "host \(host) keeps decision \(body.sequence) after \(decisions[place] ?? 0)"
        }
        for partner in body.partners {
            let said = Terms(home: body.domain, partner: partner.domain, roles: partner.roles)
            guard terms.contains(said) else {
                return "host \(host) accepts \(partner.domain.brief) for "
                    + "\(partner.roles?.description ?? "all"), which nobody said"
            }
            if let flaw = flaw(of: partner.keys, in: partner.domain, using: suite) {
                return "host \(host): \(flaw)"
            }
        }
        return nil
    }

    /// A host keeps a bundle. What that breaks.
    mutating func wrote(
        _ bundle: Signed<DomainBundle>, at host: Int, using suite: SimulatedSuite
    ) -> String? {
        let body = bundle.body
        guard let anchor = anchors[body.domain], isSigned(bundle.payload, by: anchor, using: suite) else {
            return "host \(host) keeps a bundle that the anchor of \(body.domain.brief) did not sign"
        }
        let place = Place(host: host, domain: body.domain)
        defer { bundles[place] = max(bundles[place] ?? 0, body.sequence) }
        guard body.sequence >= bundles[place] ?? 0 else {
            return "host \(host) keeps bundle \(body.sequence) after \(bundles[place] ?? 0)"
        }
        return flaw(of: body.keys.map(\.key), in: body.domain, using: suite)
            .map { "host \(host): \($0)" }
    }

    /// A host holds no bundle of a domain any more, which its home forgot.
    mutating func dropped(_ domain: DomainID, at host: Int) {
        bundles[Place(host: host, domain: domain)] = nil
    }

    /// The keys of a domain are its own, and no other's.
    private func flaw(of keys: [PublicKey], in domain: DomainID, using suite: SimulatedSuite) -> String? {
        let foreign = keys.map { suite.pin(of: $0) }.filter { $0 != anchors[domain] }
        return foreign.isEmpty ? nil : "\(foreign) counts as a key of \(domain.brief)"
    }
}
