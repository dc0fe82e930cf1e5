import MeshAgreements
import MeshBase
import MeshNode
import MeshRouting

/// Requests are answered once, retries are few, probes go alone, nothing is done late or twice.
struct CallCheck: Sendable {
    /// How a request ended.
    enum Ending: String, Sendable { case answered, refused, brokenOff }

    struct Request: Sendable {
        let request: LocalRequest
        /// When it must be over, or have moved again.
        var deadline: Instant
        /// Once the answer has begun.
        var correlation: CorrelationID?
        var isLeft = false

        init(_ request: LocalRequest, at began: Instant) {
            self.request = request
            deadline = began + (request.deadline ?? Limits.callDeadline)
        }

        /// Bytes moved: only a request without a deadline of its own lives longer by it.
        mutating func move(at now: Instant) {
            guard request.deadline == nil, case .mesh = request.form else { return }
            deadline = now + Limits.streamIdle
        }
    }

    /// What was counted of one run of an agent.
    struct RunCount: Sendable {
        let run: RunID
        var open = OrderedTable<RequestID, Request>()
        var calls: Int64 = 0
        var retries: Int64 = 0
        /// Breakers that are not closed, by what the run told.
        var halfOpen: Set<Way> = []
        var probes: [Way: AttemptID] = [:]
        var ways: [AttemptID: [Way]] = [:]
        /// When each peer's call must be over.
        var inbound: [InboundKey: Instant] = [:]
        /// What the host's policy engine allowed and was not used yet.
        var permits: [Permit: Int] = [:]
    }

    /// A resource at a node, or the link to it.
    struct Way: Hashable, Sendable {
        let node: NodeID
        let resource: ResourceName?
    }

    /// A call on one side of it.
    struct Permit: Hashable, Sendable {
        let correlation: CorrelationID
        let side: PolicyQuestion.Side
    }

    private struct Work: Hashable, Sendable {
        let host: Int
        let work: IdempotentWork
    }

    private var runs = OrderedTable<Int, RunCount>()
    private var done: Set<Work> = []

    mutating func begin(_ run: RunID) { runs[run.host] = RunCount(run: run) }

    mutating func end(_ run: RunID) -> Int {
        guard let count = runs.remove(run.host) else { return 0 }
        return count.open.values.filter { !$0.isLeft }.count
    }

    mutating func asked(_ request: LocalRequest, of run: RunID, at now: Instant) {
        runs.update(run.host) { count in
            count.calls += 1
            count.open[request.id] = Request(request, at: now)
        }
    }

    /// The application goes away; false when it was answered before.
    mutating func left(_ id: RequestID, of run: RunID) -> Bool {
        runs.update(run.host) { count in count.open.update(id) { $0.isLeft = true } != nil } ?? false
    }

    mutating func moved(_ id: RequestID, of run: RunID, at now: Instant) {
        runs.update(run.host) { count in _ = count.open.update(id) { $0.move(at: now) } }
    }

    mutating func answerBegan(
        _ id: RequestID, _ correlation: CorrelationID, of run: RunID, at now: Instant
    ) -> String? {
        guard let known = runs[run.host]?.open[id] else {
            return "request \(id.number) is answered after its end"
        }
        guard known.correlation == nil else { return "request \(id.number) is answered twice" }
        runs.update(run.host) { count in
            _ = count.open.update(id) { request in
                request.correlation = correlation
                request.move(at: now)
            }
        }
        return nil
    }

    mutating func answerEnded(_ id: RequestID, of run: RunID, as ending: Ending) -> String? {
        guard let known = runs.update(run.host, { $0.open.remove(id) }) ?? nil else {
            return "request \(id.number) ends twice, now \(ending.rawValue)"
        }
        guard (known.correlation == nil) == (ending == .refused) else {
            return "request \(id.number) is \(ending.rawValue), begun: \(known.correlation != nil)"
        }
        return nil
    }

    func request(_ id: RequestID, of run: RunID) -> Request? { runs[run.host]?.open[id] }

    /// Requests that should have been answered by `now`.
    func overdue(at now: Instant, patience: Duration) -> [String] {
        runs.values.flatMap { count in
            count.open.values.filter { !$0.isLeft && $0.deadline + patience < now }
                .map {
                    "host \(count.run.host): request \($0.request.id.number) is unanswered"
                }
        }
    }

    // MARK: Attempts

    /// An attempt leaves. Answers what that breaks.
    mutating func left(
        _ attempt: AttemptID, along ways: [Way], of run: RunID, upFor elapsed: Duration
    ) -> [(Invariant, String)] {
        runs.update(run.host) { count in
            var found: [(Invariant, String)] = []
            count.ways[attempt] = ways
            for way in ways where count.halfOpen.contains(way) {
                if let other = count.probes[way] {
                    found.append(
                        (.oneProbe, "host \(run.host): \(attempt) beside \(other) to \(way.node.brief)"))
                }
                count.probes[way] = attempt
            }
            guard attempt.number > 1 else { return found }
            count.retries += 1
            let most = RetryBudget.kept + count.calls / 10 + elapsed.wholeMilliseconds / 1_000 + 1
            if count.retries > most {
                found.append(
                    (.retryBudget, "host \(run.host): \(count.retries) retries of \(count.calls) calls"))
            }
            return found
        } ?? []
    }

    /// An attempt has answered, or is over: its probe's place is free.
    mutating func settled(_ attempt: AttemptID, of run: RunID) {
        runs.update(run.host) { count in
            for way in count.ways.removeValue(forKey: attempt) ?? [] where count.probes[way] == attempt {
                count.probes[way] = nil
            }
        }
    }

    /// A breaker changed; who was a probe before is none any more.
    mutating func breakerChanged(_ way: Way, to word: String, of run: RunID) {
        runs.update(run.host) { count in
            if word == "half-open" { count.halfOpen.insert(way) } else { count.halfOpen.remove(way) }
            count.probes[way] = nil
        }
    }

    // MARK: Policy engines

    /// An engine allows a call, once.
    mutating func permitted(
        _ correlation: CorrelationID, _ side: PolicyQuestion.Side, of run: RunID
    ) {
        runs.update(run.host) { $0.permits[Permit(correlation: correlation, side: side), default: 0] += 1 }
    }

    /// Uses up what an engine allowed; false where there is nothing of it.
    mutating func takePermit(
        _ correlation: CorrelationID, _ side: PolicyQuestion.Side, of run: RunID
    ) -> Bool {
        let permit = Permit(correlation: correlation, side: side)
        return runs.update(run.host) { count in
            guard let left = count.permits[permit] else { return false }
            count.permits[permit] = left > 1 ? left - 1 : nil
            return true
        } ?? false
    }

    // MARK: Services

    mutating func arrived(_ inbound: InboundInvocation, of run: RunID, at now: Instant) {
        let left = Duration.milliseconds(Int64(inbound.invocation.remainingMilliseconds))
        runs.update(run.host) { $0.inbound[inbound.key] = now + left }
    }

    func deadline(of key: InboundKey, run: RunID) -> Instant? { runs[run.host]?.inbound[key] }

    /// A host has lost its memory, and with it which keys it has seen.
    mutating func forget(_ host: Int) { done = done.filter { $0.host != host } }

    /// So much time has passed that nobody has to remember a key.
    mutating func forgetWork() { done = [] }

    /// A service does keyed work. Answers what it did twice.
    mutating func executed(_ work: IdempotentWork, at host: Int) -> String? {
        guard done.insert(Work(host: host, work: work)).inserted else {
            return "\(work.key) of \(work.caller.brief) twice"
        }
        return nil
    }
}
