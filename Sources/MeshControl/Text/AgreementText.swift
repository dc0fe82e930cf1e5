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

    /// One agreement, all of it.
    public static func render(_ agreement: AgreementReport, _ presentation: Presentation) -> String {
        var table = TextTable()
        func add(_ name: String, _ value: String, _ ink: Ink? = nil) {
            table.add([.init(name, .faint), .init(value, ink)])
        }
        add("state", agreement.state.rawValue, ink(of: agreement.state))
        add(agreement.role == .provider ? "we provide to" : "provided by", agreement.peer.title)
        add("resources", list(agreement.resources, empty: "none"))
        add("capabilities", list(agreement.capabilities, empty: "all"))
        for namespace in agreement.namespaces {
            add("of it", "\(namespace) (the service holds it, not the mesh)")
        }
        if let conditions = agreement.conditions {
            add("access", words(conditions.access))
            let lists = [
                ("principals", conditions.principals.map(\.description)),
                ("roles", conditions.roles.map(\.description)),
                ("networks", conditions.networks.map(\.description)),
                ("purposes", conditions.purposes.map(\.description)),
            ]
            for (name, list) in lists where !list.isEmpty { add(name, list.joined(separator: ", ")) }
            if conditions.encryption == .required { add("payloads", "sealed to the provider, answers too") }
        }
        if let promised = agreement.commitments {
            if !promised.frameworks.isEmpty {
                add("both keep to", promised.frameworks.map(\.description).joined(separator: ", "))
            }
            for level in promised.serviceLevels {
                add("promised", "\(level.name) \(level.target)" + (level.unit.map { " \($0)" } ?? ""))
            }
        }
        for (name, value) in limits(of: agreement) { add(name, value) }
        if agreement.callsAtEnd == .cut { add("at a revocation", "calls under way are cut") }
        add("offered", presentation.date(agreement.offered))
        if let from = agreement.from { add("from", presentation.date(from)) }
        add("until", "\(presentation.date(agreement.until)) (\(presentation.distance(to: agreement.until)))")
        return presentation.ink(.bold, agreement.id) + "\n" + table.render(presentation, indent: 2)
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
        case .active: return "\(agreement.peer.title) may call \(what) until \(until)\n"
        case .early, .offered, .signed, .expired, .ended:
            return
                "\(what) is offered to \(agreement.peer.title) until \(until); "
                + "the agreement is \(agreement.state.rawValue)\n"
                + ReasonText.next("comity agreement show \(agreement.id.prefix(12))", presentation)
        }
    }

    /// What `comity agreement accept`, `reject` and `revoke` say.
    public static func decided(_ agreement: AgreementReport, _ presentation: Presentation) -> String {
        let what = list(agreement.resources, empty: "nothing")
        let parties =
            agreement.role == .provider
            ? "\(agreement.peer.title) \(Self.verb(agreement.state)) \(what) here"
            : "this node \(Self.verb(agreement.state)) \(what) at \(agreement.peer.title)"
        let told = agreement.facts.first { $0.name == "told" }.map { "; told: \($0.value)" } ?? ""
        return "\(parties) (agreement \(agreement.id.prefix(12)) is \(agreement.state.rawValue))\(told)\n"
            + waiting(agreement, presentation)
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

    private static func verb(_ state: AgreementReport.State) -> String {
        switch state {
        case .active: "may call"
        case .offered, .signed, .early: "may not yet call"
        case .expired, .ended: "may no longer call"
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
                .init(agreement.peer.title), .init(agreement.role == .provider ? "provide" : "call"),
                .init(list(agreement.resources, empty: "none")),
                .init(list(agreement.capabilities, empty: "all")),
                .init(
                    "\(presentation.date(agreement.until).prefix(16)) (\(left))"
                ),
            ])
        }
        return table
    }

    /// One line for each limit: what was agreed, and for quotas what is used and left here.
    private static func limits(of agreement: AgreementReport) -> [(String, String)] {
        guard let limits = agreement.limits else { return [] }
        var lines: [(String, String)] = []
        if let rate = limits.rate {
            lines.append(("rate", "\(rate.calls) calls in \(rate.seconds) s, \(rate.burst) at once"))
        }
        for usage in agreement.usage {
            lines.append(
                (
                    "calls a \(usage.period.rawValue)",
                    "\(usage.quota); in \(usage.window) \(usage.used) used here, \(usage.left) left"
                ))
        }
        if let hops = limits.hops { lines.append(("hops", "\(hops)")) }
        return lines
    }

    private static func words(_ access: ConditionsReport.Access) -> String {
        switch access {
        case .metadataOnly: "metadata_only: descriptions, HEAD and OPTIONS"
        case .readOnly: "read_only: capabilities that are declared safe"
        case .full: "full"
        }
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
