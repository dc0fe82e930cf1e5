import MeshBase

/// What one simulated run is: as much as fits the line that replays it.
public struct SimulationPlan: Equatable, Sendable {
    /// How many nodes, 2 ... 1 000.
    public var nodes: Int
    /// Everything that is left to chance comes from it.
    public var seed: UInt64
    /// How long faults may happen, before the quiet time in which everything must come right again.
    public var duration: Duration
    /// What may go wrong; drawn from the seed unless said.
    public var faults: [Fault]
    /// Whether there are domains; drawn from the seed unless said.
    public var domain: DomainPresence
    /// Whether links are kept with all whom a node trusts; drawn from the seed unless said.
    public var links: LinkPresence
    /// How domains are compared; drawn from the seed unless said.
    public var audiences: AudienceSize
    /// Whether links may be carried by others; not unless said: pairs that cannot connect for minutes are
    /// another world.
    public var relays: RelayPresence

    /// The quiet time at the end: no faults, and clocks are right.
    static let quiet: Duration = .seconds(120)

    /// The most nodes that a run may have.
    static let nodesMax = 1_000

    /// Above it each node is paired with eight others, in a ring: what more a tree would add is chance.
    static let drawnPairsMax = 64

    /// When the run is over.
    var end: Instant { .zero + duration + Self.quiet }

    /// - Parameter faults: nil draws them from the seed, each with one half ("swarm testing", Groce et al.,
    /// ISSTA 2012): a fault
    ///   that is always on hides what happens without it.
    /// - Parameters domain, links, audiences: nil draws them from the seed.
    public init(
        nodes: Int, seed: UInt64, duration: Duration = .seconds(180), faults: [Fault]? = nil,
        domain: DomainPresence? = nil, links: LinkPresence? = nil, audiences: AudienceSize? = nil,
        relays: RelayPresence = .none
    ) {
        self.nodes = nodes
        self.seed = seed
        self.duration = duration
        self.faults = faults ?? Self.swarm(seed)
        self.domain = domain ?? .drawn(by: seed)
        self.links = links ?? .drawn(by: seed)
        self.audiences = audiences ?? .drawn(by: seed)
        self.relays = relays
    }

    /// All that is wrong with it.
    public func problems() -> [String] {
        var problems: [String] = []
        if !(2...Self.nodesMax).contains(nodes) { problems.append("nodes are 2 ... \(Self.nodesMax)") }
        if duration < .seconds(10) || duration > .seconds(86_400) {
            problems.append("duration is 10 s ... 24 h")
        }
        return problems
    }

    private static func swarm(_ seed: UInt64) -> [Fault] {
        var generator = SeededGenerator(seed: seed ^ 0x7377_6172_6d00)
        return Fault.allCases.filter { _ in generator.number(below: 2) == 0 }
    }
}
