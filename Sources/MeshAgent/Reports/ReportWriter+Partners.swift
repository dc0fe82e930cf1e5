import MeshBase
import MeshControl
import MeshNode
import MeshTrust

// Other domains that this node's domain trusts.
extension ReportWriter {
    /// All of them, by rising ID.
    var partners: [PartnerReport] { node.trust.domains.partners.partners.map(report) }

    /// One of them; nil: `domain` is no partner.
    func partner(_ domain: DomainID) -> PartnerReport? {
        node.trust.domains.partners.partners.first { $0.domain == domain }.map(report)
    }

    private func report(of partner: Partner) -> PartnerReport {
        let book = node.trust.domains
        let nodes = book.members.filter { id, held in
            held.membership.domain == partner.domain && node.trust.pins.isTrusted(id)
        }.map(\.0)
        // Trust by credentials is made by both or by neither; a refusal that is still held came later.
        let isMutual = nodes.contains { node.trust.pins[$0]?.domain == partner.domain }
        let refusal = book.partners.declined[partner.domain]
        let acceptance: PartnerReport.Acceptance = refusal != nil ? .no : isMutual ? .yes : .unknown
        let bundle = book.partners.bundles[partner.domain]?.body
        return PartnerReport(
            name: partner.label, id: partner.domain, words: words(of: Pin(partner.domain.digest)),
            roles: partner.roles?.roles ?? [], sequence: book.partners.sequence(of: partner),
            keys: book.partners.keys(of: partner).count, signed: bundle.map { Timestamp($0.issued) },
            nodes: nodes.count, linked: nodes.filter { node.gossip.link(with: $0) != nil }.count,
            acceptsUs: acceptance,
            refusal: refusal.map {
                PartnerRefusalReport(node: reference($0.node), code: $0.code, at: Timestamp($0.time))
            })
    }

    /// What of partners needs a person.
    var partnerAttention: [AttentionReport] {
        partners.compactMap { partner in
            if partner.keys == 0 {
                return AttentionReport(
                    what: "\(partner.name)'s last bundle names no keys: nobody of it is trusted",
                    next: "comity domain show")
            }
            guard partner.acceptsUs == .no, let refusal = partner.refusal else { return nil }
            let what =
                "\(partner.name) does not accept this domain: \(refusal.node.title) refused with"
                + " \(refusal.code.rawValue)"
            return AttentionReport(what: what, next: "comity domain export FILE")
        }
    }

    /// Why the members of a partner are trusted, beside a membership; nil for one of this node's own domain.
    func partnerFact(_ membership: MembershipReport) -> Fact? {
        partner(membership.id).map { partner in
            let whom = partner.roles.isEmpty ? "all its members" : DomainText.roles(partner.roles)
            return Fact("as a partner", "\(whom), by bundle number \(partner.sequence)")
        }
    }

    /// What an operator is shown of another domain. Who is trusted by a credential met nobody: only trust
    /// that two operators made says whom they mean.
    func report(of offer: BundleOffer, isNamed: Bool) -> OfferReport {
        let book = node.trust.domains.partners
        let held = book.partners.first { $0.domain == offer.domain }.map(book.sequence)
        return OfferReport(
            name: offer.label, id: offer.domain, words: words(of: Pin(offer.domain.digest)),
            sequence: offer.sequence, keys: offer.keys.map { suite.pin(of: $0).description },
            isSigned: offer.document != nil, content: offer.content.description,
            peer: offer.member.map { reference($0.node) }, held: held,
            needsYes: !isNamed && !hasMet(offer.member?.node))
    }

    /// Whether trust in `peer` is the work of two operators.
    private func hasMet(_ peer: NodeID?) -> Bool {
        guard let peer = peer.flatMap({ node.trust.pins[$0] }) else { return false }
        return peer.state == .trusted && peer.domain == nil
    }

    /// The partner that `text` names: its name, its ID, or the beginning of its ID.
    func partner(named text: String) -> Ruling<DomainID> {
        let all = node.trust.domains.partners.partners
        var found = all.filter { $0.label.description == text || $0.domain.description == text }
        if found.isEmpty, text.utf8.count >= Self.idBeginning {
            found = all.filter { $0.domain.description.hasPrefix(text) }
        }
        if found.count == 1, let only = found.first { return .allowed(only.domain) }
        // Two organisations may call themselves alike.
        let known = (found.isEmpty ? all : found).map { "\($0.label) (\($0.domain.brief))" }
        return .refused(
            Refusal(
                .partnerUnknown,
                [
                    Fact("given", String(text.prefix(64))),
                    Fact("partners", known.isEmpty ? "none" : known.joined(separator: ", ")),
                ]))
    }
}
