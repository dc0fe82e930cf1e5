import ArgumentParser
import Foundation
import Glibc
import MeshControl

struct Service: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the agent as a service of systemd.", subcommands: [Install.self, Uninstall.self])

    struct Install: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a hardened unit, let it start with the machine, and start it.",
            discussion: """
                A system service has a user of its own and its home in /var/lib/comity; commands for it are
                given as root with --home /var/lib/comity. With --user it is a service of this user, with
                their usual home.

                Example: comity service install --dry-run
                """)

        @OptionGroup var options: ServiceOptions
        @Flag(help: "Print the unit, and do nothing.") var dryRun = false

        func run() throws {
            let home = options.user ? options.home.path : ServiceUnit.stateFolder
            let unit = ServiceUnit(scope: options.scope, program: try program(), home: home)
            if dryRun { return Terminal.out(unit.text) }
            let done = try options.installer.install(unit)
            Terminal.out(done.map { $0 + "\n" }.joined())
        }

        /// This program, wherever it was called from.
        private func program() throws -> String {
            try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        }
    }

    struct Uninstall: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stop the service and remove its unit. The home stays.",
            discussion: "Example: comity service uninstall --user")

        @OptionGroup var options: ServiceOptions

        func run() throws {
            let done = try options.installer.uninstall()
            Terminal.out(done.map { $0 + "\n" }.joined())
        }
    }
}

/// What both have in common.
struct ServiceOptions: ParsableArguments {
    @OptionGroup var home: HomeOption
    @Flag(help: "A service of this user, not of the system.") var user = false
    @Option(help: ArgumentHelp("Another root, such as an image's.", valueName: "dir", visibility: .hidden))
    var root = ""

    var scope: ServiceUnit.Scope { user ? .user : .system }
    var installer: ServiceInstaller { ServiceInstaller(scope: scope, root: root) }

    func validate() throws {
        if !user, home.home != nil {
            throw ValidationError(
                "a system service has its home in \(ServiceUnit.stateFolder); --home goes with --user")
        }
    }
}
