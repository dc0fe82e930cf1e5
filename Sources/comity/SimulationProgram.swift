import MeshBase
import MeshControl

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
