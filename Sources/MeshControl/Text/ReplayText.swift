import MeshBase

/// `comity policy test`, `comity agreement diff --against`.
public enum ReplayText {
    /// Calls that change, then what was counted, then what could not be.
    public static func render(_ report: ReplayReport, _ presentation: Presentation) -> String {
        let since = presentation.date(report.since)
        guard report.calls > 0 else {
            return "no call since \(since) to which this applies\n" + remarks(on: report, presentation)
        }
        var text = ""
        if report.lost > 0 {
            text += presentation.ink(.bad, "\(counted(report.lost)) would be refused") + "\n"
            text += table(report, .lost, presentation)
        }
        if report.gained > 0 {
            text += presentation.ink(.good, "\(counted(report.gained)) would be allowed") + "\n"
            text += table(report, .gained, presentation)
        }
        if report.lost + report.gained == 0 { text += "no call would be decided otherwise\n" }
        text +=
            presentation.ink(
                .faint,
                "\(counted(report.calls)) since \(since): \(report.allowed) allowed both ways, "
                    + "\(report.refused) refused both ways") + "\n"
        text += presentation.ink(.faint, "compared: \(brief(report.before)) | \(brief(report.after))") + "\n"
        text += remarks(on: report, presentation)
        if let example = report.changes.first?.examples.first {
            text += ReasonText.next("comity explain \(example)", presentation)
        }
        return text
    }

    private static func table(
        _ report: ReplayReport, _ direction: ReplayReport.Change.Direction, _ presentation: Presentation
    ) -> String {
        var table = TextTable(["CALLS", "BY", "AT", "REASON", "FOR EXAMPLE"])
        for change in report.changes where change.direction == direction {
            table.add([
                .init("\(change.calls)"), .init("\(change.principal)@\(change.caller.title)"),
                .init("\(change.callee.title)/\(change.resource)/\(change.capability)"),
                .init(change.code.rawValue), .init(change.examples.first?.description ?? "", .faint),
            ])
        }
        return table.render(presentation, indent: 2)
    }

    private static func remarks(on report: ReplayReport, _ presentation: Presentation) -> String {
        var remarks: [String] = []
        if report.ungrouped > 0 { remarks.append("\(counted(report.ungrouped)) that change are not listed") }
        if report.unreadable > 0 {
            remarks.append(
                "\(report.unreadable) events do not tell what decides (refusals that were summed up)")
        }
        if report.unplaced > 0 {
            remarks.append(
                "\(counted(report.unplaced)) of this node fall under a condition on networks, "
                    + "which only the provider can compare")
        }
        if report.kept > 0 {
            remarks.append(
                "\(counted(report.kept)) more were refused here before they left, which the other side does "
                    + "not know of: \(report.keptGained) of them would be allowed")
        }
        if report.leavesOutLimits {
            remarks.append("rates, quotas and hop limits are not replayed: each call counts by itself")
        }
        if report.isTruncated { remarks.append("older calls were left out: there are too many") }
        return remarks.map { presentation.ink(.faint, "note: \($0)") + "\n" }.joined()
    }

    /// A content id as other lists show it.
    private static func brief(_ policy: String) -> String {
        policy.count == 64 && policy.allSatisfy(\.isHexDigit) ? String(policy.prefix(12)) : policy
    }

    private static func counted(_ calls: Int) -> String { calls == 1 ? "1 call" : "\(calls) calls" }
}
