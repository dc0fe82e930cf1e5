import MeshBase
import Testing

@testable import MeshSimulator

@Suite struct SimulationTests {
    @Test func `two nodes and one seed give one digest`() {
        let plan = SimulationPlan(nodes: 2, seed: 1, duration: .seconds(60), faults: [])
        var first = Simulation(plan)
        var second = Simulation(plan)
        let report = first.run()
        #expect(report == second.run())
        #expect(report.digest.count == 64)
        #expect(report.violations.isEmpty, "\(report.violations)")
        #expect(report.statistics.answered > 10)
        #expect(report.statistics.pairsTrusted == 1)
        print(report.statistics)
    }
}
