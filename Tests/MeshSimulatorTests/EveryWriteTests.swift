import MeshBase
import Testing

@testable import MeshSimulator

/// One run, ended in the middle of each of its writes in turn: the process, and the power.
@Suite struct EveryWriteTests {
    /// Every write when seeds are run at length, else one in some: each is a run of its own.
    private static let step = SeedRangeTests.seeds == nil ? 41 : 1

    /// Whose writes, in which world: without a domain, and with one that the one makes and the other joins.
    static let writers = [(0, DomainPresence.absent), (1, .absent), (0, .present), (1, .present)]

    @Test(arguments: writers, Host.Ending.allCases)
    func `nothing breaks, whichever write is the last`(writer: (Int, DomainPresence), ending: Host.Ending) {
        let (host, domain) = writer
        // Members call each other later than pairs do: such a world is given longer.
        let plan = SimulationPlan(
            nodes: 2, seed: 7, duration: .seconds(domain == .present ? 100 : 40), faults: [.badServices],
            domain: domain)
        var write = 0
        var count = 0
        while true {
            var simulation = Simulation(plan, endingIn: write, of: host, ending)
            let report = simulation.run()
            guard report.statistics.tornWrites > 0 else { break }
            let text = report.violations.prefix(3).map { $0.description }.joined(separator: "; ")
            #expect(
                report.violations.isEmpty,
                "write \(write) of host \(host), domain \(domain.rawValue), \(ending): \(text)")
            count += 1
            write += Self.step
        }
        #expect(count > 60 / Self.step, "only \(count) writes")
    }
}
