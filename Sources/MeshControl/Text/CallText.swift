import MeshBase

/// What `comity call` says on standard error.
public enum CallText {
    /// The correlation id, and for a refusal the reasons, the command that would change it, and where to read
    /// more.
    public static func render(_ answer: GatewayAnswer, to call: GatewayCall, _ presentation: Presentation)
        -> String
    {
        var text = ""
        if case .gathered(let parts) = answer.outcome { return render(parts, presentation) }
        switch answer.outcome {
        case .answered(let status):
            if status >= 400 { text = "\(presentation.ink(.bad, "the resource answered \(status)"))\n" }
        case .refused(let reasons, let more):
            let telling = reasons.first { CodeBook.next(after: $0.code) != nil }
            let next = telling.flatMap { CodeBook.next(after: $0.code) }.map { filled($0, answer, call) }
            text = reasons.map { ReasonText.reason($0, presentation, indent: 0) }.joined()
            let place = place(of: telling, call)
            text += ReasonText.facts(place, presentation, indent: 2)
            text += ReasonText.next(next ?? more, ReasonText.placed(place, presentation))
            if let more, next != nil, next != more {
                text +=
                    "  \(presentation.ink(.faint, "why"))   "
                    + presentation.ink(.command, presentation.typed(more.madePrintable)) + "\n"
            }
        case .gathered: break
        }
        guard let correlation = answer.correlation else { return text }
        return text + "\(presentation.ink(.faint, "correlation")) \(correlation)\n"
    }

    /// How many answered, and of each that did not, why, and the command that says more.
    private static func render(_ parts: [GatewayAnswer.Part], _ presentation: Presentation) -> String {
        var table = TextTable()
        for part in parts where !part.isWell {
            let why = part.correlation.map { presentation.typed("comity explain \($0)") } ?? ""
            if part.refused == nil, let status = part.status {
                table.add([
                    .init(part.name), .init("the resource answered \(status)", .bad), .init(why, .command),
                ])
            }
            for refusal in part.refused?.reasons ?? [] {
                table.add([.init(part.name), .init(refusal.code.rawValue, .bad), .init(why, .command)])
            }
        }
        guard !parts.isEmpty else {
            return "what came cannot be read here: is the agent newer than this program?\n"
        }
        let answered = parts.count { $0.refused == nil }
        let ink: Ink = answered == parts.count ? .faint : .bad
        return presentation.ink(ink, "\(answered) of \(parts.count) providers answered") + "\n"
            + table.render(presentation.unbounded, indent: 2)
    }

    /// Where the next command is to be given, when that is not here: what a provider agreed, it alone can
    /// agree otherwise, and what it decided by its own configuration stands there.
    private static func place(of refusal: Refusal?, _ call: GatewayCall) -> [Fact] {
        guard let refusal else { return [] }
        let isOfItsConfiguration =
            (refusal.code == .externalPolicyFailed || refusal.code == .tooManyCalls)
            && refusal.facts.contains(Fact("decided at", "provider"))
        guard CodeBook.isForProvider(refusal.code) || isOfItsConfiguration else { return [] }
        return [Fact(ReasonText.elsewhere, call.peer == "any" ? "the provider" : call.peer)]
    }

    /// The command with what is known of the call in place of the words in capitals. An offer is the
    /// provider's to make, and what it calls us is not known here.
    private static func filled(_ command: String, _ answer: GatewayAnswer, _ call: GatewayCall) -> String {
        command.split(separator: " ").map { word in
            switch word {
            case "RESOURCE": call.resource.description
            case "PEER/RESOURCE":
                "\(call.peer)/\(call.resource)" + (call.capability.map { "/\($0)" } ?? "")
            case "PEER" where call.peer != "any" && !command.hasPrefix("comity offer"): call.peer
            case "CORRELATION-ID": answer.correlation?.description ?? String(word)
            default: String(word)
            }
        }.joined(separator: " ")
    }
}
