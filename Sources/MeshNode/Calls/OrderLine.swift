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
/// Orders about different calls do not wait for one another. Without the line the next input's orders would
/// overtake those that wait: an answer would end before it began, and an attempt would leave after it was
/// given up. What is given up while it waits does not begin. A meter's records do not wait, or an older one
/// would come to the store behind a newer.
///
/// Callers owe it: the steps carried out in their order, before the next input; `opened` or `failed` once for
/// each gate that a step names, unless the record of the step was only to be written and was; `unwritten` at
/// once, in place of the steps that follow, where a record could not even be written.
public struct OrderLine: Sendable, Equatable {
    /// What is awaited.
    public typealias Gate = UInt64

    /// What a shell does next.
    public enum Step: Sendable, Equatable {
        /// Append in one write. The gate opens when it is synced, where that is asked for.
        case write([AuditRecord], AuditDurability, Gate)
        /// Keep it, synced; the gate opens when it is.
        case keep(Keepsake, Gate)
        /// Do it.
        case perform(CallEffect)
    }

    private enum Item: Sendable, Equatable {
        case effect(CallEffect)
        case keep(Keepsake)
        case gate(Gate)
    }

    /// What waits, of each call; calls of which nothing waits are not here.
    private var queues: [CallSubject: [Item]] = [:]
    /// Gates that are closed, with the calls that wait for them in the order in which they came.
    private var waiting: [Gate: [CallSubject]] = [:]
    private var gatesMade: Gate = 0
    /// The calls of the last input that was added, as far as something of them waits.
    private var lastSubjects: [CallSubject] = []
    private var firstGateOfLast: Gate = 0

    public init() {}

    /// How many calls have something that waits.
    public var waitingCount: Int { queues.count }

    /// Takes what one input ordered.
    public mutating func add(_ effects: [CallEffect]) -> [Step] {
        lastSubjects = []
        firstGateOfLast = gatesMade + 1
        var steps: [Step] = []
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
        for subject in lastSubjects { walk(subject, into: &steps) }
        // What nothing else waits for.
        for keepsake in keepsakes { steps.append(.keep(keepsake, newGate())) }
        return steps
    }

    /// What the gate stood for is durable.
    public mutating func opened(_ gate: Gate) -> [Step] {
        var steps: [Step] = []
        for subject in waiting.removeValue(forKey: gate) ?? [] { walk(subject, into: &steps) }
        return steps
    }

    /// What the gate stood for is not durable, and will not be: what waited for it, which must not happen.
    public mutating func failed(_ gate: Gate) -> [CallEffect] {
        takeOut(waiting.removeValue(forKey: gate) ?? [])
    }

    /// A record of the last input could not be written: nothing of that input happens, whatever it waits for
    /// besides.
    public mutating func unwritten() -> [CallEffect] {
        // Nothing was added or opened since: all these gates are the last input's.
        for gate in firstGateOfLast..<(gatesMade + 1) { waiting[gate] = nil }
        return takeOut(lastSubjects)
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
        if !lastSubjects.contains(subject) { lastSubjects.append(subject) }
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
    fileprivate func givesUp(_ other: CallEffect) -> Bool {
        switch (self, other) {
        case (.stop(let ended), .serve(let begun, _, _)): ended == begun
        case (.abandon(let ended), .send(let begun, _, _)): ended == begun
        default: false
        }
    }

    /// The call that this is about; nil where it is about none, or about whatever stands behind it.
    var subject: CallSubject? {
        switch self {
        case .record, .remember, .reserve, .breakerChanged: nil
        case .judge(let ticket, _, _): ticket.subject
        case .send(let attempt, _, _), .abandon(let attempt), .serve(.own(let attempt), _, _),
            .stop(.own(let attempt)):
            .request(attempt.request)
        case .answer(let id, _, _, _), .finish(let id), .answerAgain(let id, _, _), .refuse(let id, _, _),
            .breakOff(let id, _):
            .request(id)
        case .serve(.inbound(let key), _, _), .stop(.inbound(let key)), .respond(let key, _),
            .finishResponse(let key), .breakOffResponse(let key), .replay(let key, _):
            .inbound(key)
        }
    }
}
