import MeshAgreements
import MeshAudit
import MeshBase
import MeshControl
import MeshNode

// What another policy would have meant.
extension ControlHandlers {
    func testPolicy(_ request: TestPolicy.Request) async throws(ControlFailure) -> ReplayReport {
        let since = try Self.beginning(secondsAgo: request.seconds)
        var query = AuditQuery(from: since)
        if let peer = request.peer { query.node = try await self.peer(peer) }
        let added = try await records(request.with)
        let withdrawn = try await records(request.without)
        let policy = await plane.report { writer in
            StandingPolicy(
                writer.node.callView(at: writer.now), adding: added.map(\.terms),
                withdrawing: withdrawn.map(\.contentID))
        }
        let now = SystemClock.now().wall
        var replay = try await replay(query) { past in
            (past.verdict, policy.verdict(on: past, at: now))
        }
        replay.leavesOutLimits = added.contains { $0.agreement.limits != nil }
        let after = (["what is agreed now"] + Self.names("with", added) + Self.names("without", withdrawn))
            .joined(separator: ", ")
        return await plane.report { [replay] writer in
            writer.report(of: replay, since: since, before: "what was decided then", after: after)
        }
    }

    func replayAgreements(_ request: ReplayAgreements.Request) async throws(ControlFailure) -> ReplayReport {
        let since = try Self.beginning(secondsAgo: request.seconds)
        let (first, second) = (try await record(request.first), try await record(request.second))
        guard first.peer == second.peer else {
            throw .usage(
                "two agreements with one peer can be replayed against its calls",
                [Fact("first with", first.peer), Fact("second with", second.peer)])
        }
        let (before, after) = (first.terms, second.terms)
        let resources = Set((first.agreement.grants + second.agreement.grants).map(\.resource))
        let networks = [first, second].contains { $0.agreement.conditions?.networks != nil }
        let query = AuditQuery(node: first.peer, from: since)
        var replay = try await replay(query, comparesNetworks: networks) { past in
            guard resources.contains(past.question.resource), first.isBetween(past) || second.isBetween(past)
            else { return nil }
            return (
                ReplayVerdict(PolicyEvaluator.decide(past.question, bySigned: before)),
                ReplayVerdict(PolicyEvaluator.decide(past.question, bySigned: after))
            )
        }
        replay.leavesOutLimits = [first, second].contains { $0.agreement.limits != nil }
        return await plane.report { [replay] writer in
            writer.report(
                of: replay, since: since, before: first.contentID.description,
                after: second.contentID.description)
        }
    }

    /// Decides every call that `query` finds twice; the newest first, so that what is left out is old.
    /// - Parameter decide: nil for a call to which it does not apply.
    private func replay(
        _ query: AuditQuery, comparesNetworks: Bool = false,
        _ decide: @Sendable (PastCall) -> (first: ReplayVerdict, second: ReplayVerdict)?
    ) async throws(ControlFailure) -> HistoryReplay {
        var history = HistoryReplay()
        var events = [AuditEventType.attempt, .service, .call].map { type in
            var query = query
            query.type = type
            query.limit = AuditQuery.limitMax
            return query
        }
        while let query = events.popLast() {
            let isWhole = try await trail.read(query) { entry in
                guard let past = PastCall(entry.event) else {
                    if entry.event.isUntold { history.unreadable += 1 }
                    return true
                }
                guard let (first, second) = decide(past) else { return true }
                guard past.hasLeft else {
                    history.kept.add(
                        past.question, correlation: past.correlation, first: first, second: second)
                    return true
                }
                history.replay.add(
                    past.question, correlation: past.correlation, first: first, second: second)
                if comparesNetworks, past.question.side == .consumer { history.unplaced += 1 }
                return true
            }
            if !isWhole { history.isTruncated = true }
        }
        return history
    }

    private func records(_ texts: [String]) async throws(ControlFailure) -> [AgreementRecord] {
        var records: [AgreementRecord] = []
        for text in texts { records.append(try await record(text)) }
        return records
    }

    private static func names(_ word: String, _ records: [AgreementRecord]) -> [String] {
        records.map { "\(word) \($0.contentID.description.prefix(12))" }
    }

    private static func beginning(secondsAgo seconds: Int64) throws(ControlFailure) -> WallTime {
        let longest = AgreementLimits.lifeMax.wholeMilliseconds / 1_000
        guard (1...longest).contains(seconds) else {
            throw .usage(
                "calls are replayed from between a second and ten years ago", [Fact("seconds", seconds)])
        }
        return SystemClock.now().wall - .seconds(seconds)
    }
}

/// A replay, and what of the history could not be part of it.
struct HistoryReplay: Sendable {
    var replay = PolicyReplay()
    /// Calls that this node refused before they left.
    var kept = PolicyReplay()
    /// Whether anything that is compared has limits.
    var leavesOutLimits = false
    var unreadable = 0
    var unplaced = 0
    var isTruncated = false
}

extension AgreementRecord {
    /// Whether the call went from its consumer to its provider.
    fileprivate func isBetween(_ past: PastCall) -> Bool {
        agreement.source == past.question.callee && agreement.target == past.question.caller
    }
}

extension AuditEvent {
    /// Whether it tells of calls between two nodes, refused or not, without what decided them.
    fileprivate var isUntold: Bool {
        switch type {
        case .attempt: source != target
        case .service: true
        // What closes a call is told by its attempts.
        case .call: refusals.contains { PolicyEvaluator.refuses(with: $0.code) } && correlation == nil
        case .trust, .link, .agreement, .breaker, .administration, .node: false
        }
    }
}
