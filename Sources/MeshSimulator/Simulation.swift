import MeshBase

/// Many nodes in one process, from one seed: the very `Node` and `CallDesk` that ship, in a world of its
/// making.
///
/// Its faults are those of protocol section 11, as far as they concern what exists; its checkers hold the
/// invariants that stand there. It does no I/O and knows no clock: who runs it prints `report`, and a seed
/// that fails is run again by `report.replay`. How it is built: a `World` of hosts, disks, pipes and a queue
/// of events; `Checks` that see what nodes order and what arrives, and believe no node; operators, faults and
/// an intruder that draw from the seed, each from a generator of its own.
public struct Simulation: Sendable {
    private(set) var world: World
    private let end: Instant

    /// - Precondition: `plan.problems()` is empty.
    public init(_ plan: SimulationPlan) { self.init(plan, tampering: nil) }

    /// A run in which one host's process or power ends in the middle of its write number `write`.
    init(_ plan: SimulationPlan, endingIn write: Int, of host: Int, _ ending: Host.Ending) {
        self.init(plan, tampering: nil)
        world.hosts[host].writesUntilEnd = write
        world.hosts[host].ending = ending
    }

    /// - Parameter sought: the only invariant that is looked at; nil: all are.
    init(_ plan: SimulationPlan, tampering: Tampering?, seeking sought: Invariant? = nil) {
        precondition(plan.problems().isEmpty, "\(plan.problems())")
        end = plan.end
        world = World(plan, tampering: tampering)
        world.checks.sought = sought
    }

    /// A run that is watched for `InsiderMeasure`.
    init(_ plan: SimulationPlan, watching watch: InsiderWatch) {
        precondition(plan.problems().isEmpty, "\(plan.problems())")
        end = plan.end
        world = World(plan, tampering: nil, watching: watch)
    }

    /// How far the run has come.
    public struct Progress: Equatable, Sendable {
        /// Simulated time so far.
        public let simulated: Duration
        /// Simulated time in all.
        public let total: Duration
        /// Breaches so far.
        public let violations: Int
    }

    /// How far it has come.
    public var progress: Progress {
        Progress(simulated: world.time - .zero, total: end - .zero, violations: world.checks.violations.count)
    }

    /// Whether nothing more will happen: time is over, or enough was broken.
    public var isOver: Bool { world.time >= end || world.checks.isFull }

    /// Goes on for some simulated time; less when it is over before.
    public mutating func advance(by step: Duration) {
        let stop = min(world.time + step, end)
        while !world.checks.isFull, let next = world.queue.next, next <= stop, world.step() {}
        if !world.checks.isFull { world.time = max(world.time, stop) }
    }

    /// Goes on to the end.
    @discardableResult
    public mutating func run() -> SimulationReport {
        while !isOver { advance(by: .seconds(600)) }
        return report
    }

    /// What became of it so far.
    public var report: SimulationReport {
        SimulationReport(
            plan: world.plan, digest: world.trace.text, violations: world.checks.violations,
            statistics: world.statistics)
    }
}
