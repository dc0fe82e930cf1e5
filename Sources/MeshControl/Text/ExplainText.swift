import MeshBase

/// `comity explain`: the decision tree with both sides' verdicts.
public enum ExplainText {
    /// The verdict, then each question with its answer, reasons, values and next command.
    public static func render(_ report: ExplainReport, _ presentation: Presentation) -> String {
        var text =
            "\(presentation.ink(.bold, report.subject.madePrintable))  "
            + presentation.ink(ink(of: report.verdict), words(for: report.verdict)) + "\n"
        if let correlation = report.correlation {
            text += "  \(presentation.ink(.faint, "correlation"))  \(correlation)\n"
        }
        let sides = report.branches.map { $0.side?.title ?? "here" }
        let width = sides.map(\.columns).max() ?? 0
        for (branch, side) in zip(report.branches, sides) {
            let margin = String(repeating: " ", count: width - side.columns)
            text +=
                "  \(presentation.ink(ink(of: branch.verdict), mark(of: branch.verdict))) "
                + "\(presentation.ink(.faint, side))\(margin)  \(branch.question.madePrintable)\n"
            for reason in branch.reasons {
                text += ReasonText.reason(reason, presentation, indent: width + 6)
            }
            text += ReasonText.facts(branch.facts, presentation, indent: width + 6)
            let known = branch.reasons.lazy.compactMap { CodeBook.next(after: $0.code) }.first
            text += ReasonText.next(
                branch.next ?? known, ReasonText.placed(branch.facts, presentation), indent: width + 6)
        }
        return text
    }

    private static func words(for verdict: ExplainVerdict) -> String {
        switch verdict {
        case .allowed: "allowed"
        case .refused: "refused"
        case .unknown: "unknown"
        case .notAsked: "not asked"
        }
    }

    private static func mark(of verdict: ExplainVerdict) -> String {
        switch verdict {
        case .allowed: "+"
        case .refused: "x"
        case .unknown: "?"
        case .notAsked: "-"
        }
    }

    private static func ink(of verdict: ExplainVerdict) -> Ink {
        switch verdict {
        case .allowed: .good
        case .refused: .bad
        case .unknown: .warning
        case .notAsked: .faint
        }
    }
}
