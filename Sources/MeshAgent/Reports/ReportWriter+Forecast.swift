import MeshAgreements
import MeshBase
import MeshControl
import MeshNode
import MeshRouting

// What would happen to a call now: every question in the order in which it would be asked.
extension ReportWriter {
    /// - Parameters:
    ///   - explanation: what the desk says of `request`.
    ///   - naming: whether the application may call itself what `request` says; nil when it names nobody.
    func forecast(
        _ request: LocalRequest, _ explanation: CallExplanation, naming: Ruling<Principal>? = nil
    ) -> ExplainReport {
        var branches = [naming.map(naming(branch:)), beginning(explanation)].compactMap { $0 }
        branches += explanation.candidates.flatMap { weighing(of: $0, for: request) }
        if let choice = choice(request, explanation) { branches.append(choice) }
        var verdict: ExplainVerdict
        switch explanation.verdict {
        case .send: verdict = .allowed
        case .wait: verdict = .unknown
        case .refuse(let reasons):
            verdict = .refused
            let others = reasons.filter { !explanation.obstacles.contains($0) }
            if explanation.candidates.isEmpty, !others.isEmpty {
                branches.append(undirected(request, others))
            }
        }
        if case .refused? = naming { verdict = .refused }
        return ExplainReport(
            subject: subject(request), correlation: nil, verdict: verdict, branches: branches)
    }

    private func subject(_ request: LocalRequest) -> String {
        let target: String
        switch request.target {
        case .any: target = "any"
        case .named(let name): target = name.description
        case .node(let node): target = title(node)
        }
        let path = [target, request.resource.description, capability(request)?.description].compactMap { $0 }
        return "call \(path.joined(separator: "/")) as \(request.principal), if it were made now"
    }

    private func capability(_ request: LocalRequest) -> ResourceName? {
        guard case .invoke(let capability, _) = request.form else { return nil }
        return capability
    }

    // MARK: Before anybody is weighed

    private func naming(branch ruling: Ruling<Principal>) -> ExplainBranch {
        switch ruling {
        case .allowed(let principal):
            ExplainBranch(
                side: nil, question: "may you call in the name of \(principal)?", verdict: .allowed)
        case .refused(let refusal):
            ExplainBranch(
                side: nil, question: "may you call in this name?", verdict: .refused, reasons: [refusal],
                next: Remedy.command(after: refusal.code))
        }
    }

    private func beginning(_ explanation: CallExplanation) -> ExplainBranch {
        let obstacles = explanation.obstacles
        return ExplainBranch(
            side: nil, question: "does this node begin calls now?",
            verdict: obstacles.isEmpty ? .allowed : .refused, reasons: obstacles,
            facts: obstacles.isEmpty
                ? [Fact("because", "it is not stopping, and the audit has room for the call's records")] : [],
            next: obstacles.lazy.compactMap { Remedy.command(after: $0.code) }.first)
    }

    /// No node could be weighed at all.
    private func undirected(_ request: LocalRequest, _ reasons: [Refusal]) -> ExplainBranch {
        let terms = Remedy.Terms(resource: request.resource.description)
        return ExplainBranch(
            side: nil, question: "who could answer?", verdict: .refused, reasons: reasons,
            next: reasons.lazy.compactMap { Remedy.command(after: $0.code, terms) }.first)
    }

    /// Whom the router would ask, where it may choose.
    private func choice(_ request: LocalRequest, _ explanation: CallExplanation) -> ExplainBranch? {
        guard request.target == .any, case .send(let nodes) = explanation.verdict else { return nil }
        let names = nodes.map(title).joined(separator: ", ")
        let said = node.routes[request.resource] ?? RouteRule()
        let rule: String
        if nodes.count == 1, let only = nodes.first {
            let isFirst = only == me && said.order == .localFirst
            rule =
                only == said.preferred
                ? "it is preferred to all others"
                : isFirst ? "this node comes first" : "no other is ready now"
        } else {
            rule = "the better of two of them, drawn for each call"
        }
        let hedge = said.hedge.map { [Fact("and if the call is safe, a second one after", $0)] } ?? []
        return ExplainBranch(
            side: nil, question: "whom would the router ask?", verdict: .allowed,
            facts: [Fact("one of", names), Fact("by", rule)] + hedge)
    }

