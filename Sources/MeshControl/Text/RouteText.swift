import MeshBase

/// `comity routes` and `comity route`.
public enum RouteText {
    /// For each resource: candidates, score, breaker and why.
    public static func render(_ report: RoutesReport, _ presentation: Presentation) -> String {
        guard !report.routes.isEmpty else {
            return "no routes\n" + ReasonText.next("comity find", presentation)
        }
        return report.routes.map { render($0, presentation) }.joined(separator: "\n")
    }

    /// One resource.
    public static func render(_ route: RouteReport, _ presentation: Presentation) -> String {
        var table = TextTable(["CANDIDATE", "BREAKER", "SCORE", "LATENCY", "IN FLIGHT", "WHY"])
        for candidate in route.candidates {
            let reasons = candidate.reasons.map(\.code.rawValue).joined(separator: ",")
            let isFree = candidate.reasons.isEmpty
            let weight = candidate.weight == 1 ? "" : ", weight \(candidate.weight)"
            let free = candidate.isProvider ? "may be picked\(weight)" : "asked by name only"
            table.add([
                .init(candidate.isHere ? "\(candidate.peer.title) (here)" : candidate.peer.title),
                .init(candidate.breaker.rawValue, ink(of: candidate.breaker)),
                .init(candidate.score.map { HumaneDuration.text(milliseconds: $0) } ?? "-"),
                .init(candidate.latencyMilliseconds.map { HumaneDuration.text(milliseconds: $0) } ?? "-"),
                .init(String(candidate.inFlight)),
                .init(isFree ? free : reasons, !isFree ? .bad : candidate.isProvider ? .good : .faint),
            ])
        }
        let body = table.isEmpty ? "  nobody provides it\n" : table.render(presentation, indent: 2)
        return presentation.ink(.bold, route.resource.description) + "\n" + body
    }

    static func ink(of state: BreakerReport.State) -> Ink {
        switch state {
        case .closed: .good
        case .halfOpen: .warning
        case .open: .bad
        }
    }
}
