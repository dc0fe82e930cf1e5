import ArgumentParser

/// A manual page, in the language of man(7), made from the definitions behind `--help`.
struct ManualPage {
    private let command: CommandDefinition
    private var lines: [String] = []

    /// - Parameter version: of the program, for the page's foot.
    init(of command: CommandDefinition, version: String) {
        self.command = command
        let title = command.path.split(separator: " ").joined(separator: "-").uppercased()
        lines.append(".TH \"\(Self.escaped(title))\" 1 \"\" \"comity \(Self.escaped(version))\"")
        lines.append(".nh")
        section("NAME")
        text("\(command.path.split(separator: " ").joined(separator: "-")) - \(command.abstract ?? "")")
        section("SYNOPSIS")
        synopsis(of: command)
        if command.discussion != nil || !command.shownArguments.isEmpty {
            section("DESCRIPTION")
            discuss(command)
        }
        if !command.shownSubcommands.isEmpty {
            section("COMMANDS")
            for inner in command.whole.dropFirst() { describe(inner) }
        }
    }

    /// The page's source.
    var source: String { lines.joined(separator: "\n") + "\n" }

    // MARK: Parts

    private mutating func section(_ name: String) { lines.append(".SH \(name)") }

    private mutating func describe(_ inner: CommandDefinition) {
        lines.append(".SS \"\(Self.escaped(inner.path))\"")
        text(inner.abstract ?? "")
        if inner.shownSubcommands.isEmpty {
            lines.append(".PP")
            synopsis(of: inner)
        }
        discuss(inner)
    }

    private mutating func synopsis(of command: CommandDefinition) {
        let words = command.shownSubcommands.isEmpty ? [] : ["COMMAND"]
        let typed = command.shownArguments.map(Self.usage)
        text("\\fB\(Self.escaped(command.path))\\fP ", then: (words + typed).joined(separator: " "))
    }

    private static func usage(_ argument: CommandDefinition.Argument) -> String {
        let value = (argument.valueName ?? "value").uppercased()
        let name = argument.preferredName?.typed ?? ""
        let body =
            switch argument.kind {
            case .positional: value
            case .option: "\(name) \(value)"
            case .flag: name
            }
        return (argument.isOptional ? "[\(body)]" : body) + (argument.isRepeating ? "..." : "")
    }

    /// The discussion, and each argument.
    private mutating func discuss(_ command: CommandDefinition) {
        if let discussion = command.discussion {
            lines.append(".PP")
            prose(discussion)
        }
        for argument in command.shownArguments {
            lines.append(".TP")
            lines.append("\\fB\(Self.escaped(Self.label(of: argument)))\\fP")
            text(Self.meaning(of: argument))
            if let discussion = argument.discussion { prose(discussion) }
        }
    }

    private static func label(of argument: CommandDefinition.Argument) -> String {
        let value = argument.valueName ?? "value"
        guard let names = argument.names, argument.kind != .positional else { return value.uppercased() }
        let typed = names.map(\.typed).joined(separator: ", ")
        return argument.kind == .option ? "\(typed) \(value.uppercased())" : typed
    }

    private static func meaning(of argument: CommandDefinition.Argument) -> String {
        var parts = [argument.abstract ?? ""]
        if let values = argument.allValues, !values.isEmpty {
            parts.append("Values: \(values.joined(separator: ", ")).")
        }
        if let standard = argument.defaultValue { parts.append("Default: \(standard).") }
        return parts.filter { !$0.isEmpty }.joined(separator: " ")
    }

    // MARK: man(7)

    /// Paragraphs are filled; lines that begin with two spaces, and tables, stand as they are.
    private mutating func prose(_ text: String) {
        for (number, paragraph) in Self.paragraphs(of: text).enumerated() {
            if number > 0 { lines.append(".PP") }
            let isTable = paragraph.contains { $0.hasPrefix("  ") || $0.contains("   ") }
            if isTable { lines.append(".nf") }
            lines += paragraph.map { Self.line(isTable ? $0 : String($0.drop { $0 == " " })) }
            if isTable { lines.append(".fi") }
        }
    }

    private static func paragraphs(of text: String) -> [[String]] {
        var paragraphs: [[String]] = [[]]
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.allSatisfy({ $0 == " " }) {
                paragraphs.append([])
            } else {
                paragraphs[paragraphs.count - 1].append(String(line))
            }
        }
        return paragraphs.filter { !$0.isEmpty }
    }

    private mutating func text(_ ready: String, then raw: String) { lines.append(ready + Self.escaped(raw)) }

    private mutating func text(_ raw: String) { if !raw.isEmpty { lines.append(Self.line(raw)) } }

    /// A line of text that is none of man's orders.
    private static func line(_ raw: String) -> String {
        let escaped = escaped(raw)
        return escaped.hasPrefix(".") || escaped.hasPrefix("'") ? "\\&" + escaped : escaped
    }

    /// What man would take for something else: its escape sign, hyphens that are to be typed, quotes.
    private static func escaped(_ raw: String) -> String {
        var result = ""
        for character in raw {
            switch character {
            case "\\": result += "\\e"
            case "-": result += "\\-"
            case "'": result += "\\(aq"
            case "\"": result += "\\(dq"
            case "`": result += "\\(ga"
            case "^": result += "\\(ha"
            case "~": result += "\\(ti"
            default: result.append(character)
            }
        }
        return result
    }
}
