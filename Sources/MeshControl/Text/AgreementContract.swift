import MeshBase

/// An agreement as a person reads it before signing: who, what, under which conditions, until when, and how
/// it ends. What nobody enforces is named as such.
struct AgreementContract {
    private let agreement: AgreementReport
    private let presentation: Presentation
    private var clauses: [(title: String, sentences: [String])] = []

    init(_ agreement: AgreementReport, _ presentation: Presentation) {
        self.agreement = agreement
        self.presentation = presentation
        clauses = [
            ("what", subject), ("access", access), ("who", callers), ("how much", amounts),
            ("promised", promises), ("time", [time]), ("end", [end]),
        ]
    }

    private var provider: String { agreement.role == .provider ? agreement.own : agreement.other }
    private var consumer: String { agreement.role == .provider ? agreement.other : agreement.own }

    /// The id, how it stands between whom, and the clauses, those that say nothing left out.
    func render() -> String {
        let lines = clauses.filter { !$0.sentences.isEmpty }
        let width = lines.map(\.title.columns).max() ?? 0
        var text = presentation.ink(.bold, agreement.id) + "\n"
        let state = presentation.ink(AgreementText.ink(of: agreement.state), agreement.state.rawValue)
        text += "  \(state): \(provider) provides, \(consumer) calls\n"
        for (title, sentences) in lines {
            var label = title
            for sentence in sentences {
                for line in sentence.wrapped(to: max(24, presentation.width - width - 4)) {
                    let gap = String(repeating: " ", count: width - label.columns + 2)
                    text += "  \(presentation.ink(.faint, label))\(gap)\(line)\n"
                    label = ""
                }
            }
        }
        return text
    }

    // MARK: Clauses

    /// What may be called, a sentence for each resource.
    private var subject: [String] {
        agreement.grants.flatMap { grant -> [String] in
            let what =
                grant.capabilities.isEmpty
                ? "\(grant.resource): all that it can do"
                : "\(grant.resource): \(Self.list(grant.capabilities))"
            guard !grant.namespaces.isEmpty else { return [what] }
            return [
                what,
                "  of it only \(Self.list(grant.namespaces)): the service behind \(grant.resource) "
                    + "sees to that, not the mesh",
            ]
        }
    }

    private var access: [String] {
        switch agreement.conditions?.access {
        case .metadataOnly: ["metadata_only: descriptions, HEAD and OPTIONS; no data"]
        case .readOnly: ["read_only: capabilities that are declared safe; nothing that changes anything"]
        case .full, nil: ["full: whatever is named above"]
        }
    }

    /// Who calls, from where and what for.
    private var callers: [String] {
        guard let conditions = agreement.conditions else { return ["whoever calls by \(consumer)"] }
        var sentences = [
            conditions.principals.isEmpty
                ? "whoever calls by \(consumer)"
                : "at \(consumer) only \(Self.list(conditions.principals))"
        ]
        if !conditions.roles.isEmpty {
            let roles = Self.list(conditions.roles, "or")
            sentences.append("while \(consumer) holds the role \(roles) in the provider's own domain")
        }
        if !conditions.networks.isEmpty {
            sentences.append("over links from \(Self.list(conditions.networks, "or"))")
        }
        if !conditions.purposes.isEmpty {
            sentences.append("each call says that it is for \(Self.list(conditions.purposes, "or"))")
        }
        if conditions.encryption == .required {
            sentences.append("payloads are sealed to the provider, answers to the consumer")
        }
        return sentences
    }

    /// What was agreed of rate, quotas and hops, and what is used and left here.
    private var amounts: [String] {
        guard let limits = agreement.limits else { return ["without limit"] }
        var sentences: [String] = []
        if let rate = limits.rate {
            sentences.append("at most \(rate.calls) calls in \(rate.seconds) s, \(rate.burst) at once")
        }
        for usage in agreement.usage {
            sentences.append(
                "at most \(usage.quota) calls a \(usage.period.rawValue) of UTC; in \(usage.window) "
                    + "\(usage.used) used here, \(usage.left) left")
        }
        if let hops = limits.hops {
            sentences.append(
                hops == 0
                    ? "over links that nobody carries"
                    : "over links that at most \(hops) \(hops == 1 ? "node carries" : "nodes carry")")
        }
        return sentences
    }

    /// What is signed, and enforced by nobody.
    private var promises: [String] {
        guard let promised = agreement.commitments else { return [] }
        var sentences: [String] = []
        if !promised.frameworks.isEmpty { sentences.append("both keep to \(Self.list(promised.frameworks))") }
        sentences += promised.serviceLevels.map { level in
            "\(provider) promises \(level.name) \(level.target)" + (level.unit.map { " \($0)" } ?? "")
        }
        return sentences.isEmpty ? [] : sentences + ["the mesh measures none of this"]
    }

    private var time: String {
        let left = presentation.distance(to: agreement.until)
        let until = "until \(presentation.date(agreement.until)) (\(left))"
        guard let from = agreement.from else { return "from when both have signed \(until)" }
        return "from \(presentation.date(from)) \(until)"
    }

    private var end: String {
        let under =
            agreement.callsAtEnd == .cut ? "calls under way are cut" : "calls under way run to their end"
        return "either party may revoke it alone, for good; \(under)"
    }

    private static func list(_ things: [some CustomStringConvertible], _ last: String = "and") -> String {
        let words = things.map { $0.description.madePrintable }
        guard let end = words.last, words.count > 1 else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " \(last) " + end
    }
}

extension String {
    /// Lines of at most `width` columns, broken at spaces; what leads the first leads all. A longer word
    /// stands alone, because it may be there to be copied.
    func wrapped(to width: Int) -> [String] {
        let margin = String(prefix { $0 == " " })
        var lines: [String] = []
        var line = margin
        for word in split(separator: " ") {
            let isFirst = line == margin
            guard isFirst || line.columns + 1 + word.count <= width else {
                lines.append(line)
                line = margin + word
                continue
            }
            line += isFirst ? String(word) : " \(word)"
        }
        return lines + [line]
    }
}
