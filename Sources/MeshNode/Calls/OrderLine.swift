import MeshAgreements
import MeshAudit
import MeshBase
import MeshRouting

/// Keeps what the desk orders about one call in its order, while parts of it wait for the disk.
///
///     add ──> write, and keep meters, at once and in the order of the inputs
///         ──> perform, at once where nothing that concerns the call waits
///         ──> behind a gate: a sync of the records of its input, or a key or meter that is kept
///                            ──opened──> perform     ──failed, unwritten──> nothing of it
///
/// A shell may gather the records of several inputs into one write, a *turn*: from the first of them on it
/// holds back every other step, and carries them out in their order once the write is made.
///
/// Orders about different calls do not wait for one another. Without the line the next input's orders would
/// overtake those that wait: an answer would end before it began, and an attempt would leave after it was
/// given up. What is given up while it waits does not begin. A meter's records do not wait, or an older one
/// would come to the store behind a newer.
///
/// Callers owe it: the steps carried out in their order; `written` once the records of a turn are, and
/// `unwritten` in its place, and in place of the steps held back, where they could not be; then `opened` or
/// `failed` once for each gate that a step names, unless the record of the step was only to be written.
public struct OrderLine: Sendable, Equatable {
    /// What is awaited.
    public typealias Gate = UInt64

    /// What a shell does next.
    public enum Step: Sendable, Equatable {
        /// Append in one write. The gate opens when it is synced, where that is asked for.
        case write([AuditRecord], AuditDurability, Gate)
        /// Keep it, synced; the gate opens when it is.
        indirect case keep(Keepsake, Gate)
        /// Do it.
        case perform(CallEffect)
    }

    private enum Item: Sendable, Equatable {
        case effect(CallEffect)
        indirect case keep(Keepsake)
        case gate(Gate)
    }

    /// What waits, of each call; calls of which nothing waits are not here.
    private var queues: [CallSubject: [Item]] = [:]
    /// Gates that are closed, with the calls that wait for them in the order in which they came.
    private var waiting: [Gate: [CallSubject]] = [:]
    private var gatesMade: Gate = 0
    /// The calls of which something was made to wait in this turn; some more than once.
    private var turnSubjects: [CallSubject] = []
    /// How many of these came with inputs before the last.
    private var listed = 0
    private var firstGateOfTurn: Gate = 1

    public init() {}

    /// How many calls have something that waits.
    public var waitingCount: Int { queues.count }

    /// Takes what one input ordered.
    public mutating func add(_ effects: [CallEffect]) -> [Step] {
        listed = turnSubjects.count
        var steps: [Step] = []
        steps.reserveCapacity(effects.count)
        var gates: [Gate] = []
        var keepsakes: [Keepsake] = []
        for effect in effects {
            if case .record(let records, let durability) = effect {
                let gate = newGate()
                steps.append(.write(records, durability, gate))
                if durability == .synced { gates.append(gate) }
            } else if case .remember(let entry) = effect {
                keepsakes.append(.key(entry))
            } else if case .reserve(let reservation) = effect {
                let gate = newGate()
                steps.append(.keep(.meter(reservation.record), gate))
                if reservation.urgency == .awaited { gates.append(gate) }
            } else if let subject = effect.subject,
                !gates.isEmpty || !keepsakes.isEmpty || (!queues.isEmpty && queues[subject] != nil)
            {
                enqueue(effect, subject, behind: gates, &keepsakes)
            } else {
                steps.append(.perform(effect))
            }
        }
        for index in listed..<turnSubjects.count { walk(turnSubjects[index], into: &steps) }
        // What nothing else waits for.
        for keepsake in keepsakes { steps.append(.keep(keepsake, newGate())) }
        return steps
    }

    /// What the gate stood for is durable.
    public mutating func opened(_ gate: Gate) -> [Step] {
        var steps: [Step] = []
        for subject in waiting.removeValue(forKey: gate) ?? [] {
            let before = gatesMade
            walk(subject, into: &steps)
            if gatesMade > before { turnSubjects.append(subject) }
        }
        return steps
    }

