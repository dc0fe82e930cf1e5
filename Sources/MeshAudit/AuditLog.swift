import MeshBase

/// What must be remembered, in what order (protocol section 9).
///
///     call:     draft --admit--> under way --callEnded--> settled
///                 \--no room--> refused (audit-unavailable; counted, and told when there is room again)
///     refusal:  draft --refused--> an event, or counted into one for the minute, or only counted
///     link up, link down, told by a peer:  as a refusal, in a share of its own
///     other:    draft --happened--> an event
///
/// A call has two records that are its one event: *admitted* before its first byte goes on, *settled* before
/// the last frame of its answer is let go. Room for both is promised at admission, and no call begins without
/// it: what cannot be remembered is not done. At start, calls that were admitted and never settled are
/// settled as `outcome-unknown`, and own calls that no event closes are closed so.
///
/// Callers owe: the effects of one input are carried out before anything that the same turn orders after
/// them; `roomMeasured` at start, and about once a second; an `alarmRang` at `nextDeadline`.
public struct AuditLog: Sendable, Equatable {
    private struct OpenCall: Sendable, Equatable {
        let began: Instant
        let durability: AuditDurability
    }

    private let node: NodeID
    private let configuration: AuditConfiguration
    private var generator: SeededGenerator
    private var open = OrderedTable<CorrelationID, OpenCall>()
    private var room = AuditRoom()
    private var ledger: RefusalLedger
    private var share: RefusalShare
    /// Of what peers bring about at will: strangers who are refused must not crowd it out.
    private var peersShare: RefusalShare
    /// Refusals and the like that were not kept as events, and when that is told.
    private var unkept = 0
    private var unkeptDeadline: Instant?
    /// Calls that did not begin because the audit had no room.
    private var unadmitted = 0

    /// - Parameters:
    ///   - node: this node.
    ///   - generator: this log's own; it makes event ids.
    public init(
        node: NodeID, configuration: AuditConfiguration = AuditConfiguration(), generator: SeededGenerator
    ) {
        let problems = configuration.problems()
        precondition(problems.isEmpty, "\(problems)")
        self.node = node
        self.configuration = configuration
        self.generator = generator
        ledger = RefusalLedger(limit: configuration.refusalsPerMinute, capacity: configuration.refusalWindows)
        share = RefusalShare(storeBytes: configuration.storeBytes, retention: configuration.retention)
        peersShare = share
    }

    /// When `alarmRang` is due; nil when never.
    public var nextDeadline: Instant? {
        guard let counted = ledger.nextDeadline, let unkept = unkeptDeadline else {
            return ledger.nextDeadline ?? unkeptDeadline
        }
        return min(counted, unkept)
    }

    /// How many calls are under way.
    public var openCallCount: Int { open.count }

    /// Why no call may begin now; nil when one may.
    public var obstacle: Refusal? {
        guard room.available < needed || open.count >= configuration.openCalls else { return nil }
        return Refusal(
            .auditUnavailable,
            [
                Fact("room in bytes", max(0, room.available)), Fact("needed", needed),
                Fact("calls under way", open.count), Fact("calls at most", configuration.openCalls),
            ])
    }

    /// Room for both records of one call.
    private var needed: Int64 { 2 * configuration.recordBytesMax }

    /// Whether a call may begin, and its *admitted* record when it may.
    /// - Parameters:
    ///   - event: the call, without id and time; `success` and what an end would tell are ignored.
    ///   - durability: what its *settled* record must survive: `synced` for a call that may change something.
    public mutating func admit(
        _ event: consuming AuditEvent, settling durability: AuditDurability, at now: Moment,
        into effects: inout Outbox<AuditEffect>
    ) -> AuditAdmission {
        if let refusal = obstacle {
            unadmitted += 1
            return .refused(refusal)
        }
        let id = newID(at: now)
        event.id = id
        event.time = now.wall
        event.success = false
        event.refusals = []
        room.reserve(needed)
        open[id] = OpenCall(began: now.instant, durability: durability)
        effects.post(.write([.admitted(event)], .written))
        return .admitted(id)
    }

    /// Takes one input.
    public mutating func handle(_ input: AuditInput, at now: Moment, into effects: inout Outbox<AuditEffect>)
    {
        switch input {
        case .callEnded(let id, let outcome): settle(id, outcome, at: now, into: &effects)
        case .happened(let event): note(event, at: now, into: &effects)
        case .refused(let event): refuse(event, at: now, into: &effects)
        case .roomMeasured(let bytes): measure(bytes, at: now, into: &effects)
        case .foundUnfinished(let calls): recover(calls, at: now, into: &effects)
        case .alarmRang: ring(at: now, into: &effects)
        }
    }

    private mutating func settle(
        _ id: CorrelationID, _ outcome: AuditOutcome, at now: Moment, into effects: inout Outbox<AuditEffect>
    ) {
        guard let call = open.remove(id) else { return }
        room.release(2 * configuration.recordBytesMax)
        room.wrote(2 * configuration.recordBytesTypical)
        let settlement = AuditSettlement(
            id: id, time: now.wall, success: outcome.success, refusals: outcome.refusals,
            durationInMilliseconds: max(0, (now.instant - call.began).wholeMilliseconds),
            answerDigest: outcome.answerDigest, answerLength: outcome.answerLength, status: outcome.status,
            request: outcome.request)
        effects.post(.write([.settled(settlement)], call.durability))
    }

