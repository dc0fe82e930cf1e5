import ArgumentParser
import MeshBase
import MeshSimulator

struct Sim: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run many nodes from one seed in one process, with faults.",
        discussion: """
            The nodes are the ones that ship, in a simulated world: networks, clocks, disks, services,
            operators and intruders that go wrong as the seed says. Prints the seed first and the trace digest
            (64 hex digits) last: the same seed gives the same digest. A seed that breaks a rule ends with the
            line that replays it.

            Example: comity sim --nodes 5 --seed 7
            """)

    @Option(help: "How many nodes, 2 to 1000.") var nodes = 3
    @Option(help: "The first seed (default: a random one).") var seed: UInt64?
    @Option(help: "How many seeds, counted up from the first.") var seeds = 1
    @Option(help: "Simulated hours for each seed (default: three minutes).") var hours: Int?
    @Option(help: "Simulated seconds for each seed, in place of --hours.") var seconds: Int?
    @Option(
        help: ArgumentHelp(
            "What may go wrong: names with commas, or none (default: drawn from the seed).",
            valueName: "names"))
    var faults: FaultList?
    @Option(help: "Whether some hosts make domains and enrol: present, absent, partners (default: drawn).")
    var domain: DomainPresence?
    @Option(
        help: "Whether links are kept with all or with few, as in a large mesh: all, few (default: drawn).")
    var links: LinkPresence?
    @Option(
        help: "Whether domains are compared by lists, or as large ones are: small, large (default: drawn).")
    var audiences: AudienceSize?
    @Option(help: "Whether some hosts carry links for others, and some pairs cannot connect: none, offered.")
    var relays = RelayPresence.none

    func validate() throws {
        if hours != nil && seconds != nil { throw ValidationError("give --hours or --seconds, not both") }
        guard (1...1_000_000).contains(seeds) else { throw ValidationError("seeds are 1 to 1000000") }
        guard (hours ?? 1).magnitude <= 10_000, (seconds ?? 1).magnitude <= 36_000_000 else {
            throw ValidationError("that is longer than any simulation may be")
        }
        if let problem = plan(seed: 0).problems().first { throw ValidationError(problem) }
    }

    func run() async throws {
        let first = seed ?? UInt64.random(in: 0...999_999)
        try SimulationProgram.run((0..<UInt64(seeds)).map { plan(seed: first &+ $0) })
    }

    private func plan(seed: UInt64) -> SimulationPlan {
        let length = hours.map { Duration.seconds($0 * 3_600) } ?? .seconds(seconds ?? 180)
        return SimulationPlan(
            nodes: nodes, seed: seed, duration: length, faults: faults?.faults, domain: domain,
            links: links, audiences: audiences, relays: relays)
    }
}

/// The names of faults, as typed.
struct FaultList: ExpressibleByArgument {
    let faults: [Fault]

    init?(argument: String) {
        if argument == "none" {
            faults = []
            return
        }
        let named = argument.split(separator: ",").map { Fault(rawValue: String($0)) }
        guard !named.isEmpty, !named.contains(nil) else { return nil }
        faults = named.compactMap { $0 }
    }

    static var allValueStrings: [String] { ["none"] + Fault.allCases.map(\.rawValue) }
}

extension DomainPresence: ExpressibleByArgument {}

extension LinkPresence: ExpressibleByArgument {}
extension RelayPresence: ExpressibleByArgument {}

extension AudienceSize: ExpressibleByArgument {}
