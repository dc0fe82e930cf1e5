import ArgumentParser
import MeshBase
import MeshControl

struct Log: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "What the agent says while it runs.", subcommands: [Level.self])

    struct Level: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set how much the running agent says; without a level, show it.",
            discussion: """
                Each level includes those behind it: trace, debug, info, notice, warning, error. The
                configured level holds again when the time is over or the agent starts anew.

                Example: comity log level debug --for 10m
                """)

        @OptionGroup var facts: FactOptions
        @Argument(help: "The least that is said.") var level: LogLevel?
        @Option(name: .customLong("for"), help: ArgumentHelp("For how long.", valueName: "time"))
        var life: TypedDuration?

        func validate() throws {
            if life != nil && level == nil { throw ValidationError("--for needs a level") }
        }

        func run() async throws {
            let request = SetLogLevel.Request(level: level, seconds: life?.seconds)
            try facts.show(try await facts.home.ask(SetLogLevel.self, request), HostText.render)
        }
    }
}
