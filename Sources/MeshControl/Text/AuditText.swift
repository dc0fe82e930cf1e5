import MeshBase

/// `comity audit list` and `comity audit trace`.
public enum AuditText {
    /// Events, newest first, one line each.
    public static func render(_ report: AuditReport, _ presentation: Presentation) -> String {
        guard !report.events.isEmpty else { return "no events\n" }
        var table = TextTable(["TIME", "TYPE", "FROM", "TO", "WHAT", "OUTCOME", "TOOK", "CORRELATION"])
        for event in report.events {
            table.add([
                .init(presentation.date(event.time)), .init(event.type), .init(event.source.title),
                .init(event.target.title), .init(what(event)),
                .init(outcome(event), ink(event)), .init(took(event)),
                .init(event.correlation?.description ?? ""),
            ])
        }
        let more =
            report.hasMore ? presentation.ink(.faint, "older events match; --limit shows more") + "\n" : ""
        // A correlation id is there to be copied: this table may be wider than the terminal.
        return table.render(presentation.unbounded) + more
    }

    /// One call as all sides remember it.
    public static func render(_ report: TraceReport, _ presentation: Presentation) -> String {
        var text = "\(presentation.ink(.bold, report.correlation.description))\n"
        let first = report.events.map(\.event.time).min()
        var table = TextTable(["AFTER", "SIDE", "TYPE", "ATTEMPT", "FROM", "TO", "WHAT", "OUTCOME", "TOOK"])
        for entry in report.events {
            let event = entry.event
            let after = first.map { "+" + HumaneDuration.text(event.time.time - $0.time) } ?? ""
            let attempt = event.attempt == 0 ? "-" : String(event.attempt)
            table.add([
                .init(after), .init(entry.side.title), .init(event.type), .init(attempt),
                .init(event.source.title),
                .init(event.target.title), .init(what(event)),
                .init(outcome(event), ink(event)),
                .init(took(event)),
            ])
        }
        text += table.isEmpty ? "  no events\n" : table.render(presentation, indent: 2)
        for side in report.sides {
            guard let missing = side.missing else { continue }
            text += "  \(presentation.ink(.warning, "\(side.node.title)'s half is missing"))\n"
            text += ReasonText.reason(missing, presentation, indent: 4)
        }
        return text + verdict(report, presentation)
    }

    private static func verdict(_ report: TraceReport, _ presentation: Presentation) -> String {
        let here = report.sides.filter { $0.missing == nil }.count
        guard !report.disagreements.isEmpty else {
            return here > 1 ? "  \(presentation.ink(.good, "the \(here) sides agree"))\n" : ""
        }
        return report.disagreements.map { disagreement in
            let title =
                "the sides disagree about attempt \(disagreement.attempt): \(disagreement.what.madePrintable)"
            return "  \(presentation.ink(.bad, title))\n"
                + ReasonText.facts(disagreement.values, presentation, indent: 4)
        }.joined()
    }

    private static func what(_ event: AuditEventReport) -> String {
        let path = [event.resource, event.capability].compactMap { $0?.description }.joined(separator: "/")
        guard !path.isEmpty else {
            return ([event.action] + event.metadata.compactMap(detail)).joined(separator: " ")
        }
        // A call is told by what was asked for; anything else that concerns a resource, by what happened to
        // it.
        return event.correlation == nil ? "\(event.action) (\(path))" : path
    }

    /// What tells events of one action apart, short enough for a line.
    private static func detail(_ fact: Fact) -> String? {
        let telling = [
            "invite", "what", "resource", "via", "prefer", "preferred node", "order", "decision", "because",
        ]
        guard telling.contains(fact.name) else { return nil }
        return fact.value.split(separator: " ").map { word in
            word.count > 24 ? word.prefix(12) + "…" : word
        }.joined(separator: " ")
    }

    private static func ink(_ event: AuditEventReport) -> Ink {
        event.isUnderWay ? .warning : event.success ? .good : .bad
    }

    private static func outcome(_ event: AuditEventReport) -> String {
        if event.isUnderWay { return "under way" }
        if let code = event.refusals.first?.code { return code.rawValue }
        return event.status.map(String.init) ?? (event.success ? "ok" : "failed")
    }

    private static func took(_ event: AuditEventReport) -> String {
        event.correlation == nil || event.isUnderWay
            ? "" : HumaneDuration.text(.milliseconds(event.durationMilliseconds))
    }
}
