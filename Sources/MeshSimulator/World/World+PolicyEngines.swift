import MeshAgreements
import MeshBase
import MeshNode

/// Policy engines beside some hosts of every third seed: they say yes, now and then no, and are silent, slow
/// or mute at times.
extension World {
    /// What a host's desk is told to ask; nil: no engine stands there. The same after each start.
    func engineRules(of host: Int) -> ExternalPolicyRules? {
        guard plan.seed.isMultiple(of: 3) else { return nil }
        var generator = SeededGenerator(seed: plan.seed ^ 0x656e_6769_6e65 ^ UInt64(host) << 48)
        guard generator.number(below: 3) == 0 else { return nil }
        return ExternalPolicyRules(
            asksAsConsumer: generator.number(below: 4) != 0, asksAsProvider: generator.number(below: 4) != 0,
            patience: .milliseconds(500))
    }

    /// An engine is asked: it answers later, or never.
    mutating func judge(
        _ ticket: ExternalTicket, _ question: ExternalQuestion, _ correlation: CorrelationID, _ run: RunID
    ) {
        let answer: ExternalAnswer
        switch engineChance.number(below: 40) {
        case 0: return
        case 1: answer = .failed(.undefined)
        case 2: answer = .failed(.unreachable)
        case 3...5: answer = .denied(decision: "no", reasons: ["not today"])
        default: answer = .allowed(decision: "yes")
        }
        let delay = engineChance.duration(from: .milliseconds(1), through: .milliseconds(30))
        let isSlow = engineChance.number(below: 50) == 0
        if case .allowed = answer { checks.calls.permitted(correlation, question.side, of: run) }
        let told = tampering == .enginesOverheard ? .allowed(decision: "yes") : answer
        schedule(.call(run, .judged(ticket, told)), after: isSlow ? .milliseconds(700) : delay)
    }

    /// A call goes on: where an engine is asked about such, it has said yes, once for each time.
    mutating func checkEngine(_ correlation: CorrelationID, _ side: PolicyQuestion.Side, of run: RunID) {
        guard let rules = engineRules(of: run.host),
            side == .consumer ? rules.asksAsConsumer : rules.asksAsProvider,
            !checks.calls.takePermit(correlation, side, of: run)
        else { return }
        breach(
            .agreementHonoured,
            "host \(run.host) goes on with \(correlation) as \(side.rawValue) without its engine's yes")
    }
}
