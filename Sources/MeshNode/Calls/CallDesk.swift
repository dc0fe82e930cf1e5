import MeshAgreements
import MeshAudit
import MeshBase
import MeshRouting

/// Every call's decisions, on both sides: may it leave, to whom, how often, until when; may it be served
/// (protocol section 8).
///
///     consumer   requested ──> weighed ──> attempting ──answer begins──> answering ──last frame──> closed
///                               │  ^ │         │  └──failed, and may be repeated──> weighed           ^
///                               │  │ └─link awaited──> waiting ──link up──> weighed                   │
///                               └──┴─refused, time over, cancelled────────────────────────────────────┘
///     provider   arrived ──> refused
///                    └─────> serving ──answer begins──> answering ──last frame, failure, time over──> closed
///
/// Where the operator said so, a second attempt may be out beside one that takes long
/// (`CallDesk+Hedging.swift`): the first that begins its answer answers the call, the other is given up.
///
/// Where an external policy is configured, a call is judged between `weighed` and `attempting`, a peer's
/// between `arrived` and `serving`: `CallDesk+Judging.swift`.
///
/// Every attempt and every service is admitted to the audit before anything leaves, and settled before its
/// end is let go; one event closes a call. What one input makes the audit write is one write, ordered first.
/// An attempt's alarm is its time-out; a call's own deadline bounds them all. A streamed body is decided
/// before it is read; the shells tell of it only what decides: that it cannot be sent again, that bytes move,
/// how much passed.
///
/// Callers owe it: the effects performed in order; each input told once; `nextDeadline` kept; the view as
/// `Node` publishes it. It runs inside a `Mutex`: nothing here waits.
public struct CallDesk: Sendable, Equatable {
    var view: CallView
    var routes: RouteBook
    var audit: AuditLog
    var generator: SeededGenerator
    var budget = RetryBudget()
    var keys = IdempotencyBook()
    /// Answers of peers that may be given again.
    public internal(set) var cache = ResponseCache()
    /// Answers that pass to an application, and are kept once they are whole.
    var keeping: [AttemptID: KeptAnswer] = [:]
    var memory = CorrelationMemory()
    /// What the external policy engine said and still counts.
    var external = ExternalPolicy()
    /// Since when the external policy engine gives no answer; nil: it does, or nobody asked it.
    public var policyOutage: ExternalOutage? { external.outage }
    /// How calls ended.
    public internal(set) var tally = CallTally()
    /// Peers' calls that wait for it.
    var judging: [InboundKey: JudgedService] = [:]
    /// What is used of agreements' limits.
    public internal(set) var meters = MeterBook()
    var calls: SerialTable<RequestID, OpenCall>
    var attempts: SerialTable<AttemptID, OpenAttempt>
    var services: SerialTable<InboundKey, OpenService>
    /// How many of these each partner has in hand, and waiting for the external policy.
    var servicesOfPartner = OrderedTable<Digest, Int>()
    /// How busy the resources of this node are; those that were used.
    var loads = OrderedTable<ResourceName, ServiceLoad>()
    /// For how long the shell is busy at a time, and when it said so.
    var shellBusy = ShellBusy()
    /// How often partners and principals called of late; nil while no rate is set.
    var rates: RateBook?
    /// Which peers sent of late what did not open; of peers that are trusted no more, none.
    var brokenSeals: [NodeID: TokenBucket] = [:]
    /// Calls that wait for a link, in the order in which they came.
    var waiting: [RequestID] = []
    /// Content ids as text, of agreements under which peers called of late.
    var agreementTexts = OrderedTable<Digest, String>()
    /// Node IDs as text, of peers that called.
    var nodeTexts = OrderedTable<NodeID, String>()
    /// Calls whose hedge time is over; empty between inputs.
    var hedgesDue: [RequestID] = []
    var isDraining = false
    var alarms: SerialDeadlines<Alarm>
    /// What the input in hand makes the audit write; empty between inputs.
    var unwritten: [AuditRecord] = []
    var unwrittenDurability = AuditDurability.written

