import MeshBase

/// `comity config reload`, `comity log level`: what is changed while an agent runs.
public enum HostText {
    /// What holds now, and what waits for a restart.
    public static func render(_ report: ReloadReport, _ presentation: Presentation) -> String {
        guard !report.applied.isEmpty || !report.waiting.isEmpty else { return "nothing is changed\n" }
        var text = section("in force now", report.applied, presentation)
        if !report.waiting.isEmpty {
            text += section("in force after a restart", report.waiting, presentation)
        }
        return text
    }

    private static func section(
        _ title: String, _ differences: [ConfigurationDifference], _ presentation: Presentation
    ) -> String {
        guard !differences.isEmpty else { return "" }
        var table = TextTable()
        for difference in differences {
            table.add([
                .init(difference.key), .init(shown(difference.before), .faint), .init("->", .faint),
                .init(shown(difference.after)), .init(difference.origin, .faint),
            ])
        }
        return presentation.ink(.bold, title) + "\n" + table.render(presentation, indent: 2)
    }

    private static func shown(_ value: String) -> String { value.isEmpty ? "(none)" : value }

    /// The level, and until when.
    public static func render(_ report: LogReport, _ presentation: Presentation) -> String {
        let level = "log level \(report.level.rawValue)"
        guard report.isOrdered else { return "\(level), as configured\n" }
        guard let until = report.until else {
            return "\(level) until the agent ends; \(report.configured.rawValue) is configured\n"
        }
        let date = presentation.date(until)
        return "\(level) until \(date), then \(report.configured.rawValue) as configured\n"
    }

    /// A backup that was made.
    public static func made(_ report: BackupReport, _ presentation: Presentation) -> String {
        var table = TextTable()
        table.add([.init("node", .faint), .init("\(report.name)  \(report.node)")])
        table.add([.init("moment", .faint), .init(presentation.date(report.made))])
        table.add([.init("file", .faint), .init(report.file)])
        if let bytes = report.bytes { table.add([.init("bytes", .faint), .init("\(bytes)")]) }
        return table.render(presentation.unbounded)
    }

    /// A home that was restored.
    public static func restored(_ report: BackupReport, _ presentation: Presentation) -> String {
        var table = TextTable()
        table.add([.init("node", .faint), .init("\(report.name)  \(report.node)")])
        table.add([.init("as it was", .faint), .init(presentation.date(report.made))])
        table.add([.init("home", .faint), .init(report.home)])
        return table.render(presentation.unbounded)
            + "what was decided since then is not in it: revocations, suspensions and agreements are to be\n"
            + "looked at again; open invites were dropped\n"
            + ReasonText.next("comity up --home \(report.home)", presentation, indent: 0)
    }

    /// What leaving will cut, for whoever is asked whether to go on.
    public static func warning(_ report: LeaveReport) -> String {
        var lines: [String] = []
        if !report.told.isEmpty { lines.append("links with \(list(report.told)) end, and their calls") }
        if !report.resources.isEmpty {
            lines.append("nobody can call \(list(report.resources)) here any more")
        }
        if report.forGood {
            let count = report.agreements
            lines.append("this node forgets all its peers, and the \(count) agreements permit nothing")
            if !report.told.isEmpty { lines.append("\(list(report.told)) end trust in it as well") }
            if !report.unreached.isEmpty {
                lines.append(
                    "\(list(report.unreached)) have no link and hear nothing: their operators must forget"
                        + " this node themselves")
            }
        } else {
            lines.append("trust and agreements stay; comity up brings this node back")
        }
        return lines.map { $0 + "\n" }.joined()
    }

    /// What was left.
    public static func left(_ report: LeaveReport, _ presentation: Presentation) -> String {
        let told = report.told.count
        return told == 1 ? "left; one peer was told\n" : "left; \(told) peers were told\n"
    }

    private static func list(_ names: [some CustomStringConvertible]) -> String {
        let shown = names.prefix(8).map(\.description).joined(separator: ", ")
        return names.count > 8 ? "\(shown) and \(names.count - 8) more" : shown
    }
}
