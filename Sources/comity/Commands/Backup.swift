import ArgumentParser
import FoundationEssentials
import MeshControl

struct Backup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write this node's home into one file, also while its agent runs.",
        discussion: """
            All of it is of one moment. The file holds the identity key: whoever has it is this node. It is
            readable for its owner only, and replaces nothing. It is a tar archive with its sums in it.

            Example: comity backup /backups/bakery-2026-11-27.tar
            """)

    @OptionGroup var facts: FactOptions
    @Argument(help: "The file to write.", completion: .file()) var file: String

    func run() async throws {
        let report = try await AgentProgram.backUp(facts.home, to: absolute(file))
        try facts.show(report, HostText.made)
    }
}

struct Restore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a home from a backup.",
        discussion: """
            The home must be empty, or not exist. The node goes on above all that its peers remember of it;
            never run the home that the backup was made of beside it.

            Example: comity restore /backups/bakery-2026-11-27.tar --home ~/.comity
            """)

    @OptionGroup var facts: FactOptions
    @Argument(help: "The file that comity backup wrote.", completion: .file()) var file: String

    func run() async throws {
        try facts.show(try AgentProgram.restore(absolute(file), into: facts.home), HostText.restored)
    }
}

private func absolute(_ path: String) -> String {
    path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
}
