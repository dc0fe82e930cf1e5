import MeshBase
import MeshControl
import MeshSimulator

/// The simulator behind `comity sim`: runs, says how far it is, prints what became of it.
enum SimulationProgram {
    /// Runs every plan, and prints the seed first and the digest last.
    /// - Throws: a refusal when a plan broke a rule; the line that replays it stands in it.
    static func run(_ plans: [SimulationPlan]) throws {
        var broken: [SimulationReport] = []
        for plan in plans {
            Terminal.out("seed    \(plan.seed)\n")
            let report = carryOut(plan)
            Terminal.out(text(of: report))
            if !report.violations.isEmpty { broken.append(report) }
        }
        guard let first = broken.first else { return }
        throw ControlFailure(
            .refused, code: "invariant-broken",
            message: "\(broken.count) of \(plans.count) seeds broke a rule",
            facts: [Fact("first seed", first.plan.seed)], next: first.replay)
    }

    private static func carryOut(_ plan: SimulationPlan) -> SimulationReport {
        var simulation = Simulation(plan)
        var told = SystemTime.now
        while !simulation.isOver {
            simulation.advance(by: .seconds(10))
            guard Terminal.isWatched, SystemTime.now - told > .seconds(1) else { continue }
            told = SystemTime.now
            let progress = simulation.progress
            let seconds = progress.simulated.wholeMilliseconds / 1_000
            Terminal.note("\r\(seconds) of \(progress.total.wholeMilliseconds / 1_000) simulated seconds ")
        }
        if Terminal.isWatched { Terminal.note("\r\u{1b}[K") }
        return simulation.report
    }

    private static func text(of report: SimulationReport) -> String {
        let plan = report.plan
        let counts = report.statistics
        let faults = plan.faults.isEmpty ? "none" : plan.faults.map(\.rawValue).joined(separator: " ")
        var lines = [
            "nodes   \(plan.nodes), \(counts.pairsTrusted) pairs trusted",
            "domain  \(plan.domain.rawValue), \(counts.members) members, \(counts.credentials) credentials",
            "faults  \(faults)",
            "events  \(counts.events), \(counts.messages) messages, \(counts.handshakes) handshakes",
            "calls   \(counts.calls): \(counts.answered) answered, \(counts.refused) refused, "
                + "\(counts.brokenOff) broken off, \(counts.lost) lost with their node",
            "ends    \(counts.kills) kills, \(counts.powerLosses) power losses, "
                + "\(counts.partitions) partitions, \(counts.circuits) links carried by others",
        ]
        lines += report.violations.map { "broken  \($0)" }
        return lines.joined(separator: "\n") + "\ndigest  \(report.digest)\n"
    }
}

/// A clock for saying how far a long run is.
private enum SystemTime {
    static var now: ContinuousClock.Instant { ContinuousClock.now }
}