    /// What the desk waits for.
    enum Alarm: Comparable, SerialKey {
        case call(RequestID)
        case service(InboundKey)
        case judgement(InboundKey)
        /// Something that is kept is over.
        case cache

        /// The key's, and what of it rings.
        var serial: UInt64 {
            switch self {
            case .call(let id): id.serial << 2
            case .service(let key): key.serial << 2 | 1
            case .judgement(let key): key.serial << 2 | 2
            case .cache: 3
            }
        }
    }

    /// - Parameters:
    ///   - view: what is known at start.
    ///   - generator: the desk's own.
    public init(view: CallView, audit: AuditConfiguration = AuditConfiguration(), generator: SeededGenerator)
    {
        var generator = generator
        self.view = view
        routes = RouteBook(generator: generator.split())
        rates = RateBook(view.configuration.rates)
        self.audit = AuditLog(node: view.me, configuration: audit, generator: generator.split())
        let spread = generator.next()
        calls = SerialTable(spread: spread)
        attempts = SerialTable(spread: spread)
        services = SerialTable(spread: spread)
        alarms = SerialDeadlines(SerialTable(spread: spread))
        self.generator = generator
        for (node, peer) in view.peers {
            routes.link(node, is: peer.link, through: peer.origin.relay, at: .zero)
        }
    }

    /// When `.timeReached` is due; nil when nothing is awaited.
    public var nextDeadline: Instant? {
        guard let audits = audit.nextDeadline else { return alarms.next }
        return alarms.next.map { min($0, audits) } ?? audits
    }

    /// Own calls under way, and peers' calls under way here.
    public var load: (calls: Int, services: Int) { (calls.count, services.count + judging.count) }

    /// Takes one input at `now`; what follows from it is posted to `effects`.
    public mutating func handle(_ input: CallInput, at now: Moment, into effects: inout Outbox<CallEffect>) {
        let ordered = effects.count
        // Before the alarms: one of them could order that the body be sent again.
        if case .bodyLeft(let id) = input { calls[id]?.isBodyKept = false }
        ring(at: now, into: &effects)
        take(input, at: now, into: &effects)
        sendHedges(at: now, into: &effects)
        wake(at: now, into: &effects)
        tellChanges(at: now, into: &effects)
        write(behindFirst: ordered, into: &effects)
    }

    private mutating func take(
        _ input: CallInput, at now: Moment, into effects: inout Outbox<CallEffect>
    ) {
        switch input {
        case .viewPublished(let view): publish(view, at: now, into: &effects)
        case .linkCameUp(let node, let relay):
            routes.link(node, is: .up, through: relay, at: now.instant)
        // One at rest is asked for anew, and not awaited.
        case .linkWentDown(let node) where routes.lines[node]?.link == .atRest: break
        case .linkWentDown(let node): routes.link(node, is: .dialling, at: now.instant)
        // Until it has ended it is what it was: none that is carried bears another.
        case .linkAtRest(let node):
            routes.link(node, is: .atRest, through: routes.lines[node]?.relay, at: now.instant)
        case .roomMeasured(let bytes): tell(.roomMeasured(bytes: bytes), at: now, into: &effects)
        case .shellBusy(let time): shellBusy = ShellBusy(time: time, told: now.instant)
        case .keysRestored(let entries): keys.restore(entries, at: now.instant)
        case .metersRestored(let records): meters.restore(records)
        case .meterKept(let record): meters.keep(record)
        case .draining: isDraining = true
        case .timeReached: break
        case .requested(let request): take(request, at: now, into: &effects)
        case .cancelled(let id): cancel(id, at: now, into: &effects)
        case .bodyLeft: break
        case .bytesMoved(let id):
            moved(id, at: now)
            noteUse(by: id, at: now, into: &effects)
        case .bodyEnded(let id, let body):
            calls[id]?.passed = body
            moved(id, at: now)
        case .attemptAnswered(let id, let status, let headers):
            answered(id, status: status, headers: headers, at: now, into: &effects)
        case .attemptRefused(let id, let refusals, let effect):
            refused(id, refusals, effect, at: now, into: &effects)
        case .attemptFailed(let id, let failure, let effect):
            failed(id, failure, effect, at: now, into: &effects)
        case .attemptEnded(let id, let body, let kept): ended(id, body, kept: kept, at: now, into: &effects)
        case .arrived(let inbound): receive(inbound, at: now, into: &effects)
        case .abandoned(let key):
            abandonJudged(key, at: now, into: &effects)
            abandon(key, at: now, into: &effects)
        case .judged(let ticket, let answer): judged(ticket, answer, at: now, into: &effects)
        case .serviceMoved(let key):
            serviceMoved(key, at: now)
            if let service = services[key] { noteUse(of: service.peer, at: now, into: &effects) }
        case .serviceBodyEnded(let key, let body):
            requestCame(key, body, at: now.instant)
            serviceMoved(key, at: now)
        case .resourceAnswered(.own(let id), let status, let headers):
            answered(id, status: status, headers: headers, at: now, into: &effects)
        case .resourceAnswered(.inbound(let key), let status, let headers):
            serviceAnswered(key, status: status, headers: headers, at: now, into: &effects)
        case .resourceFailed(.own(let id), let failure, let effect):
            refused(id, [resourceRefusal(failure)], effect, at: now, into: &effects)
        case .resourceFailed(.inbound(let key), let failure, let effect):
            serviceFailed(key, [resourceRefusal(failure)], effect, at: now, into: &effects)
        case .resourceEnded(.own(let id), let body, let kept):
            ended(id, body, kept: kept, at: now, into: &effects)
        case .resourceEnded(.inbound(let key), let body, let kept):
            serviceEnded(key, body, kept: kept, at: now, into: &effects)
        }
    }

