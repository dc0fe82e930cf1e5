import ArgumentParser
import MeshBase
import MeshControl

struct Policy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "What may be called, tried on calls that were made.", subcommands: [Test.self])

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "How many calls of the audit would now be decided otherwise, by whom, and which.",
            discussion: """
                Decides each call between this node and its peers once more, by what is agreed now, and
                compares with what was decided then. `--with` counts an offer as signed before anybody has
                signed it; `--without` counts an agreement as ended before it is.

                Example: comity policy test --against 30d --without 3f9a2c
                """)
        @OptionGroup var facts: FactOptions
        @Option(help: ArgumentHelp("Calls of this time, up to now.", valueName: "time"))
        var against = TypedDuration(.seconds(30 * 86_400))
        @Option(help: "Only calls with this peer.") var peer: String?
        @Option(help: ArgumentHelp("An agreement that counts as in force; repeatable.", valueName: "id"))
        var with: [String] = []
        @Option(help: ArgumentHelp("An agreement that counts as ended; repeatable.", valueName: "id"))
        var without: [String] = []

        func run() async throws {
            let request = TestPolicy.Request(
                seconds: against.seconds, peer: peer, with: with, without: without)
            let report = try await facts.home.ask(TestPolicy.self, request, waiting: .seconds(120))
            try facts.show(report, ReplayText.render)
        }
    }
}
