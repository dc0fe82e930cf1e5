import ArgumentParser
import MeshControl

/// `comity help`: parsed by itself, since the parser's own cannot show manual pages.
struct Help: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "comity help",
        abstract: "Show help of a command, or its manual page.",
        discussion: "Example: comity help --man | man -l -")

    @Flag(help: "Print a manual page (roff) in place of the help.") var man = false
    @Argument(help: "The command; none: all of them.") var command: [String] = []

    /// Answers `comity help ARGUMENTS`; wrong usage is told in the words of this command.
    static func answer(_ arguments: [String]) throws {
        let help: Help
        do {
            help = try Help.parse(arguments)
        } catch {
            let isHelp = Help.exitCode(for: error) == .success
            (isHelp ? Terminal.out : Terminal.note)(Help.fullMessage(for: error) + "\n")
            throw isHelp ? ExitCode.success : ExitCode(2)
        }
        try help.run()
    }

    func run() throws {
        let type = try Help.command(named: command)
        guard man else { throw CleanExit.helpRequest(type) }
        var definition = try CommandDefinition.of(Comity.self)
        for word in command {
            guard let next = definition.subcommands?.first(where: { $0.commandName == word }) else {
                preconditionFailure("the parser knows \(type) and does not describe it")
            }
            definition = next
        }
        Terminal.out(ManualPage(of: definition, version: ProgramVersion.text).source)
    }

    /// Finds a command by the words with which it is typed.
    static func command(named words: [String]) throws -> any ParsableCommand.Type {
        var found: any ParsableCommand.Type = Comity.self
        for word in words {
            guard let next = found.configuration.subcommands.first(where: { $0._commandName == word }) else {
                throw ValidationError("there is no command '\(words.joined(separator: " "))'")
            }
            found = next
        }
        return found
    }
}

/// The shells for which there are completions.
enum Shell: String, ExpressibleByArgument, CaseIterable {
    case bash, zsh, fish

    var kind: CompletionShell {
        switch self {
        case .bash: .bash
        case .zsh: .zsh
        case .fish: .fish
        }
    }
}

struct Completion: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print a script with which a shell completes commands and options.",
        discussion: """
            bash:  comity completion bash > ~/.local/share/bash-completion/completions/comity
            zsh:   comity completion zsh > "${fpath[1]}/_comity"
            fish:  comity completion fish > ~/.config/fish/completions/comity.fish

            Example: comity completion bash
            """)

    @Argument(help: "The shell.") var shell: Shell

    func run() { Terminal.out(Comity.completionScript(for: shell.kind) + "\n") }
}
