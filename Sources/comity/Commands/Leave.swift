import ArgumentParser
import Glibc
import MeshControl

struct Leave: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Leave the mesh in order: tell the peers, then stop the agent.",
        discussion: """
            What is under way gets five seconds. Without --for-good trust and agreements stay, and `comity up`
            brings the node back. With it, trust ends here and at every peer that has a link. What will be cut
            is said first.

            Example: comity leave
            """)

    @OptionGroup var facts: FactOptions
    @Flag(help: "End trust on both sides.") var forGood = false
    @Flag(help: "Remove the home afterwards: keys, store and audit.") var purge = false
    @Flag(help: "Ask nothing.") var yes = false

    func run() async throws {
        do {
            try await leave()
        } catch let failure as ControlFailure {
            // A home whose agent does not run can only be removed.
            guard failure.kind == .notRunning, purge, !forGood else { throw failure }
            try confirm("no agent runs, so no peer hears of it\n")
            try AgentProgram.purge(facts.home)
            Terminal.note(removed)
        }
    }

    private func leave() async throws {
        let preview = try await facts.home.ask(LeaveMesh.self, .init(forGood: forGood, onlyTell: true))
        try confirm(HostText.warning(preview))
        let report = try await facts.home.ask(LeaveMesh.self, .init(forGood: forGood, onlyTell: false))
        Terminal.note("waiting for the agent to end\n")
        try await AgentProgram.awaitEnd(of: facts.home)
        if purge { try AgentProgram.purge(facts.home) }
        try facts.show(report, HostText.left)
        if purge { Terminal.note(removed) }
    }

    private var removed: String { "what was ours in \(facts.home.path) is removed\n" }

    /// Says what will be lost, and asks where a person sits at the keyboard. A home is removed only with a
    /// yes from somebody.
    private func confirm(_ consequences: String) throws {
        let loss = "the home \(facts.home.path) is removed: its keys, and what its audit could prove\n"
        Terminal.note(consequences + (purge ? loss : ""))
        guard !yes else { return }
        guard Terminal.isAttended else {
            if purge { throw ValidationError("--purge needs --yes where nobody can be asked") }
            return
        }
        if !Terminal.confirm("go on?") { throw ExitCode(1) }
    }
}
