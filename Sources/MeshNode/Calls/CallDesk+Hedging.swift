import MeshAudit
import MeshBase
import MeshRouting

/// A second attempt at a safe call whose first takes long (Dean and Barroso, "The Tail at Scale", 2013),
/// where the operator said so (`comity route --hedge`, decision 0038).
///
///     attempting ──hedge time over──> hedged ──one begins its answer──> answering, the other given up
///       ^     └──nobody else may be asked──> attempting   │
///       └──one fails, is late, or its agreement is cut────┘
///
/// Only a call of which the router picks the provider, whose capability is declared safe at both, without an
/// idempotency key, and whose body is none or here whole; only beside the first attempt, so at most once for
/// a call. It is a retry: it counts as an attempt, its agreement counts it, and the retry budget pays for it.
/// It goes only where both breakers are closed and no call was refused of late: a probe is not for who is to
/// be quick. Where an external policy is configured, that must have allowed that provider already.
///
/// What always holds: of two attempts that are out each is settled once in the audit, and told once to its
/// breakers; the application hears one answer. Who was outrun did not fail, and did not succeed: its breakers
/// hear only that it is over. That it took so long at least is learnt where that is longer than was known, or
/// a provider that has become slow would go on to look quick.
extension CallDesk {
    /// How long an attempt along `way` may stay without an answer before a second one is sent beside it; nil:
    /// none is, because the operator wants none, or too few answers are known.
    func hedgeDelay(of way: RouteBook.Way) -> Duration? {
        switch view.rule(for: way.resource)?.hedge {
        case nil: nil
        case .milliseconds(let milliseconds): .milliseconds(milliseconds)
        case .percentile(let percent):
            routes.ways[way]?.pace?.value(percent).map {
                max($0, .milliseconds(Limits.hedgeMilliseconds.lowerBound))
            }
        }
    }

    /// When a second attempt follows the first, which leaves now along `way`; nil: none does.
    func hedgeTime(
        of call: OpenCall, _ way: RouteBook.Way, among assessments: [Assessment], at now: Instant
    ) -> Instant? {
        guard view.rule(for: way.resource)?.hedge != nil, call.attemptCount == 0, call.isHedgeable,
            assessments.contains(where: { $0.node == way.node && $0.isSafe }),
            assessments.contains(where: { $0.node != way.node && mayHedge($0, at: now) }),
            let delay = hedgeDelay(of: way)
        else { return nil }
        return now + delay
    }

    private func mayHedge(_ other: Assessment, at now: Instant) -> Bool {
        other.isReady && other.isSafe && other.breaker == .closed && !other.hasTurnedAway
            && (other.isLocal || routes.lines[other.node]?.breaker.standing(at: now) == .closed)
    }

    /// The first attempts of these calls take long: another provider is asked beside each, if one may be.
    /// After the input in hand, which may be the answer.
    mutating func sendHedges(at now: Moment, into effects: inout Outbox<CallEffect>) {
        guard !hedgesDue.isEmpty else { return }
        let due = hedgesDue
        hedgesDue = []
        for id in due {
            guard let call = calls[id], call.attemptCount == 1, case .attempting(let first) = call.phase
            else { continue }
            launchHedge(call, beside: first, at: now, into: &effects)
            watch(id)
        }
    }

    private mutating func launchHedge(
        _ call: OpenCall, beside first: AttemptID, at now: Moment, into effects: inout Outbox<CallEffect>
    ) {
        var call = call
        call.reach = .others(orAgain: false)
        guard view.rule(for: call.request.resource)?.hedge != nil, !isDraining, audit.obstacle == nil,
            call.deadline - now.instant >= .milliseconds(1),
            case .allowed(let others) = weigh(call, at: now),
            let chosen = pick(others.filter { mayHedge($0, at: now.instant) }, for: call, at: now.instant)
        else { return }
        let judged: ExternalAnswer?
        switch judgement(of: chosen, for: call, at: now.instant) {
        case .notNeeded: judged = nil
        case .known(let answer): judged = answer
        case .needed: return
        }
        guard budget.withdraw(at: now.instant) else { return }
        launch(call.request.id, chosen, judged, among: others, beside: first, at: now, into: &effects)
    }

    /// Why there is a second attempt.
    func hedgeFacts(beside first: AttemptID, at now: Instant) -> [Fact] {
        guard let open = attempts[first] else { return [] }
        return [
            Fact("hedge of attempt", Int(first.number)),
            Fact("unanswered after ms", (now - open.began).wholeMilliseconds),
        ]
    }

    /// Another attempt of the same call was quicker.
    mutating func outrun(
        _ id: AttemptID, by winner: AttemptID, at now: Moment, into effects: inout Outbox<CallEffect>
    ) {
        guard let attempt = attempts[id] else { return }
        let taken = now.instant - attempt.began
        let isNews = routes.expects(attempt.way, within: taken, at: now.instant)
        let refusal = Refusal(
            .cancelled,
            [Fact("because", "another attempt answered first"), Fact("attempt", Int(winner.number))])
        giveUp(
            id, attempt, AuditOutcome(success: false, refusals: [refusal]), saying: "outrun",
            taken: isNews ? taken : nil, at: now, into: &effects)
        // A time that was not usual counts among them; of a usual one it is not known what it had become.
        guard let usual = hedgeDelay(of: attempt.way), taken >= usual else { return }
        notePace(attempt.way, taken)
    }

    /// How long an answer took to begin, for a percentile of them.
    mutating func notePace(_ way: RouteBook.Way, _ taken: Duration) {
        guard case .percentile = view.rule(for: way.resource)?.hedge else { return }
        routes.pace(way, taken)
    }

    /// One of two attempts is over without an answer: the call is the other's.
    mutating func rest(_ id: RequestID, on rival: AttemptID) {
        guard let attempt = attempts[rival] else { preconditionFailure("\(rival) is out, and is not known") }
        calls.update(id) { call in
            call.rests(on: attempt)
            call.phase = .attempting(rival)
        }
        watch(id)
    }

    /// Rings when the first of a call's attempts is to be given up, or a second one is due.
    mutating func watch(_ id: RequestID) {
        guard let call = calls[id] else { return }
        var due = call.hedgeDue ?? .never
        for id in call.underWay { due = min(due, attempts[id]?.timeout ?? due) }
        alarms.set(.call(id), at: due)
    }
}

extension OpenCall {
    /// Whether a second attempt at it may be out, by what the application asked for.
    fileprivate var isHedgeable: Bool {
        request.target == .any && request.idempotencyKey == nil && !request.body.isStreamed
            && !request.form.isWebSocket
    }
}

extension Assessment {
    /// Whether what would be used of the resource there is declared safe.
    fileprivate var isSafe: Bool { capability?.safety == .safe }
}