    /// All records that were ordered so far are written: the turn is over.
    public mutating func written() {
        turnSubjects.removeAll(keepingCapacity: true)
        listed = 0
        firstGateOfTurn = gatesMade + 1
    }

    /// What the gate stood for is not durable, and will not be: what waited for it, which must not happen.
    public mutating func failed(_ gate: Gate) -> [CallEffect] {
        takeOut(waiting.removeValue(forKey: gate) ?? [])
    }

    /// The records of this turn could not be written: nothing happens of what was made to wait in it,
    /// whatever it waits for besides.
    public mutating func unwritten() -> [CallEffect] {
        for gate in firstGateOfTurn..<(gatesMade + 1) { waiting[gate] = nil }
        let given = takeOut(turnSubjects)
        written()
        return given
    }

    private mutating func takeOut(_ subjects: [CallSubject]) -> [CallEffect] {
        subjects.flatMap { subject in
            (queues.removeValue(forKey: subject) ?? []).compactMap { item in
                if case .effect(let effect) = item { effect } else { nil }
            }
        }
    }

    private mutating func newGate() -> Gate {
        gatesMade += 1
        return gatesMade
    }

    private mutating func enqueue(
        _ effect: CallEffect, _ subject: CallSubject, behind gates: [Gate],
        _ keepsakes: inout [Keepsake]
    ) {
        if !turnSubjects[listed...].contains(subject) { turnSubjects.append(subject) }
        for gate in gates where waiting[gate]?.contains(subject) != true {
            queues[subject, default: []].append(.gate(gate))
            waiting[gate, default: []].append(subject)
        }
        for keepsake in keepsakes { queues[subject, default: []].append(.keep(keepsake)) }
        keepsakes = []
        queues[subject]?.removeAll { item in
            if case .effect(let begun) = item { effect.givesUp(begun) } else { false }
        }
        queues[subject, default: []].append(.effect(effect))
    }

    /// Goes on with a call up to what still waits.
    private mutating func walk(_ subject: CallSubject, into steps: inout [Step]) {
        guard let items = queues.removeValue(forKey: subject) else { return }
        for (index, item) in items.enumerated() {
            switch item {
            case .effect(let effect): steps.append(.perform(effect))
            case .gate(let gate):
                guard waiting[gate] != nil else { continue }
                queues[subject] = Array(items[index...])
                return
            case .keep(let keepsake):
                let gate = newGate()
                steps.append(.keep(keepsake, gate))
                waiting[gate] = [subject]
                queues[subject] = [.gate(gate)] + items[(index + 1)...]
                return
            }
        }
    }
}

/// What the store keeps of calls, in place of what it kept before.
public enum Keepsake: Sendable, Equatable {
    /// An idempotency key.
    case key(IdempotencyBook.Entry)
    /// An agreement's meter; that it is kept is told to the desk by `CallInput.meterKept`.
    case meter(MeterRecord)
}

/// Which call an order concerns.
enum CallSubject: Hashable, Sendable {
    case request(RequestID)
    case inbound(InboundKey)
}

extension CallEffect {
    /// Whether this ends what `other` would begin.
    public func givesUp(_ other: CallEffect) -> Bool {
        switch (self, other) {
        case (.stop(let ended), .serve(let begun, _, _)): ended == begun
        case (.abandon(let ended), .send(let begun, _, _)): ended == begun
        default: false
        }
    }

    /// The call that this is about; nil where it is about none, or about whatever stands behind it.
    var subject: CallSubject? {
        switch self {
        case .record, .remember, .reserve, .breakerChanged, .linkWanted, .linkUsed: nil
        case .judge(let ticket, _, _): ticket.subject
        case .send(let attempt, _, _), .abandon(let attempt), .serve(.own(let attempt), _, _),
            .stop(.own(let attempt)):
            .request(attempt.request)
        case .answer(let attempt, _, _, _): .request(attempt.request)
        case .finish(let id), .answerAgain(let id, _, _), .refuse(let id, _, _),
            .breakOff(let id, _):
            .request(id)
        case .serve(.inbound(let key), _, _), .stop(.inbound(let key)), .respond(let key, _),
            .finishResponse(let key), .breakOffResponse(let key), .replay(let key, _):
            .inbound(key)
        }
    }
}
