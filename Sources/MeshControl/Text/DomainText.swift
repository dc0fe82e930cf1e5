import MeshBase

/// `comity domain`.
public enum DomainText {
    /// The domain, and who else is in it.
    public static func render(_ report: DomainReport, _ presentation: Presentation) -> String {
        var table = TextTable()
        func add(_ name: String, _ value: String, _ ink: Ink? = nil) {
            if !value.isEmpty { table.add([.init(name, .faint), .init(value, ink)]) }
        }
        add("id", report.id.description)
        add("words", report.words.joined(separator: " "))
        let isMember = !report.roles.isEmpty
        add("this node", isMember ? roles(report.roles) : "no member now", isMember ? .good : .warning)
        add("credential", credential(report, presentation))
        add("may give", report.mayGive.map(\.description).joined(separator: ", "))
        add("anchor key", report.hasAnchor ? "in this home" : "not here")
        var text =
            presentation.ink(.bold, report.name.description) + "\n" + table.render(presentation, indent: 2)
        let partners = PartnerText.partners(report.partners, presentation)
        guard !report.members.isEmpty else { return text + partners }
        var members = TextTable(["MEMBER", "ROLES", "LINK", "CREDENTIAL"])
        for member in report.members {
            members.add([
                .init(member.node.title), .init(roles(member.roles)), .init(member.link.rawValue),
                .init("ends \(presentation.distance(to: member.until))"),
            ])
        }
        text += members.render(presentation, indent: 2)
        return text + partners
    }

    private static func credential(_ report: DomainReport, _ presentation: Presentation) -> String {
        let by = report.issuer.map(\.title) ?? "the anchor"
        let renewal = report.renewal.map { ", renewed \(presentation.distance(to: $0))" } ?? ""
        return "by \(by), ends \(presentation.distance(to: report.until))"
            + (report.roles.isEmpty ? "" : renewal)
    }

    /// What a new domain asks of its operator next.
    public static func founded(_ report: DomainReport, _ presentation: Presentation) -> String {
        "domain \(report.name) is made, and this node is its first member and issuer\n"
            + "its anchor key is in this home: whoever has it is the domain, so keep a copy offline\n"
            + ReasonText.next("comity domain token FILE", presentation)
    }

    /// What a token is good for, and how a newcomer uses it.
    public static func token(_ report: TokenReport, at path: String, _ presentation: Presentation) -> String {
        let nodes = report.uses == 1 ? "one node" : "\(report.uses) nodes"
        return "with it \(nodes) (at each issuer) may join \(report.name) as \(roles(report.roles)),"
            + " until \(presentation.date(report.until))\n"
            + "on a new node: COMITY_JOIN_FILE=\(path) comity up\n"
    }

    /// With commas between them.
    public static func roles(_ roles: [DomainRole]) -> String {
        roles.map(\.description).joined(separator: ", ")
    }

    /// `acme: member, issue`.
    public static func membership(_ membership: MembershipReport) -> String {
        "\(membership.name?.description ?? membership.id.brief): \(roles(membership.roles))"
    }
}
