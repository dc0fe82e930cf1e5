import MeshBase
import MeshTrust

/// What one insider among many members of a domain costs the others: runs of the same seeds, with it and with
/// an honest node in its place, in simulated time, which a busy machine does not change.
///
/// Modelled are the network (1 to 3 ms one way), disks, services, and the two threads of each node with the
/// turns that connections take before them (`HostWork`): a document takes 10 us of the calls' loop and 250 us
/// of the control plane, the head of a call or of an answer 60 us of the loop, about what an agent's take.
/// Bytes take no time on the way, and what a resource does is its own.
public struct InsiderMeasure: Sendable {
    /// What the insider did; nil: nothing that others do not.
    public let manner: InsiderManner?
    /// How long calls between honest nodes took, rising.
    public private(set) var calls: [Duration] = []
    /// How long news of honest owners took to all who held what they told before, rising.
    public private(set) var spreads: [Duration] = []
    /// All that must not be: breaches, and heads in others' names that were taken.
    public private(set) var breaches: [String] = []
    /// Honest nodes that an honest one suspended, or convicted unmet: each time one did.
    public private(set) var blamed = 0
    /// What honest nodes keep against the insider on their disks.
    public private(set) var evidence: [String] = []
    /// How many of its heads nodes passed on that keep evidence against it.
    public private(set) var served = 0

    /// The plan of each run: a domain whose members keep few links, so that most of what they hold of one
    /// another came over others, the insider among them.
    static func plan(_ seed: UInt64) -> SimulationPlan {
        SimulationPlan(
            nodes: 8, seed: seed, duration: .seconds(120), faults: [], domain: .present, links: .few)
    }

    /// Runs all of `seeds`.
    public init(_ manner: InsiderManner?, seeds: ClosedRange<UInt64>) {
        self.manner = manner
        for seed in seeds {
            var simulation = Simulation(Self.plan(seed), watching: InsiderWatch(manner))
            let report = simulation.run()
            breaches += report.violations.map { "seed \(seed): \($0)" }
            add(simulation.world)
        }
        calls.sort()
        spreads.sort()
    }

    /// The time that so many of a hundred do not exceed.
    /// - Precondition: there are times.
    public static func percentile(_ share: Int, of rising: [Duration]) -> Duration {
        rising[min(rising.count - 1, rising.count * share / 100)]
    }

    private mutating func add(_ world: World) {
        guard let watch = world.watch else { return }
        calls += watch.calls
        spreads += watch.spreads
        breaches += watch.foreign
        served += watch.served
        let honest = world.hosts.filter(\.isHonest)
        guard let insider = world.hosts.last else { return }
        for host in honest {
            blamed += honest.filter { !World.evidence(on: host.disk, against: $0.node).isEmpty }.count
            evidence += World.evidence(on: host.disk, against: insider.node)
        }
    }
}

extension InsiderMeasure: CustomStringConvertible {
    /// Whether nothing was that must not be.
    public var isFlawless: Bool { breaches.isEmpty && blamed == 0 && served == 0 }

    /// In a line: medians, 95th and 99th percentiles of calls and of news, and what is kept against the
    /// insider.
    public var description: String {
        func words(_ times: [Duration]) -> String {
            guard !times.isEmpty else { return "none" }
            return [50, 95, 99].map { share in
                let tenths = Self.percentile(share, of: times).wholeNanoseconds / 100_000
                return "p\(share) \(tenths / 10).\(tenths % 10) ms"
            }
            .joined(separator: ", ")
        }
        let subject = manner?.rawValue ?? "nobody lies"
        return "\(subject): \(calls.count) calls, \(words(calls)); \(spreads.count) news, \(words(spreads)); "
            + "\(evidence.count) kept as evidence"
    }
}
