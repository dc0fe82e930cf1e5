import MeshBase
import MeshControl
import MeshNode
import MeshTrust

// The node's domain, and what peers are in theirs.
extension ReportWriter {
    /// The domain that this node is in; nil: in none.
    var domain: DomainReport? {
        let book = node.trust.domains
        guard let home = book.home else { return nil }
        let credential = home.chain.credential.body
        let isIssuer = book.own?.membership.holds(.issue) ?? false
        let members = book.members.filter { $1.membership.domain == home.domain }.map { id, held in
            MemberReport(
                node: reference(id), roles: held.membership.roles, until: Timestamp(held.membership.until),
                link: PeerReport.Link(
                    node.gossip.link(with: id)?.condition, isMissed: isLinkMissed(id)))
        }
        return DomainReport(
            name: home.label, id: home.domain, words: words(of: Pin(home.domain.digest)),
            roles: book.own?.membership.roles ?? [], until: Timestamp(credential.until),
            renewal: node.trust.renewalDue.map(Timestamp.init),
            issuer: home.chain.issuer.map { reference($0.body.node) },
            hasAnchor: book.anchor == home.chain.anchor,
            mayGive: isIssuer ? home.chain.authority?.body.roles.roles ?? [] : [], members: members,
            partners: partners)
    }

    /// What a peer is in its domain; nil: nothing that counts.
    func membership(of peer: NodeID) -> MembershipReport? {
        node.trust.domains.members[peer].map { report(of: $0.membership) }
    }

    /// What this node is in its domain; nil: nothing that counts.
    var ownMembership: MembershipReport? { node.trust.domains.own.map { report(of: $0.membership) } }

    private func report(of membership: Membership) -> MembershipReport {
        MembershipReport(
            name: node.trust.domains.label(of: membership.domain), id: membership.domain,
            roles: membership.roles, until: Timestamp(membership.until))
    }

    /// What of the domain needs a person.
    var domainAttention: [AttentionReport] {
        let book = node.trust.domains
        guard let home = book.home else {
            return node.trust.enrolment.map { [attention(to: $0)] } ?? []
        }
        if book.own == nil {
            let until = RFC3339.text(home.chain.credential.body.until)
            return [
                AttentionReport(
                    what: "this node's credential of \(home.label) ended at \(until): members refuse it",
                    next: "comity domain show")
            ]
        }
        guard let due = node.trust.renewalDue, now.wall > due + .seconds(3_600) else {
            return partnerAttention
        }
        return partnerAttention + [
            AttentionReport(
                what: "no issuer of \(home.label) has renewed this node's credential since it was due at"
                    + " \(RFC3339.text(due))", next: "comity domain show")
        ]
    }

    /// Why a node with a token is not enrolled.
    private func attention(to enrolment: Enrolment) -> AttentionReport {
        let label = enrolment.token.record.body.label
        guard let obstacle = enrolment.obstacle else {
            return AttentionReport(
                what: "no issuer of \(label) has enrolled this node yet: none is found", next: "comity peers")
        }
        let failure = ControlFailure(obstacle)
        guard let remote = enrolment.remote else {
            return AttentionReport(
                what: "the join token for \(label) is not used: \(failure.code): \(failure.message)",
                next: "comity explain \(failure.code)")
        }
        // A stranger that is in no domain, or in another one, says no more than this.
        let why =
            obstacle.code == .handshakeRefused
            ? "\(remote) says no more than \(failure.code), as members of other domains do"
            : "\(remote) says \(failure.code): \(failure.message)"
        return AttentionReport(
            what: "no issuer of \(label) has enrolled this node yet: \(why)",
            next: "comity explain \(failure.code)")
    }
}
