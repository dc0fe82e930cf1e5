import Foundation
import Testing

/// One command of `--help`, found by reading what a person reads.
private struct ShownCommand: Sendable {
    let words: [String]
    let options: [String]

    /// The root and all beneath it.
    static func all() async throws -> [ShownCommand] {
        var found: [ShownCommand] = []
        var open: [[String]] = [[]]
        while let words = open.popLast() {
            let help = try await Command.run(Program.path, words + ["--help"])
            try #require(help.status == 0, "\(words): \(help.errors)")
            found.append(ShownCommand(words: words, options: options(in: help.output)))
            open += subcommands(in: help.output).map { words + [$0] }
        }
        return found
    }

    private static func subcommands(in help: String) -> [String] {
        guard let heading = help.range(of: "SUBCOMMANDS:\n") else { return [] }
        let lines = help[heading.upperBound...].split(separator: "\n", omittingEmptySubsequences: false)
        return lines.prefix { !$0.isEmpty }.filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
            .compactMap { $0.split(separator: " ").first.map(String.init) }
    }

    private static func options(in help: String) -> [String] {
        help.split(separator: "\n").filter { $0.hasPrefix("  -") }
            .flatMap { row in
                // `-h, --help`, `--local-first/--spread`: what is said of them may name others.
                row.split { " ,/".contains($0) }.prefix { $0.hasPrefix("-") }
                    .filter { $0.hasPrefix("--") }.map(String.init)
            }
    }
}

@Suite(
    "Help, completion and manual come from the same definitions", .timeLimit(.minutes(2)),
    .enabled(if: Program.isHere, "needs the program beside the tests: swift build --product comity"))
struct HelpTests {
    @Test("every command and option of --help is in the manual, which man reads without a warning")
    func manual() async throws {
        let page = try await Command.comity("help", "--man")
        #expect(page.status == 0)
        let plain = page.output.replacing("\\-", with: "-")
        let commands = try await ShownCommand.all()
        #expect(commands.count > 30)
        for command in commands where !command.words.isEmpty {
            let heading = ".SS \"comity \(command.words.joined(separator: " "))\"\n"
            guard let start = plain.range(of: heading) else {
                Issue.record("not in the manual: \(command.words)")
                continue
            }
            let part = plain[start.upperBound...].components(separatedBy: ".SS ")[0]
            for option in command.options { #expect(part.contains(option), "\(command.words) \(option)") }
        }
        guard let groff = Command.tool("groff") else { return print("SKIPPED: groff is not here") }
        let read = try await Command.run(groff, ["-man", "-Tutf8", "-ww", "-z"], input: page.output)
        #expect(read.status == 0 && read.errors == "", "\(read.errors.prefix(400))")
    }

    @Test("every command of --help is in the completion of each shell, which the shell can read")
    func completion() async throws {
        let commands = try await ShownCommand.all()
        for shell in ["bash", "zsh", "fish"] {
            let script = try await Command.comity("completion", shell)
            #expect(script.status == 0)
            for command in commands {
                let words = ["comity"] + command.words
                let place =
                    shell == "fish"
                    ? "_or_options \"\(words.joined(separator: " "))\""
                    : "\n_\(words.joined(separator: "_"))() {"
                #expect(script.output.contains(place), "\(shell): \(words)")
                for option in command.options {
                    // fish names options without their dashes.
                    let name = shell == "fish" ? String(option.dropFirst(2)) : option
                    #expect(script.output.contains(name), "\(shell): \(command.words) \(option)")
                }
            }
            guard let reader = Command.tool(shell) else {
                print("SKIPPED: \(shell) is not here to read its completion")
                continue
            }
            let read = try await Command.run(reader, ["-n"], input: script.output)
            #expect(read.status == 0, "\(shell): \(read.errors.prefix(400))")
        }
    }

    @Test("bash completes commands and their options")
    func bash() async throws {
        let bash = try #require(Command.tool("bash"))
        let script = try await Command.comity("completion", "bash").output
        let asking = """
            \(script)
            complete_words() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
              COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}; _comity comity "${COMP_WORDS[COMP_CWORD]}" ""
              printf '%s\\n' "${COMPREPLY[@]}"; }
            complete_words comity pee
            complete_words comity log level --f
            """
        let answer = try await Command.run(bash, ["--norc"], input: asking)
        let words = answer.output.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        #expect(words.contains("peer") && words.contains("peers") && words.contains("--for"), "\(answer)")
    }

    @Test("help of a command is its --help, and wrong words are wrong usage")
    func helpOfCommand() async throws {
        let asked = try await Command.comity("help", "peer", "show")
        let shown = try await Command.comity("peer", "show", "--help")
        #expect(asked.status == 0 && asked.output == shown.output)
        for words in [["help", "nonsense"], ["help", "--nonsense"], ["help", "--man", "nonsense"]] {
            let wrong = try await Command.run(Program.path, words)
            #expect(wrong.status == 2 && wrong.output.isEmpty && !wrong.errors.isEmpty, "\(words)")
        }
        #expect(try await Command.comity("completion", "tcsh").status == 2)
    }
}
