import MeshBase
import MeshControl
import MeshNode

// What would happen to a call now.
extension ReportWriter {
    /// - Parameter explanation: what the desk says of `request`.
    func forecast(_ request: LocalRequest, _ explanation: CallExplanation) -> ExplainReport {
        let verdict: ExplainVerdict
        var branches: [ExplainBranch]
        switch explanation.verdict {
        case .send: (verdict, branches) = (.allowed, [])
        case .wait(let nodes):
            let names = nodes.map(title).joined(separator: ", ")
            verdict = .unknown
            branches = [
                ExplainBranch(
                    side: nil, question: "is there a link?", verdict: .unknown,
                    facts: [Fact("the call would wait, within its deadline, for the link to", names)],
                    next: nodes.first.map { "comity explain peer \(title($0))" })
            ]
        case .refuse(let reasons):
            verdict = .refused
            branches = explanation.candidates.isEmpty ? [undirected(request, reasons)] : []
        }
        branches = explanation.candidates.flatMap { weighing(of: $0, for: request) } + branches
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

    /// No node could be weighed at all.
    private func undirected(_ request: LocalRequest, _ reasons: [Refusal]) -> ExplainBranch {
        let terms = Remedy.Terms(resource: request.resource.description)
        return ExplainBranch(
            side: nil, question: "who could answer?", verdict: .refused, reasons: reasons,
            next: reasons.lazy.compactMap { Remedy.command(after: $0.code, terms) }.first)
    }

    private func weighing(of candidate: CallExplanation.Candidate, for request: LocalRequest)
        -> [ExplainBranch]
    {
        let isHere = candidate.node == me
        let name = isHere ? "this node" : candidate.name
        var facts = [Fact("breaker", candidate.breaker), Fact("score", candidate.score)]
        if let capability = candidate.capability { facts.insert(Fact("capability", capability), at: 0) }
        if let agreement = candidate.agreement { facts.append(Fact("agreement", agreement)) }
        let advice = advice(candidate, request)
        let own = ExplainBranch(
            side: nil,
            question: isHere
                ? "may this node use its own \(request.resource)?" : "may this node ask \(name)?",
            verdict: candidate.refusals.isEmpty ? .allowed : .refused, reasons: candidate.refusals,
            facts: facts + advice.facts, next: advice.command)
        guard !isHere else { return [own] }
        // Looking has no side effect, so the peer is not asked: it decides again, for itself, when the call
        // comes.
        let theirs = ExplainBranch(
            side: reference(candidate.node), question: "does \(name) let this node in?", verdict: .notAsked,
            facts: [Fact("because", "the peer decides again when the call comes")])
        return [own, theirs]
    }

    private func advice(
        _ candidate: CallExplanation.Candidate, _ request: LocalRequest
    ) -> (command: String?, facts: [Fact]) {
        for code in candidate.refusals.map(\.code) {
            let isThere = Remedy.isForProvider(code) && candidate.node != me
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
