import MeshBase

// What the domain rests on: this node's credential, and who renews it.
extension DoctorJudgement {
    /// A credential that is due and not renewed for so long has no issuer that answers.
    private static let renewalPatience: Duration = .seconds(3_600)

    var domain: [DoctorFinding] {
        guard let domain = facts.agent?.domain else { return [] }
        return [credential(in: domain), issuers(of: domain)]
    }

    private func credential(in domain: DomainReport) -> DoctorFinding {
        let left = max(0, (domain.until.time - now).wholeMilliseconds / 3_600_000)
        let seen = [
            Fact("until", RFC3339.text(domain.until.time)), Fact("hours left", left),
            Fact("now", RFC3339.text(now)),
        ]
        guard now < domain.until.time, !domain.roles.isEmpty else {
            return DoctorFinding(
                .domain, .trouble,
                "this node's credential of \(domain.name) is over: its members refuse this node", seen,
                next: "comity domain show")
        }
        guard let due = domain.renewal?.time, now - due > Self.renewalPatience else {
            return DoctorFinding(
                .domain, .ok, "this node's credential of \(domain.name) is in time", seen)
        }
        return DoctorFinding(
            .domain, .advice, "no issuer of \(domain.name) has renewed this node's credential",
            [Fact("due since", RFC3339.text(due))] + seen, next: "comity domain show")
    }

    /// Whoever may sign credentials: with none in reach nobody joins and nothing is renewed.
    private func issuers(of domain: DomainReport) -> DoctorFinding {
        let others = domain.members.filter { $0.roles.contains(.issue) }
        let linked = others.filter(\.link.isUp)
        let inReach = others.filter { $0.link != .down }
        let isIssuer = domain.roles.contains(.issue)
        let count = others.count + (isIssuer ? 1 : 0)
        let seen = [
            Fact("issuers", count), Fact("this node is one", isIssuer ? "yes" : "no"),
            Fact("linked", linked.isEmpty ? "none" : linked.map(\.node.title).joined(separator: ", ")),
            Fact("linked when needed", inReach.count - linked.count),
        ]
        if !isIssuer && inReach.isEmpty {
            return DoctorFinding(
                .domain, .advice,
                "no issuer of \(domain.name) is linked: nobody joins by this node, and nothing is renewed",
                seen, next: "comity peers")
        }
        guard count > 1 else {
            return DoctorFinding(
                .domain, .advice,
                "\(domain.name) has one issuer: while it is away nobody joins and nothing is renewed",
                seen + (domain.hasAnchor ? [] : [Fact("to be given at", "the node with the anchor's key")]),
                next: "comity domain token --role issue FILE")
        }
        return DoctorFinding(.domain, .ok, "\(domain.name) has \(count) issuers", seen)
    }
}
