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

    func validate() throws {
        if let gateway, !gateway.isLoopback {
            throw ValidationError("the gateway is for this machine only; \(gateway) is no loopback address")
        }
    }

    func run() async throws {
        try await AgentProgram.run(
            UpOptions(
                home: home.path, shownHome: home.shown, name: name, listen: listen, gateway: gateway,
                advertise: advertise))
    }
}

struct Sim: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run many nodes from one seed in one process, with faults.",
        discussion: """
            Prints the seed first and the trace digest (64 hex digits) last: one seed gives one digest.

            Example: comity sim --nodes 5 --seed 7
            """)

    @Option(help: "How many nodes, 2 to 1000.") var nodes = 3
    @Option(help: "The first seed (default: a random one).") var seed: UInt64?
    @Option(help: "How many seeds, counted up from the first.") var seeds = 1
    @Option(help: "Simulated hours for each seed.") var hours = 1

    func validate() throws {
        guard (2...1_000).contains(nodes), (1...1_000_000).contains(seeds), (1...10_000).contains(hours)
        else {
            throw ValidationError("nodes are 2 to 1000, seeds 1 to 1000000, hours 1 to 10000")
        }
    }

    func run() async throws {
        let seed = seed ?? UInt64.random(in: 0...999_999)
        try await SimulationProgram.run(
            SimulationOptions(nodes: nodes, seed: seed, seeds: seeds, hours: hours))
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
        abstract: "The agent's configuration.", subcommands: [Show.self])

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The effective configuration with the origin of each value.",
            discussion: "Example: comity config show")

        @OptionGroup var facts: FactOptions

        func run() async throws {
            try facts.show(try await facts.home.ask(ShowConfiguration.self), ConfigurationText.render)
        }
    }
}
