import Foundation
import MeshBase
import Testing

@testable import MeshSimulator

/// What `Scripts/simulate` runs: the seeds that the environment names.
@Suite struct SeedRangeTests {
    static let seeds = ProcessInfo.processInfo.environment["COMITY_SIM_SEEDS"]

    @Test(.enabled(if: seeds != nil, "COMITY_SIM_SEEDS names no seeds: run by Scripts/simulate"))
    func `the seeds that were asked for break nothing`() throws {
        let environment = ProcessInfo.processInfo.environment
        let bounds = try #require(Self.seeds).split(separator: "-").compactMap { UInt64($0) }
        let range = try #require(bounds.first)...(try #require(bounds.last))
        for seed in range {
            let drawn = 3 + Int(seed * 7 % 10)
            let nodes = environment["COMITY_SIM_NODES"].flatMap { Int($0) } ?? drawn
            let seconds = environment["COMITY_SIM_SECONDS"].flatMap { Int64($0) } ?? 180
            let faults = environment["COMITY_SIM_FAULTS"].map { text in
                text.split(separator: ",").compactMap { Fault(rawValue: String($0)) }
            }
            let domain = environment["COMITY_SIM_DOMAIN"].flatMap { DomainPresence(rawValue: $0) }
            let links = environment["COMITY_SIM_LINKS"].flatMap { LinkPresence(rawValue: $0) }
            let audiences = environment["COMITY_SIM_AUDIENCES"].flatMap { AudienceSize(rawValue: $0) }
            let relays = environment["COMITY_SIM_RELAYS"].flatMap { RelayPresence(rawValue: $0) } ?? .none
            var simulation = Simulation(
                SimulationPlan(
                    nodes: nodes, seed: seed, duration: .seconds(seconds), faults: faults, domain: domain,
                    links: links, audiences: audiences, relays: relays))
            let report = simulation.run()
            print("seed \(seed)  nodes \(nodes)  digest \(report.digest)  \(report.statistics)")
            for violation in report.violations { print("  \(violation)") }
            #expect(report.violations.isEmpty, "\(report.replay)")
        }
    }
}
