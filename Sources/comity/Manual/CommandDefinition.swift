import ArgumentParser
import Foundation

/// A command as the parser itself describes it: what `--help` shows, and the only source of the manual.
struct CommandDefinition: Decodable {
    let commandName: String
    let superCommands: [String]?
    let shouldDisplay: Bool
    let abstract: String?
    let discussion: String?
    let subcommands: [CommandDefinition]?
    let arguments: [Argument]?

    /// Something that is given behind a command.
    struct Argument: Decodable {
        enum Kind: String, Decodable { case positional, option, flag }
        enum Prefix: String, Decodable { case long, short, longWithSingleDash }

        struct Name: Decodable {
            let kind: Prefix
            let name: String

            var typed: String { kind == .long ? "--\(name)" : "-\(name)" }
        }

        let kind: Kind
        let shouldDisplay: Bool
        let isOptional: Bool
        let isRepeating: Bool
        let names: [Name]?
        let preferredName: Name?
        let valueName: String?
        let defaultValue: String?
        let allValues: [String]?
        let abstract: String?
        let discussion: String?
    }

    /// What the parser writes round the root.
    private struct Dump: Decodable {
        let command: CommandDefinition
    }

    /// The parser's definition of `command`, without the `help` that it adds to every tree.
    static func of(_ command: any ParsableArguments.Type) throws -> CommandDefinition {
        try JSONDecoder().decode(Dump.self, from: Data(command._dumpHelp().utf8)).command
    }

    /// How it is typed: `comity peer show`.
    var path: String { ((superCommands ?? []) + [commandName]).joined(separator: " ") }

    /// What is shown in help, in its order.
    var shownSubcommands: [CommandDefinition] { (subcommands ?? []).filter(\.shouldDisplay) }
    var shownArguments: [Argument] { (arguments ?? []).filter(\.shouldDisplay) }

    /// This command and all beneath it.
    var whole: [CommandDefinition] { [self] + shownSubcommands.flatMap(\.whole) }
}