    private mutating func refuse(_ event: AuditEvent, at now: Moment, into effects: inout Outbox<AuditEffect>)
    {
        guard let code = event.refusals.first?.code else {
            preconditionFailure("a refusal without a reason: \(event.action)")
        }
        count(event, as: code.rawValue, at: now, into: &effects)
    }

    /// A trusted peer that connects and goes in a loop must not push out what happened either.
    ///
    /// As `.happened`, for whoever does not keep the event.
    public mutating func note(
        _ event: consuming AuditEvent, at now: Moment, into effects: inout Outbox<AuditEffect>
    ) {
        guard event.type == .link || event.source != node else {
            return write(event, at: now, .written, into: &effects)
        }
        count(event, as: event.action, at: now, into: &effects)
    }

    private mutating func count(
        _ event: AuditEvent, as kind: String, at now: Moment, into effects: inout Outbox<AuditEffect>
    ) {
        let peer = event.source == node ? event.target : event.source
        for kept in ledger.take(event, of: peer, kind: kind, at: now) { keep(kept, at: now, into: &effects) }
    }

    /// Writes one of many, or the summary of many, when the store has room and its kind has a share of that
    /// left.
    private mutating func keep(_ event: AuditEvent, at now: Moment, into effects: inout Outbox<AuditEffect>) {
        let hasRoom = room.available >= configuration.recordBytesMax
        let bytes = configuration.recordBytesTypical
        let hasShare =
            hasRoom
            && (event.success
                ? peersShare.take(bytes, at: now.instant) : share.take(bytes, at: now.instant))
        guard hasShare else {
            unkept += 1
            unkeptDeadline = unkeptDeadline ?? now.instant + .seconds(600)
            return
        }
        write(event, at: now, .written, into: &effects)
    }

    private mutating func measure(_ bytes: Int64, at now: Moment, into effects: inout Outbox<AuditEffect>) {
        room.measure(bytes)
        guard unadmitted > 0, room.available >= 2 * configuration.recordBytesMax else { return }
        tell(
            "audit had no room", .auditUnavailable, [Fact("calls refused", unadmitted)], at: now,
            into: &effects)
        unadmitted = 0
    }

    private mutating func recover(
        _ found: UnfinishedCalls, at now: Moment, into effects: inout Outbox<AuditEffect>
    ) {
        guard !found.isEmpty else { return }
        let reason = Refusal(.outcomeUnknown, [Fact("reason", "the agent ended before the call did")])
        var records = found.underWay.map { event in
            AuditRecord.settled(
                AuditSettlement(
                    id: event.id, time: now.wall, success: false, refusals: [reason],
                    durationInMilliseconds: max(0, (now.wall - event.time).wholeMilliseconds)))
        }
        for attempt in found.unclosed {
            room.wrote(configuration.recordBytesTypical)
            var closing = AuditEvent(closing: attempt, because: reason, at: now.wall)
            closing.id = newID(at: now)
            closing.time = now.wall
            records.append(.event(closing))
        }
        // Whatever a loss of power leaves of this write, the next start finds the rest unfinished still.
        for write in AuditEffect.writes(of: records, .synced) { effects.post(write) }
        let facts = [
            Fact("calls settled as outcome-unknown", found.underWay.count),
            Fact("calls closed", found.unclosed.count),
        ]
        tell("recovered", .outcomeUnknown, facts, at: now, into: &effects)
    }

    private mutating func ring(at now: Moment, into effects: inout Outbox<AuditEffect>) {
        for summary in ledger.takeDue(at: now) { keep(summary, at: now, into: &effects) }
        guard let deadline = unkeptDeadline, deadline <= now.instant else { return }
        tell("events not kept", .limitReached, [Fact("events", unkept)], at: now, into: &effects)
        unkept = 0
        unkeptDeadline = nil
    }

    /// An event about this node itself.
    private mutating func tell(
        _ action: String, _ code: RefusalCode, _ facts: [Fact], at now: Moment,
        into effects: inout Outbox<AuditEffect>
    ) {
        let event = AuditEvent(
            type: .node, source: node, target: node, action: action, success: false,
            refusals: [Refusal(code)], metadata: facts)
        write(event, at: now, .written, into: &effects)
    }

    /// Writes an event of its own, which gets its id and its time here.
    private mutating func write(
        _ event: consuming AuditEvent, at now: Moment, _ durability: AuditDurability,
        into effects: inout Outbox<AuditEffect>
    ) {
        event.id = newID(at: now)
        event.time = now.wall
        room.wrote(configuration.recordBytesTypical)
        effects.post(.write([.event(event)], durability))
    }

    private mutating func newID(at now: Moment) -> CorrelationID {
        CorrelationID(at: now.wall, using: &generator)
    }
}
