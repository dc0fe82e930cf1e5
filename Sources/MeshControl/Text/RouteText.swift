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
            table.add([
                .init(candidate.isHere ? "\(candidate.peer.title) (here)" : candidate.peer.title),
                .init(candidate.breaker.rawValue, ink(of: candidate.breaker)),
                .init(candidate.score.map { HumaneDuration.text(milliseconds: $0) } ?? "-"),
                .init(candidate.latencyMilliseconds.map { HumaneDuration.text(milliseconds: $0) } ?? "-"),
                .init(String(candidate.inFlight)),
                .init(
                    isFree ? chance(of: candidate, in: route) : reasons,
                    !isFree ? .bad : candidate.isProvider ? .good : .faint),
            ])
        }
        let body = table.isEmpty ? "  nobody provides it\n" : table.render(presentation, indent: 2)
        let said = sayings(route).map { "  \($0)\n" }.joined()
        return presentation.ink(.bold, route.resource.description) + "\n" + said + body
    }

    /// What the operator said of it, besides who provides it.
    private static func sayings(_ route: RouteReport) -> [String] {
        var sayings: [String] = []
        if let preferred = route.preferred {
            let isProvider = route.candidates.contains { $0.peer.id == preferred.id && $0.isProvider }
            sayings.append(
                isProvider
                    ? "while \(preferred.title) is ready, it takes every call"
                    : "\(preferred.title) is preferred to all, and is no provider (--via names those who are)"
            )
        }
        if route.order == .spread { sayings.append("this node is weighed like the others") }
        if !route.prefer.isEmpty {
            sayings.append(
                "weights by label: " + route.prefer.map(\.description).joined(separator: ", "))
        }
        if let hedge = route.hedge {
            sayings.append("a safe call without an answer after \(hedge) is sent to a second one as well")
        }
        return sayings
    }

    /// When one that can be asked is picked.
    private static func chance(of candidate: CandidateReport, in route: RouteReport) -> String {
        guard candidate.isProvider else { return "asked by name only" }
        var terms = candidate.labels.map(\.description)
        if candidate.weight != 1 || terms.isEmpty { terms.insert("\(candidate.weight)", at: 0) }
        let whole = Int64(exactly: candidate.wholeWeight).map(String.init) ?? "\(candidate.wholeWeight)"
        let product = candidate.labels.isEmpty ? "" : " = " + terms.joined(separator: " x ")
        let weight = candidate.wholeWeight == 1 && product.isEmpty ? "" : ", weight \(whole)\(product)"
        let isFirst = candidate.peer.id == route.preferred?.id
        let isNext = candidate.isHere && route.order == .localFirst
        let load = candidate.load.map(crowd) ?? ""
        let isBehind = route.candidates.contains { $0.peer.id == route.preferred?.id && $0.isProvider }
        let hedge = candidate.hedgeAfterMilliseconds.map {
            ", hedged after \(HumaneDuration.text(milliseconds: $0))"
        }
        return
            (isFirst ? "comes first" : isNext ? (isBehind ? "comes next" : "comes first") : "may be picked")
            + (candidate.relay.map { " through \($0.title)" } ?? "") + weight + load + (hedge ?? "")
    }

    /// What is refused; nothing while nothing is.
    private static func crowd(_ load: LoadReport) -> String {
        guard let limit = load.limit else { return "" }
        let partners = "\(load.partners) partner\(load.partners == 1 ? "" : "s")"
        return ", \(load.inHand) of at most \(limit) calls of \(partners), \(load.refused) refused"
    }

    static func ink(of state: BreakerReport.State) -> Ink {
        switch state {
        case .closed: .good
        case .halfOpen: .warning
        case .open: .bad
        }
    }
}
