import Foundation
import MeshBase
import Testing

@testable import MeshSimulator

@Suite struct SimulationTests {
    @Test func `two nodes and one seed give one digest`() {
        let plan = SimulationPlan(nodes: 2, seed: 1, duration: .seconds(60), faults: [], domain: .absent)
        var first = Simulation(plan)
        var second = Simulation(plan)
        let report = first.run()
        #expect(report == second.run())
        #expect(report.digest.count == 64)
        #expect(report.violations.isEmpty, "\(report.violations)")
        #expect(report.statistics.answered > 10)
        #expect(report.statistics.pairsTrusted == 1)
    }

    @Test func `two processes give one digest`() throws {
        var simulation = Simulation(SimulationPlan(nodes: 4, seed: 11, duration: .seconds(30)))
        let digest = simulation.run().digest
        let other = Process()
        other.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        other.arguments = ["--testing-library", "swift-testing", "--filter", "SeedRangeTests"]
        other.environment = ProcessInfo.processInfo.environment.merging(
            ["COMITY_SIM_SEEDS": "11", "COMITY_SIM_NODES": "4", "COMITY_SIM_SECONDS": "30"]) { $1 }
        let pipe = Foundation.Pipe()
        other.standardOutput = pipe
        try other.run()
        let told = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        other.waitUntilExit()
        #expect(told.contains("digest \(digest)"), "\(told)")
    }

    @Test func `how often it is looked at changes nothing`() {
        var left = Simulation(SimulationPlan(nodes: 3, seed: 11, duration: .seconds(30)))
        var right = Simulation(SimulationPlan(nodes: 3, seed: 11, duration: .seconds(30)))
        while !left.isOver { left.advance(by: .milliseconds(700)) }
        #expect(left.report == right.run())
    }

    @Test func `another seed is another run`() {
        var first = Simulation(SimulationPlan(nodes: 2, seed: 1, duration: .seconds(20), faults: []))
        var second = Simulation(SimulationPlan(nodes: 2, seed: 2, duration: .seconds(20), faults: []))
        #expect(first.run().digest != second.run().digest)
    }

    @Test(arguments: 1...20)
    func `nothing breaks under the faults of`(seed: UInt64) {
        var simulation = Simulation(
            SimulationPlan(nodes: 3 + Int(seed * 7 % 10), seed: seed, duration: .seconds(60)))
        let report = simulation.run()
        #expect(report.violations.isEmpty, "\(report.violations)\n\(report.replay)")
        #expect(report.statistics.answered > 0, "\(report.replay)")
    }

    @Test func `every fault has its way into twenty seeds`() {
        let drawn = Set((1...20).flatMap { SimulationPlan(nodes: 3, seed: $0).faults })
        #expect(drawn == Set(Fault.allCases))
    }

    @Test func `both kinds of world have their way into twenty seeds`() {
        let drawn = Set((1...20).map { SimulationPlan(nodes: 3, seed: $0).domain })
        #expect(drawn == Set(DomainPresence.allCases))
        #expect(Set((1...20).map { SimulationPlan(nodes: 3, seed: $0).links }) == Set(LinkPresence.allCases))
        let sizes = Set((1...20).map { SimulationPlan(nodes: 3, seed: $0).audiences })
        #expect(sizes == Set(AudienceSize.allCases))
    }

    @Test func `a domain that counts as large is compared by symbols, and comes right after every fault`() {
        var simulation = Simulation(
            SimulationPlan(
                nodes: 9, seed: 175, domain: .present, links: .few, audiences: .large))
        let report = simulation.run()
        #expect(report.violations.isEmpty, "\(report.violations)")
        #expect(report.statistics.symbolBatches > 20, "\(report.statistics)")
        #expect(report.statistics.elementsWanted > 10, "\(report.statistics)")
    }

    @Test func `where few links are kept, others are opened for calls and put to rest again`() {
        var simulation = Simulation(
            SimulationPlan(
                nodes: 8, seed: 5, duration: .seconds(120), faults: [], domain: .present, links: .few))
        let report = simulation.run()
        #expect(report.violations.isEmpty, "\(report.violations)")
        #expect(report.statistics.linksAtRest > 20, "\(report.statistics)")
        #expect(report.statistics.answered > 100, "\(report.statistics)")
    }

    @Test func `a domain is made, joined by tokens, and its members call one another`() {
        var simulation = Simulation(
            SimulationPlan(
                nodes: 6, seed: 5, duration: .seconds(120), faults: [], domain: .present, links: .all))
        let report = simulation.run()
        #expect(report.violations.isEmpty, "\(report.violations)")
        #expect(report.statistics.members > 2, "\(report.statistics)")
        #expect(report.statistics.houseCalls > 0, "\(report.statistics)")
    }

    @Test func `one line runs a seed again`() {
        var simulation = Simulation(
            SimulationPlan(
                nodes: 2, seed: 5, duration: .seconds(10), faults: [.kills, .oneWay], domain: .present,
                links: .few, audiences: .large, relays: .offered))
        #expect(
            simulation.run().replay
                == "comity sim --seed 5 --nodes 2 --seconds 10 --domain present --links few "
                + "--audiences large --relays offered --faults kills,one-way")
    }

    @Test func `links are carried where two cannot connect, and nothing breaks by it`() {
        var carried = 0
        for (seed, nodes) in [(76, 5), (59, 6), (42, 7)] as [(UInt64, Int)] {
            var simulation = Simulation(SimulationPlan(nodes: nodes, seed: seed, relays: .offered))
            let report = simulation.run()
            #expect(report.violations.isEmpty, "\(report.violations)\n\(report.replay)")
            carried += report.statistics.circuits
        }
        #expect(carried > 0)
    }

    @Test func `a plan says all that is wrong with it`() {
        #expect(SimulationPlan(nodes: 1, seed: 0, duration: .seconds(1)).problems().count == 2)
        #expect(SimulationPlan(nodes: 12, seed: 0).problems().isEmpty)
    }
}
