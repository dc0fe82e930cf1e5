import MeshBase
import Testing

@testable import MeshSimulator

/// Each checker is seen to find what it looks for: the world lies, and somebody must notice.
@Suite struct CheckerTests {
    /// Which lie, what it breaks, and the run in which it does.
    struct Lie: Sendable, CustomStringConvertible {
        let tampering: Tampering
        let breaks: Invariant
        let faults: [Fault]
        var domain = DomainPresence.absent
        var links = LinkPresence.all
        var relays = RelayPresence.none
        var nodes = 4
        /// Where to begin: such a run is rare.
        var from: UInt64 = 1
        var description: String { tampering.rawValue }
    }

    static let lies = [
        Lie(tampering: .oneAgreementForgotten, breaks: .agreedAlike, faults: [.kills]),
        Lie(
            tampering: .revocationsForgotten, breaks: .revokedIsFinal, faults: [.kills, .operators],
            from: 16),
        Lie(tampering: .recordsForgotten, breaks: .nothingLost, faults: [.kills]),
        Lie(tampering: .keysForgotten, breaks: .executedOnce, faults: [.kills, .badServices], from: 5),
        Lie(tampering: .headsForgotten, breaks: .headsRise, faults: [.kills, .clockJumps]),
        Lie(tampering: .catalogUnkept, breaks: .nothingExpired, faults: []),
        Lie(tampering: .agreementsUnkept, breaks: .agreementHonoured, faults: []),
        Lie(tampering: .approvalsUnkept, breaks: .agreementHonoured, faults: []),
        Lie(tampering: .keptMixedUp, breaks: .memoryApart, faults: []),
        Lie(
            tampering: .relaysOpen, breaks: .carriedByRight, faults: [.operators, .partitions],
            relays: .offered, nodes: 7),
        Lie(tampering: .payloadsClear, breaks: .payloadSealed, faults: []),
        Lie(tampering: .invitesForgotten, breaks: .inviteServesOne, faults: [.kills], from: 16),
        Lie(tampering: .answersDoubled, breaks: .answeredOnce, faults: []),
        Lie(tampering: .headsMisdelivered, breaks: .audienceKept, faults: []),
        Lie(tampering: .neverHealed, breaks: .linksReturn, faults: [.partitions]),
        Lie(tampering: .neverHealed, breaks: .headsConverge, faults: [.partitions, .operators], from: 5),
        Lie(tampering: .bothKeysStolen, breaks: .linkProved, faults: [.intruder, .partitions, .kills]),
        Lie(tampering: .alarmsUnheard, breaks: .timeMoves, faults: []),
        Lie(tampering: .bootsForgotten, breaks: .bootsRise, faults: [.returns, .kills]),
        Lie(tampering: .closesIgnored, breaks: .cutAtOnce, faults: [.operators]),
        Lie(tampering: .contradictionsLost, breaks: .equivocationConvicts, faults: [.equivocation]),
        Lie(tampering: .metersForgotten, breaks: .quotaKept, faults: [.kills]),
        Lie(tampering: .cutsIgnored, breaks: .cutEnds, faults: [.operators, .badServices]),
        Lie(tampering: .listsForged, breaks: .quiet, faults: []),
        Lie(tampering: .greetingsForged, breaks: .quiet, faults: []),
        Lie(tampering: .enginesOverheard, breaks: .agreementHonoured, faults: [], from: 3),
        Lie(
            tampering: .tokenUsesForgotten, breaks: .tokenServesFew, faults: [.kills], domain: .present,
            nodes: 9),
        Lie(tampering: .credentialsUnkept, breaks: .audienceKept, faults: [], domain: .present),
        Lie(tampering: .credentialsUnkept, breaks: .agreementHonoured, faults: [], domain: .present),
        Lie(
            tampering: .seedsStolen, breaks: .credentialsGrounded, faults: [], domain: .present, nodes: 8),
        Lie(tampering: .daysUnseen, breaks: .credentialsEnd, faults: [.longSleep], domain: .present),
        Lie(tampering: .neverHealed, breaks: .membersConverge, faults: [.partitions], domain: .present),
        Lie(
            tampering: .decisionsUnkept, breaks: .partnersAsDecided, faults: [], domain: .partners, nodes: 6),
        Lie(
            tampering: .acceptancesUnkept, breaks: .agreementHonoured, faults: [], domain: .partners,
            nodes: 6),
        Lie(tampering: .rolesUntold, breaks: .partnersAsDecided, faults: [], domain: .partners, nodes: 6),
        Lie(tampering: .anchorsStolen, breaks: .bundlesRise, faults: [], domain: .partners, nodes: 6),
        Lie(
            tampering: .neverHealed, breaks: .partnersConverge, faults: [.partitions], domain: .partners,
            nodes: 6),
        Lie(
            tampering: .neverHealed, breaks: .meshHolds, faults: [.partitions], domain: .present, links: .few,
            nodes: 7),
        Lie(
            tampering: .drainsCut, breaks: .restLosesNothing, faults: [.badServices], domain: .present,
            links: .few, nodes: 8),
    ]

    @Test(arguments: lies)
    func `a checker finds`(lie: Lie) {
        for seed in lie.from..<lie.from + 30 {
            let plan = SimulationPlan(
                nodes: lie.nodes, seed: seed, duration: .seconds(120), faults: lie.faults,
                domain: lie.domain, links: lie.links, relays: lie.relays)
            var simulation = Simulation(plan, tampering: lie.tampering, seeking: lie.breaks)
            while !simulation.isOver {
                simulation.advance(by: .seconds(5))
                if !simulation.report.violations.isEmpty { return }
            }
        }
        Issue.record("nobody noticed \(lie) in thirty seeds")
    }
}
