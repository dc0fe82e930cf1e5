import MeshBase

/// Reasons for people: the code, the values that were compared, aligned, and the next command.
public enum ReasonText {
    /// A failure of an operation.
    public static func render(_ failure: ControlFailure, _ presentation: Presentation) -> String {
        let head = "\(presentation.ink(.bad, failure.code)): \(failure.message.madePrintable)\n"
        return head + facts(failure.facts, presentation, indent: 2)
            + next(failure.next.map { filled($0, failure.facts) }, placed(failure.facts, presentation))
    }

    /// The name of the fact that says at which other node a command is to be given.
    public static let elsewhere = "to be given at"

    /// The same presentation, without this node's home where the command is for another node.
    static func placed(_ facts: [Fact], _ presentation: Presentation) -> Presentation {
        guard facts.contains(where: { $0.name == elsewhere }) else { return presentation }
        var other = presentation
        other.home = nil
        return other
    }

    /// The command with the peer and the resource that the facts name in place of the words in capitals.
    private static func filled(_ command: String, _ facts: [Fact]) -> String {
        func value(_ name: String) -> String? { facts.first { $0.name == name }?.value }
        return command.split(separator: " ").map { word in
            switch word {
            case "PEER": value("peer") ?? "PEER"
            case "RESOURCE": value("resource") ?? "RESOURCE"
            default: String(word)
            }
        }.joined(separator: " ")
    }

    /// The reasons of a refused call, then the next command: the one that is given, else the first that the
    /// code book knows.
    public static func render(_ reasons: [Refusal], next command: String?, _ presentation: Presentation)
        -> String
    {
        let known = reasons.lazy.compactMap { CodeBook.next(after: $0.code) }.first
        return reasons.map { reason($0, presentation, indent: 0) }.joined()
            + next(command ?? known, presentation)
    }

    /// One code of the book.
    public static func render(_ entry: CodeBook.Entry, _ presentation: Presentation) -> String {
        var table = TextTable()
        table.add([.init("cause", .faint), .init(entry.cause)])
        table.add([.init("compared", .faint), .init(entry.compared)])
        if !entry.values.isEmpty {
            table.add([.init("values", .faint), .init(entry.values.joined(separator: ", "))])
        }
        return presentation.ink(.bold, entry.code.rawValue) + "\n"
            + table.render(presentation.unbounded, indent: 2)
            + next(entry.next, presentation)
    }

    static func reason(_ refusal: Refusal, _ presentation: Presentation, indent: Int) -> String {
        let margin = String(repeating: " ", count: indent)
        return
            "\(margin)\(presentation.ink(.bad, refusal.code.rawValue)): \(CodeBook.cause(of: refusal.code))\n"
            + facts(refusal.facts, presentation, indent: indent + 2)
    }

    static func facts(_ facts: [Fact], _ presentation: Presentation, indent: Int) -> String {
        var table = TextTable()
        for fact in facts { table.add([.init(fact.name, .faint), .init(fact.value)]) }
        // Values are what people copy into the next command: they are shown whole.
        return table.render(presentation.unbounded, indent: indent)
    }

    static func next(_ command: String?, _ presentation: Presentation, indent: Int = 2) -> String {
        guard let command else { return "" }
        let typed = presentation.ink(.command, presentation.typed(command.madePrintable))
        return String(repeating: " ", count: indent) + "\(presentation.ink(.faint, "next"))  \(typed)\n"
    }
}
