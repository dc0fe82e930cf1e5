import ArgumentParser
import Glibc
import MeshBase
import MeshControl

struct Up: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the agent of this home in the foreground.",
        discussion: """
            On the first start it makes the node's identity, store and configuration. Peers connect to
            port 7410, applications on this machine to port 7411; the next free ones when these are
            taken, any with port 0.

            Example: comity up --name bakery
            """)

    @OptionGroup var home: HomeOption
    @Option(help: "The node's name for people (default: the host's name).") var name: NodeName?
    @Option(help: ArgumentHelp("Where peers connect.", valueName: "host:port")) var listen: Endpoint?
    @Option(help: ArgumentHelp("Where applications on this machine connect.", valueName: "host:port"))
    var gateway: Endpoint?
    @Option(
        help: ArgumentHelp("An address at which peers reach this node; repeatable.", valueName: "host:port"))
    var advertise: [Endpoint] = []
    @Option(help: ArgumentHelp("The least that is said on standard error.", valueName: "level"))
    var logLevel: LogLevel?
    @Option(help: ArgumentHelp("How it is said: text for people, json for machines.", valueName: "format"))
    var logFormat: LogFormat?

    func validate() throws {
        if let gateway, !gateway.isLoopback {
            throw ValidationError("the gateway is for this machine only; \(gateway) is no loopback address")
        }
    }

    func run() async throws {
        try await AgentProgram.run(
            UpOptions(
                home: home.path, shownHome: home.shown, name: name, listen: listen, gateway: gateway,
                advertise: advertise, logLevel: logLevel, logFormat: logFormat))
    }
}

struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "How things stand, on one screen.", discussion: "Example: comity status --json")

    @OptionGroup var facts: FactOptions

    func run() async throws {
        try facts.show(try await facts.home.ask(ShowStatus.self), StatusText.render)
    }
}

struct Config: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The agent's configuration.", subcommands: [Show.self, Reload.self])

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The effective configuration with the origin of each value.",
            discussion: "Example: comity config show")

        @OptionGroup var facts: FactOptions

        func run() async throws {
            try facts.show(try await facts.home.ask(ShowConfiguration.self), ConfigurationText.render)
        }
    }

    struct Reload: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read the configuration again, and put into force what can change while running.",
            discussion: """
                Says what holds now and what waits for a restart. With any mistake nothing is changed, and all
                of them are listed.

                Example: comity config reload
                """)

        @OptionGroup var facts: FactOptions

        func run() async throws {
            try facts.show(try await facts.home.ask(ReloadConfiguration.self), HostText.render)
        }
    }
}