    private func resourceRefusal(_ failure: ResourceFailure) -> Refusal {
        Refusal(failure.code, [Fact("resource", failure.rawValue)])
    }

    private mutating func publish(
        _ view: CallView, at now: Moment, into effects: inout Outbox<CallEffect>
    ) {
        let before = self.view
        if view.configuration.external != before.configuration.external { external.forgetAll() }
        self.view = view
        if view.routes != before.routes {
            routes.forgetPaces { resource in
                if case .percentile = view.rule(for: resource)?.hedge { true } else { false }
            }
        }
        followRates(since: before)
        forgetAnswers()
        cutOff(since: before, at: now, into: &effects)
        for (node, peer) in view.peers {
            routes.link(node, is: peer.link, through: peer.origin.relay, at: now.instant)
        }
        routes.forget { $0 == view.me || view.peers[$0] != nil }
        memory.forget { view.peers[$0] != nil }
        brokenSeals = brokenSeals.filter { view.peers[$0.key]?.trust == .trusted }
        if loads.count > view.resources.count + 1 { forgetLoads() }
        forgetMeters()
        if nodeTexts.count > view.peers.count + 1 { nodeTexts = OrderedTable() }
        agreementTexts = OrderedTable()
    }

    /// What is due, before the input is looked at: nothing outlives its deadline because an input came first.
    private mutating func ring(at now: Moment, into effects: inout Outbox<CallEffect>) {
        while let alarm = alarms.takeDue(at: now.instant) {
            switch alarm {
            case .call(let id): timeOut(id, at: now, into: &effects)
            case .service(let key): serviceTimedOut(key, at: now, into: &effects)
            case .cache: tidyCache(at: now)
            case .judgement(let key):
                external.note(.failed(.late), at: now.wall)
                settle(key, .failed(.late), at: now, into: &effects)
            }
        }
        if let due = audit.nextDeadline, due <= now.instant { tell(.alarmRang, at: now, into: &effects) }
    }

    /// Calls that wait for a link are weighed again when one moved.
    private mutating func wake(at now: Moment, into effects: inout Outbox<CallEffect>) {
        guard routes.takeLinksMoved(), !waiting.isEmpty else { return }
        let woken = waiting
        waiting = []
        for id in woken where calls[id] != nil { place(id, at: now, into: &effects) }
    }
}
