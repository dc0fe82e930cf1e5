import MeshBase

/// `comity key`, and what `comity agreement show` says about approvals.
public enum PersonText {
    /// Everybody, one line each.
    public static func render(_ report: PeopleReport, _ presentation: Presentation) -> String {
        guard !report.people.isEmpty else {
            return "this node vouches for nobody\n"
                + ReasonText.next("comity key create NAME --role responsible", presentation)
        }
        var table = TextTable(["PERSON", "STATE", "ROLES", "UNTIL", "KEY"])
        for person in report.people {
            table.add([
                .init(person.name.description), .init(person.state.rawValue, ink(of: person.state)),
                .init(words(person.roles)), .init(presentation.date(person.until)),
                .init(String(person.pin.prefix(12)), .faint),
            ])
        }
        return table.render(presentation)
    }

    /// One person.
    public static func render(_ person: PersonReport, _ presentation: Presentation) -> String {
        var table = TextTable()
        func add(_ name: String, _ value: String, _ ink: Ink? = nil) {
            table.add([.init(name, .faint), .init(value, ink)])
        }
        add("state", person.state.rawValue, ink(of: person.state))
        add("roles", words(person.roles))
        add("from", presentation.date(person.from))
        add("until", presentation.date(person.until))
        add("key", person.pin)
        if let file = person.file { add("file", file) }
        return presentation.ink(.bold, person.name.description) + "\n"
            + table.render(presentation, indent: 2)
    }

    /// What `comity key create` says.
    public static func created(_ person: PersonReport, _ presentation: Presentation) -> String {
        let file = person.file.map { "; the key is in \($0)" } ?? ""
        let until = presentation.date(person.until)
        return "this node vouches for \(person.name) as \(words(person.roles)) until \(until)\(file)\n"
            + ReasonText.next(
                "comity agreement approve ID --key \(person.file ?? "FILE")", presentation)
    }

    /// What `comity key revoke` says.
    public static func ended(_ person: PersonReport, _ presentation: Presentation) -> String {
        "this node vouches for \(person.name) no more; what was approved before goes on counting\n"
    }

    /// Who must approve, who has, who has not, and what leads on.
    static func approvals(
        _ report: ApprovalsReport, with peer: String, _ presentation: Presentation
    ) -> String {
        var table = TextTable()
        func add(_ name: String, _ value: String, _ ink: Ink? = nil) {
            table.add([.init(name, .faint), .init(value, ink)])
        }
        if !report.askedHere.isEmpty { add("asked here", words(report.askedHere)) }
        if !report.askedThere.isEmpty { add("asked at \(peer)", words(report.askedThere)) }
        for word in report.words {
            let what = word.isApproval ? "approved" : "VETOED"
            let reason = word.reason.isEmpty ? "" : ", because: \(word.reason.madePrintable)"
            add(
                "\(what)",
                "\(word.person) of \(word.vouchedFor.title) as \(words(word.roles)), "
                    + "\(presentation.date(word.given))\(reason)"
                    + (word.isTold ? "" : " (\(standing(of: word, at: peer)))"),
                word.isApproval ? .good : .warning)
        }
        if !report.missingHere.isEmpty { add("missing here", words(report.missingHere), .warning) }
        if !report.missingThere.isEmpty { add("missing at \(peer)", words(report.missingThere), .warning) }
        return presentation.ink(.bold, "approvals") + "\n" + table.render(presentation, indent: 2)
            + (report.next.map { ReasonText.next($0, presentation) } ?? "")
    }

    /// What became of a word that the peer has not said that it has.
    private static func standing(of word: ApprovalsReport.Word, at peer: String) -> String {
        guard let refusals = word.refusals, !refusals.isEmpty else { return "the peer has not got it yet" }
        let reasons = refusals.map { refusal in
            refusal.code.rawValue
                + refusal.facts.map { ", \($0.name.madePrintable) \($0.value.madePrintable)" }.joined()
        }
        return "\(peer) does not take it: \(reasons.joined(separator: "; "))"
    }

    /// Roles as people read them.
    public static func words(_ roles: [PersonRole]) -> String {
        roles.map(\.rawValue).joined(separator: ", ")
    }

    private static func ink(of state: PersonReport.State) -> Ink {
        switch state {
        case .vouched: .good
        case .expired, .ended: .faint
        }
    }
}
