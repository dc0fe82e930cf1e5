import MeshBase

/// `comity domain export`, `import` and `forget`, of other domains.
public enum PartnerText {
    /// The bundle of the own domain, for others.
    public static func exported(
        _ report: BundleReport, at path: String, _ presentation: Presentation
    ) -> String {
        "\(path) is the bundle of \(report.name), number \(report.sequence); there is no secret in it\n"
            + "who imports it compares these words with you: \(report.words.joined(separator: " "))\n"
    }

    /// Another domain's bundle, before anybody has said yes to it.
    public static func offer(_ report: OfferReport, _ presentation: Presentation) -> String {
        var table = TextTable()
        func add(_ name: String, _ value: String, _ ink: Ink? = nil) {
            table.add([.init(name, .faint), .init(value, ink)])
        }
        add("id", report.id.description)
        add("words", report.words.joined(separator: " "))
        add("keys", report.keys.joined(separator: ", "))
        add("bundle", "number \(report.sequence)" + (report.held.map { ", number \($0) is held" } ?? ""))
        let signature =
            report.isSigned ? "by a key of the domain itself" : "none: the keys are as the file says"
        add("signed", signature, report.isSigned ? nil : .warning)
        if let peer = report.peer { add("shown by", "\(peer.title), which proved to be a member") }
        return presentation.ink(.bold, report.name.description) + "\n" + table.render(presentation, indent: 2)
    }

    /// What a yes would mean.
    public static func question(_ report: OfferReport, roles: [DomainRole]) -> String {
        let who = roles.isEmpty ? "every member of it" : "members of it with \(DomainText.roles(roles))"
        return "shall every node of this domain trust \(who)? compare the words with people of \(report.name)"
    }

    /// A domain that is accepted now.
    public static func imported(_ report: PartnerReport, _ presentation: Presentation) -> String {
        let who = report.roles.isEmpty ? "its members" : "its members with \(DomainText.roles(report.roles))"
        let done = "\(report.name) is a partner: nodes of this domain trust \(who), and nothing more\n"
        guard report.acceptsUs != .yes else { return done }
        return done
            + "until \(report.name) accepts this domain too, nothing is trusted; its operator needs:\n"
            + ReasonText.next("comity domain export FILE", presentation)
    }

    /// A domain that is accepted no more.
    public static func forgotten(_ report: PartnerReport, _ presentation: Presentation) -> String {
        "\(report.name) is no partner now: trust that rested on its credentials is over\n"
    }

    /// The partners of a domain, as a table; empty when there are none.
    static func partners(_ reports: [PartnerReport], _ presentation: Presentation) -> String {
        guard !reports.isEmpty else { return "" }
        var table = TextTable(["PARTNER", "ID", "TRUSTED", "BUNDLE", "NODES", "ACCEPTS US"])
        for report in reports {
            let roles = report.roles.isEmpty ? "all members" : DomainText.roles(report.roles)
            let age = report.signed.map { ", \(presentation.distance(to: $0))" } ?? ""
            table.add([
                .init(report.name.description), .init(report.id.brief),
                .init(report.keys == 0 ? "nobody: no keys" : roles, report.keys == 0 ? .warning : nil),
                .init("number \(report.sequence)\(age)"), .init("\(report.nodes), \(report.linked) up"),
                .init(acceptance(report, presentation), report.acceptsUs == .no ? .warning : nil),
            ])
        }
        return table.render(presentation, indent: 2)
    }

    private static func acceptance(_ report: PartnerReport, _ presentation: Presentation) -> String {
        guard report.acceptsUs == .no, let refusal = report.refusal else { return report.acceptsUs.rawValue }
        return "no: \(refusal.code.rawValue), \(presentation.distance(to: refusal.at))"
    }
}
