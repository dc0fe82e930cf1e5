import FoundationEssentials
import MeshBase
import MeshControl

/// What `comity up` was told on the command line; what is nil comes from the configuration.
struct UpOptions: Sendable {
    /// Absolute path.
    var home: String
    /// As commands must name it in `--home`; nil when they find it by themselves.
    var shownHome: String?
    /// The node's name for people.
    var name: NodeName?
    /// Where peers are listened for.
    var listen: Endpoint?
    /// Where applications are listened for.
    var gateway: Endpoint?
    /// Addresses that peers are told besides those of this machine's interfaces.
    var advertise: [Endpoint]
}

/// The agent behind `comity up`: the one place where this program meets MeshAgent.
enum AgentProgram {
    /// Runs until the agent is told to stop.
    static func run(_ options: UpOptions) async throws {
        throw ControlFailure(
            .fault, code: "agent-fault", message: "the agent is not built into this program",
            facts: [Fact("home", options.home)])
    }
}

/// What `comity sim` was told.
struct SimulationOptions: Sendable {
    /// How many nodes.
    var nodes: Int
    /// The first seed.
    var seed: UInt64
    /// How many seeds, counted up from the first.
    var seeds: Int
    /// Simulated hours for each seed.
    var hours: Int
}

/// The simulator behind `comity sim`: the one place where this program meets MeshSimulator.
enum SimulationProgram {
    /// Runs every seed and prints the trace digest last.
    static func run(_ options: SimulationOptions) async throws {
        throw ControlFailure(
            .fault, code: "agent-fault", message: "the simulator is not built into this program",
            facts: [Fact("seed", options.seed)])
    }
}
