import MeshBase
import Testing

@testable import MeshSimulator

/// Runs in which something broke once. They stay, whatever else is drawn.
@Suite struct KeptSeeds {
    struct Kept: Sendable, CustomStringConvertible {
        let seed: UInt64
        let nodes: Int
        var seconds: Int64 = 180
        var domain = DomainPresence.absent
        var relays = RelayPresence.none
        let faults: [Fault]
        /// What broke.
        let description: String
    }

    static let kept = [
        Kept(
            seed: 183, nodes: 7,
            faults: [.slowNetwork, .flapping, .kills, .powerLosses, .clockDrift, .clockLeaps, .intruder],
            description: "a head was pushed with the leaves of the next one, which was being signed"),
        Kept(
            seed: 353, nodes: 9, faults: [.slowNetwork, .partitions, .clockLeaps, .insider],
            description: "a head waited for a clock that had come right meanwhile"),
        Kept(
            seed: 299, nodes: 5,
            faults: [
                .slowNetwork, .partitions, .flapping, .kills, .badServices, .operators, .deafness, .intruder,
            ],
            description: "who joined and was killed before its first link forgot where the inviter was"),
        Kept(
            seed: 506, nodes: 2,
            faults: [
                .resets, .flapping, .kills, .powerLosses, .clockDrift, .badServices, .operators, .insider,
            ],
            description: "a start closed a call again whose end stood before its last attempt's beginning"),
        Kept(
            seed: 632, nodes: 4,
            faults: [
                .slowNetwork, .partitions, .oneWay, .flapping, .powerLosses, .clockDrift, .clockJumps,
                .badServices, .operators, .deafness, .insider,
            ],
            description: "the same, by a loss of power"),
        Kept(
            seed: 6, nodes: 11, faults: [.resets, .oneWay, .flapping, .powerLosses, .deafness],
            description: "an answer ended before it began, which waited for a sync of another call's end"),
        Kept(
            seed: 83, nodes: 11,
            faults: [
                .slowNetwork, .powerLosses, .pauses, .clockJumps, .clockLeaps, .operators, .deafness,
                .intruder, .tornWrites, .fullDisks, .clockYears, .futureDating, .forgery,
            ],
            description: "a head was told whose signature came after the clock was put back"),
        Kept(
            seed: 9, nodes: 10,
            faults: [
                .slowNetwork, .partitions, .kills, .pauses, .badServices, .intruder, .fullDisks, .backups,
                .clockYears, .echoes, .forgery, .flooding,
            ],
            description: "a certificate from a year ahead was not replaced when the clock was put back"),
        Kept(
            seed: 41, nodes: 10,
            faults: [
                .oneWay, .kills, .powerLosses, .clockDrift, .clockLeaps, .clockYears, .echoes, .futureDating,
            ],
            description: "a clock that leapt ahead forgot an idempotency key, and its repeat was executed"),
        Kept(
            seed: 2, nodes: 7, domain: .present, faults: [],
            description: "two that paired before both enrolled did not learn that both were members"),
        Kept(
            seed: 6, nodes: 5, domain: .present, faults: [.intruder],
            description: "an intruder said a domain's tag again and was shown a credential"),
        Kept(
            seed: 12, nodes: 7, domain: .present,
            faults: [
                .oneWay, .flapping, .pauses, .clockDrift, .clockLeaps, .operators, .intruder, .insider,
                .tornWrites, .fullDisks, .returns, .clockYears, .equivocation, .longSleep,
            ],
            description: "a linked peer under a tag that nobody recognised was dialled ten times a second"),
        Kept(
            seed: 46, nodes: 5, domain: .present,
            faults: [
                .slowNetwork, .oneWay, .kills, .powerLosses, .clockDrift, .clockJumps, .deafness, .intruder,
                .insider, .tornWrites, .fullDisks, .backups, .clockYears, .forgery, .flooding, .longSleep,
            ],
            description: "a restored home was taken for a copy by a member that it met after the backup"),
        Kept(
            seed: 55, nodes: 8, domain: .present,
            faults: [
                .oneWay, .kills, .powerLosses, .pauses, .clockLeaps, .badServices, .intruder, .tornWrites,
                .fullDisks, .backups, .clockYears, .equivocation, .flooding, .longSleep,
            ],
            description: "a founder a year ahead signed what counted nowhere once its clock was right"),
        Kept(
            seed: 91, nodes: 10, domain: .present,
            faults: [
                .slowNetwork, .oneWay, .flapping, .kills, .pauses, .clockDrift, .clockLeaps, .badServices,
                .operators, .insider, .tornWrites, .returns, .clockYears, .echoes, .futureDating, .flooding,
            ],
            description: "a clock a year ahead forgot what a token had served, and it served anew"),
        Kept(
            seed: 39, nodes: 6, domain: .partners,
            faults: [
                .flapping, .kills, .clockLeaps, .badServices, .operators, .deafness, .intruder, .insider,
                .returns, .clockYears, .longSleep,
            ],
            description: "a decision about partners that was dated ahead reached no member"),
        Kept(
            seed: 356, nodes: 5, domain: .partners,
            faults: [
                .resets, .partitions, .oneWay, .powerLosses, .pauses, .clockJumps, .clockLeaps, .badServices,
                .operators, .deafness, .intruder, .returns,
            ],
            description: "a partner's bundle came before its decision, and again only with the next round"),
        Kept(
            seed: 737, nodes: 12, domain: .partners,
            faults: [
                .slowNetwork, .resets, .partitions, .flapping, .kills, .clockDrift, .clockJumps, .badServices,
                .deafness, .tornWrites, .returns, .echoes, .equivocation, .futureDating, .forgery,
                .issuerDeaths, .longSleep,
            ],
            description: "a decision about partners went to a member whose credential was over"),
        Kept(
            seed: 106, nodes: 5, domain: .present,
            faults: [
                .resets, .partitions, .flapping, .powerLosses, .pauses, .clockDrift, .clockLeaps, .operators,
                .insider, .tornWrites, .backups, .clockYears, .echoes, .equivocation, .futureDating, .forgery,
            ],
            description: "a member whose clock ran past its credential and came right refused members"),
        Kept(
            seed: 399, nodes: 6, domain: .partners,
            faults: [
                .resets, .partitions, .flapping, .pauses, .clockDrift, .clockJumps, .badServices, .insider,
                .tornWrites, .backups, .returns, .clockYears, .echoes, .equivocation, .futureDating,
                .longSleep,
            ],
            description: "a home older than its trust in who denied it was suspended for a copy"),
        Kept(
            seed: 304, nodes: 11, domain: .partners,
            faults: [
                .oneWay, .flapping, .kills, .powerLosses, .pauses, .badServices, .operators, .deafness,
                .intruder, .tornWrites, .backups, .returns, .futureDating,
            ],
            description: "trust stayed with the domain that a member had left for a partner's"),
        Kept(
            seed: 343, nodes: 4, domain: .partners,
            faults: [
                .slowNetwork, .partitions, .oneWay, .powerLosses, .clockLeaps, .badServices, .insider,
                .tornWrites, .clockYears, .echoes, .equivocation, .futureDating, .forgery, .flooding,
                .issuerDeaths, .longSleep,
            ],
            description: "power was lost between a decision and the bundle that it was about"),
        Kept(
            seed: 17, nodes: 12, domain: .partners,
            faults: [
                .resets, .flapping, .powerLosses, .clockDrift, .clockJumps, .clockLeaps, .operators,
                .tornWrites, .backups, .returns, .clockYears, .equivocation, .forgery, .issuerDeaths,
            ],
            description: "what a node believes was lost with a connection that another replaced"),
        Kept(
            seed: 58, nodes: 9, domain: .partners,
            faults: [
                .slowNetwork, .resets, .partitions, .flapping, .pauses, .clockDrift, .clockJumps,
                .fullDisks, .backups, .clockYears, .equivocation, .futureDating, .flooding,
            ],
            description: "a call was ordered in the turn that ended the domain agreement's ground"),
        Kept(
            seed: 832, nodes: 7, domain: .partners,
            faults: [
                .oneWay, .kills, .pauses, .clockLeaps, .badServices, .operators, .deafness, .intruder,
                .tornWrites, .fullDisks, .backups, .returns, .echoes, .equivocation, .futureDating, .forgery,
                .longSleep,
            ],
            description: "two that greeted each other were shown each agreement of domains twice"),
        Kept(
            seed: 842, nodes: 7,
            faults: [
                .slowNetwork, .resets, .partitions, .flapping, .pauses, .clockLeaps, .badServices, .operators,
                .intruder, .insider, .tornWrites, .fullDisks, .clockYears, .futureDating, .forgery, .flooding,
            ],
            description: "an approval that was not heard was said once more, which the quiet must allow"),
        Kept(
            seed: 22, nodes: 7, domain: .present, relays: .offered,
            faults: [
                .partitions, .kills, .powerLosses, .clockLeaps, .operators, .deafness, .insider, .returns,
                .clockYears, .equivocation, .forgery, .flooding, .issuerDeaths,
            ],
            description: "who had lost its store did not go on above the boot that its peers named"),
        Kept(
            seed: 185, nodes: 8,
            faults: [
                .slowNetwork, .partitions, .powerLosses, .clockLeaps, .badServices, .operators, .tornWrites,
                .fullDisks, .clockYears, .equivocation, .forgery, .longSleep,
            ],
            description: "a second head came over a link that had given way, where nothing is heard"),
        Kept(
            seed: 952, nodes: 7, domain: .partners,
            faults: [
                .partitions, .kills, .powerLosses, .badServices, .intruder, .tornWrites, .fullDisks, .backups,
                .echoes, .equivocation, .flooding, .issuerDeaths,
            ],
            description: "a member's credential of before, passed on by others, was answered each time"),
        Kept(
            seed: 976, nodes: 5, domain: .partners,
            faults: [
                .slowNetwork, .oneWay, .kills, .powerLosses, .pauses, .clockJumps, .operators, .deafness,
                .intruder, .tornWrites, .backups, .clockYears, .echoes, .equivocation, .forgery,
            ],
            description: "a credential brought what its domain had signed, which others are told of"),
    ]

    @Test(arguments: kept)
    func `holds now`(run: Kept) {
        var simulation = Simulation(
            SimulationPlan(
                nodes: run.nodes, seed: run.seed, duration: .seconds(run.seconds), faults: run.faults,
                domain: run.domain, relays: run.relays))
        let report = simulation.run()
        #expect(report.violations.isEmpty, "\(report.violations)\n\(report.replay)")
    }

    @Test func `a node's own service does the work of one key once`() {
        var simulation = Simulation(
            SimulationPlan(nodes: 2, seed: 3, duration: .seconds(60), faults: [], domain: .absent))
        #expect(simulation.run().statistics.ownRepeats == 0)
    }
}