    // MARK: One node that is weighed

    private func weighing(
        of candidate: CallExplanation.Candidate, for request: LocalRequest
    ) -> [ExplainBranch] {
        let isHere = candidate.node == me
        let questions = ForecastQuestion.allCases.filter { !isHere || $0.isAskedHere }
        var branches: [ExplainBranch] = []
        for question in questions {
            let reasons = candidate.refusals.filter { question.concerns($0) }
            let advice = advice(reasons, candidate, request)
            branches.append(
                ExplainBranch(
                    side: nil,
                    question: question.text(
                        name: isHere ? "this node" : candidate.name,
                        resource: request.resource),
                    verdict: verdict(of: question, reasons, candidate), reasons: reasons,
                    facts: facts(of: question, candidate, request) + advice.facts, next: advice.command))
        }
        return isHere ? branches : branches + [arrival(at: candidate, request)]
    }

    private func verdict(
        of question: ForecastQuestion, _ reasons: [Refusal], _ candidate: CallExplanation.Candidate
    ) -> ExplainVerdict {
        guard reasons.isEmpty else { return .refused }
        switch question {
        case .trust, .resource: return .allowed
        // A call waits, within its deadline, for a link that is being dialled, or whose probe is out.
        case .link: return candidate.isAwaited ? .unknown : .allowed
        // Without a capability the desk asks no further.
        case .agreement, .breaker: return candidate.capability == nil ? .notAsked : .allowed
        }
    }

    private func facts(
        of question: ForecastQuestion, _ candidate: CallExplanation.Candidate, _ request: LocalRequest
    ) -> [Fact] {
        let id = candidate.node
        switch question {
        case .trust:
            return node.trust.pins[id].map { record in
                [
                    Fact("trust", record.state.rawValue), Fact("since", RFC3339.text(record.since)),
                    Fact("because", record.evidence.note),
                ]
            } ?? []
        case .link:
            let breaker = candidate.linkBreaker.map { [Fact("breaker of the link", $0)] } ?? []
            let wait =
                candidate.isAwaited ? [Fact("the call would", "wait for it, within its deadline")] : []
            guard let link = node.gossip.link(with: id) else { return wait + dialling(of: id) + breaker }
            return wait + [Fact("link", link.condition.rawValue), place(of: link)] + breaker
        case .resource:
            guard let name = candidate.capability else { return [] }
            let capability = description(of: request.resource, at: id)?.capability(name)
            let form = capability.map { [Fact("form", "\($0.methods.joined(separator: ",")) \($0.path)")] }
            return [Fact("capability", name)] + (form ?? [])
        case .agreement:
            guard candidate.capability != nil else { return [Fact("because", "no capability fits")] }
            return candidate.agreement.map(agreed) ?? []
        case .breaker:
            guard candidate.capability != nil else { return [Fact("because", "no capability fits")] }
            let score = "\(Double(candidate.score) / 1_000) ms"
            return [
                Fact("breaker of the resource", candidate.breaker),
                Fact("latency x (calls in flight + 1)", candidate.score == 0 ? "not known yet" : score),
            ]
        }
    }

    private func agreed(_ id: Digest) -> [Fact] {
        if isHouse(id), let house = node.agreements.house {
            return [
                Fact("agreement", id), Fact("which is", "the house agreement of \(house.body.domain)"),
                Fact("version", house.body.version), Fact("until", RFC3339.text(house.body.until)),
            ]
        }
        if let record = node.domainAgreements.record(id) {
            return [
                Fact("agreement", id),
                Fact(
                    "between",
                    "\(partyTitle(record.agreement.source)) and \(partyTitle(record.agreement.target))"),
                Fact("until", RFC3339.text(record.agreement.validUntil)),
            ]
        }
        let record = node.agreements.record(id)
        let until = record.map { [Fact("until", RFC3339.text($0.agreement.validUntil))] } ?? []
        return [Fact("agreement", id)] + until
    }

