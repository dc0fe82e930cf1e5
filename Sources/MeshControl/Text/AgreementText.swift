import MeshBase

/// `comity agreement list`, `comity agreement show`, `comity offer`.
public enum AgreementText {
    /// All agreements, one line each.
    public static func render(_ report: AgreementsReport, _ presentation: Presentation) -> String {
        guard !report.agreements.isEmpty || report.house != nil else {
            return "no agreements\n" + ReasonText.next("comity offer RESOURCE --to PEER", presentation)
        }
        var table = table(report.agreements, presentation)
        if let house = report.house { HouseText.add(house, to: &table, presentation) }
        return table.render(presentation)
    }

    /// An agreement of two, or the house agreement, all of it.
    public static func render(_ detail: AgreementDetail, _ presentation: Presentation) -> String {
        switch detail {
        case .pair(let agreement): render(agreement, presentation)
        case .house(let house): HouseText.render(house, presentation)
        }
    }

    /// One agreement, all of it, as a contract reads.
    public static func render(_ agreement: AgreementReport, _ presentation: Presentation) -> String {
        AgreementContract(agreement, presentation).render()
            + ReasonText.facts(agreement.facts, presentation, indent: 2)
            + (agreement.approvals.map {
                PersonText.approvals($0, with: agreement.peer.title, presentation)
            } ?? "")
    }

    /// What `comity offer` says.
    public static func offered(_ agreement: AgreementReport, _ presentation: Presentation) -> String {
        let what = list(agreement.resources, empty: "nothing")
        let until = presentation.date(agreement.until)
        switch agreement.state {
        case .active: return "\(agreement.other) may call \(what) until \(until)\n"
        case .early, .offered, .signed, .expired, .ended:
            return
                "\(what) is offered to \(agreement.other) until \(until); "
                + "the agreement is \(agreement.state.rawValue)\n"
                + ReasonText.next("comity agreement show \(agreement.id.prefix(12))", presentation)
        }
    }

    /// What `comity agreement accept`, `reject` and `revoke` say.
    public static func decided(_ agreement: AgreementReport, _ presentation: Presentation) -> String {
        let what = list(agreement.resources, empty: "nothing")
        guard let verb = verb(agreement.state) else { return ended(agreement, what) }
        let parties =
            agreement.role == .provider
            ? "\(agreement.other) \(verb) \(what) \(place(of: agreement))"
            : "\(agreement.own) \(verb) \(what) at \(agreement.other)"
        let told = told(agreement)
        return "\(parties) (agreement \(agreement.id.prefix(12)) is \(agreement.state.rawValue))\(told)\n"
            + waiting(agreement, presentation)
    }

    /// What else permits is not said: another version or agreement may.
    private static func ended(_ agreement: AgreementReport, _ what: String) -> String {
        let place = agreement.role == .provider ? place(of: agreement) : "at \(agreement.other)"
        let caller = agreement.role == .provider ? agreement.other : agreement.own
        return "agreement \(agreement.id.prefix(12)), by which \(caller) calls \(what) \(place), is "
            + "\(agreement.state.rawValue)\(told(agreement))\n"
    }

    private static func told(_ agreement: AgreementReport) -> String {
        agreement.facts.first { $0.name == "told" }.map { "; told: \($0.value)" } ?? ""
    }

    private static func place(of agreement: AgreementReport) -> String {
        agreement.parties?.provider.kind == .domain ? "at \(agreement.own)" : "here"
    }

    /// Whose approval is awaited, where it is.
    private static func waiting(_ agreement: AgreementReport, _ presentation: Presentation) -> String {
        guard let approvals = agreement.approvals, agreement.state == .offered || agreement.state == .signed
        else { return "" }
        let missing = [
            approvals.missingHere.isEmpty ? nil : "here \(PersonText.words(approvals.missingHere))",
            approvals.missingThere.isEmpty
                ? nil : "at \(agreement.peer.title) \(PersonText.words(approvals.missingThere))",
        ].compactMap { $0 }
        return (missing.isEmpty ? "" : "it waits for approval: \(missing.joined(separator: "; "))\n")
            + (approvals.next.map { ReasonText.next($0, presentation) } ?? "")
    }

    /// What the consumer may do by it; nil: it is over.
    private static func verb(_ state: AgreementReport.State) -> String? {
        switch state {
        case .active: "may call"
        case .offered, .signed, .early: "may not yet call"
        case .expired, .ended: nil
        }
    }

    /// What `comity agreement diff` says.
    public static func render(_ comparison: AgreementComparison, _ presentation: Presentation) -> String {
        let (first, second) = (comparison.first.prefix(12), comparison.second.prefix(12))
        guard !comparison.differences.isEmpty else { return "\(first) and \(second) say the same\n" }
        var table = TextTable(["", String(first), String(second)])
        for difference in comparison.differences {
            table.add([.init(difference.subject, .faint), .init(difference.first), .init(difference.second)])
        }
        return table.render(presentation)
    }

    static func table(_ agreements: [AgreementReport], _ presentation: Presentation) -> TextTable {
        var table = TextTable(["AGREEMENT", "STATE", "WITH", "WE", "RESOURCES", "CAPABILITIES", "UNTIL"])
        for agreement in agreements {
            let left = presentation.distance(to: agreement.until)
            table.add([
                .init(String(agreement.id.prefix(12))),
                .init(agreement.state.rawValue, ink(of: agreement.state)),
                .init(agreement.other), .init(agreement.role == .provider ? "provide" : "call"),
                .init(list(agreement.resources, empty: "none")),
                .init(list(agreement.capabilities, empty: "all")),
                .init(
                    "\(presentation.date(agreement.until).prefix(16)) (\(left))"
                ),
            ])
        }
        return table
    }

    private static func list(_ names: [ResourceName], empty: String) -> String {
        names.isEmpty ? empty : names.map(\.description).joined(separator: ",")
    }

    static func ink(of state: AgreementReport.State) -> Ink {
        switch state {
        case .active: .good
        case .offered, .signed, .early: .warning
        case .expired, .ended: .faint
        }
    }
}