    /// Looking has no side effect, so the peer is not asked; what it said before is its half of the verdict.
    private func arrival(
        at candidate: CallExplanation.Candidate, _ request: LocalRequest
    ) -> ExplainBranch {
        let record = candidate.agreement.flatMap(node.agreements.record)
        let isLinked = node.gossip.link(with: candidate.node) != nil
        let isHouse = candidate.agreement.map(isHouse) ?? false
        let isOfDomain = candidate.agreement.flatMap(node.domainAgreements.record) != nil
        let signature: String
        switch record?.state {
        case nil where isOfDomain: signature = "an agreement of its domain or this node's"
        case nil where isHouse: signature = "the house agreement, under which it offers this to the domain"
        case .active?: signature = "signed by \(candidate.name) too"
        case .offered?: signature = "not signed by \(candidate.name) yet"
        case .signed?: signature = "signed by \(candidate.name) too, and not approved by all who must"
        case .ended?, nil: signature = candidate.capability == nil ? "not asked" : "none that holds"
        }
        return ExplainBranch(
            side: reference(candidate.node), question: "does \(candidate.name) let this node in?",
            verdict: isLinked && (record != nil || isHouse || isOfDomain) && candidate.refusals.isEmpty
                ? .allowed : .unknown,
            facts: [
                Fact("its link", isLinked ? "granted to this node" : "there is none"),
                Fact("its agreement", signature),
                Fact("its load and its service", "it is not asked: it decides again when the call comes"),
            ])
    }

    private func advice(
        _ reasons: [Refusal], _ candidate: CallExplanation.Candidate, _ request: LocalRequest
    ) -> (command: String?, facts: [Fact]) {
        for code in reasons.map(\.code) {
            let isThere = CodeBook.isForProvider(code) && candidate.node != me
            let terms = Remedy.Terms(
                peer: isThere ? node.me.name.description : candidate.name,
                resource: request.resource.description,
                agreement: candidate.agreement.map { String($0.description.prefix(12)) })
            guard let command = Remedy.command(after: code, terms) else { continue }
            return (command, isThere ? [Fact("to be given at", candidate.name)] : [])
        }
        return (nil, [])
    }
}

/// What is asked of one node before a call leaves for it, in this order.
private enum ForecastQuestion: CaseIterable {
    case trust
    case link
    case resource
    case agreement
    case breaker

    /// Whether it is asked where the node itself provides.
    var isAskedHere: Bool {
        switch self {
        case .resource, .breaker: true
        case .trust, .link, .agreement: false
        }
    }

    func text(name: String, resource: ResourceName) -> String {
        switch self {
        case .trust: "is \(name) trusted?"
        case .link: "is there a link to \(name)?"
        case .resource: "does \(name) provide \(resource), and what of it?"
        case .agreement: "does an agreement with \(name) cover it?"
        case .breaker: "does the breaker of \(resource) at \(name) let it pass?"
        }
    }

    /// Whether `refusal` answers this question; each refusal of an assessment answers exactly one.
    func concerns(_ refusal: Refusal) -> Bool {
        switch refusal.code {
        case .peerNotFound, .peerNotTrusted, .peerSuspended, .peerRevoked: self == .trust
        case .peerUnreachable: self == .link
        case .breakerOpen: self == (refusal.isOfLink ? .link : .breaker)
        case .resourceUnknown, .capabilityUnknown, .capabilityUnnamed, .websocketExpected: self == .resource
        default: self == .agreement
        }
    }
}

extension Refusal {
    /// Whether the breaker that is open is the link's.
    fileprivate var isOfLink: Bool {
        facts.contains { $0.name == "breaker" && $0.value.hasPrefix("link to ") }
    }
}
