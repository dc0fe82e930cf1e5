import MeshAudit
import MeshBase
import MeshRouting

@testable import MeshNode

/// Holds every effect against the rules of protocol sections 8 and 9.
struct Ledger {
    private(set) var problems: [String] = []
    private(set) var events: [AuditEvent] = []
    private(set) var settlements: [CorrelationID: AuditSettlement] = [:]
    private(set) var answered: [RequestID: Int] = [:]
    private(set) var finished: [RequestID: Int] = [:]
    private(set) var responded: [InboundKey: Int] = [:]
    private var admitted: [CorrelationID: AuditEvent] = [:]
    /// Attempts and services that were admitted and have not begun.
    private var ready: Set<String> = []
    /// Idempotency keys that are remembered, and how often each was executed.
    private var begun: [String: Int] = [:]

    mutating func take(_ effects: [CallEffect]) {
        for effect in effects {
            switch effect {
            case .record(let records, let durability): for record in records { take(record, durability) }
            case .send(_, _, let invocation): begin(invocation, effect)
            case .serve(_, _, let invocation):
                executed(invocation)
                begin(invocation, effect)
            case .answer(let attempt, _, _, _): answered[attempt.request, default: 0] += 1
            case .refuse(let id, _, _):
                answered[id, default: 0] += 1
                finished[id, default: 0] += 1
            case .answerAgain(let id, _, _):
                answered[id, default: 0] += 1
                finished[id, default: 0] += 1
            case .finish(let id), .breakOff(let id, _): finished[id, default: 0] += 1
            case .respond(let key, _), .replay(let key, _): responded[key, default: 0] += 1
            case .remember(let entry):
                let isWithdrawn = entry.until.milliseconds == 0
                begun["\(entry.key.caller)/\(entry.key.key)"] =
                    isWithdrawn ? nil : begun["\(entry.key.caller)/\(entry.key.key)"] ?? 0
            case .reserve, .breakerChanged, .linkWanted, .linkUsed, .judge, .abandon, .stop, .finishResponse,
                .breakOffResponse:
                break
            }
        }
    }

    private mutating func begin(_ invocation: Invocation, _ effect: CallEffect) {
        guard ready.remove("\(invocation.correlation) \(invocation.attempt)") == nil else { return }
        problems.append("\(effect) without its admission before it")
    }

    private func name(_ event: AuditEvent) -> String {
        "\(event.correlation.map { "\($0)" } ?? "") \(event.attempt)"
    }

    /// No key is executed twice, and none before it is remembered.
    private mutating func executed(_ invocation: Invocation) {
        guard let key = invocation.idempotencyKey, invocation.capability.description != "list" else { return }
        let caller = invocation.headers.first { $0.name == "comity-caller" }?.value ?? ""
        guard let count = begun["\(caller)/\(key)"] else {
            problems.append("key \(key) executed before it was remembered")
            return
        }
        if count > 0 { problems.append("key \(key) executed twice") }
        begun["\(caller)/\(key)"] = count + 1
    }

    private mutating func take(_ record: AuditRecord, _ durability: AuditDurability) {
        switch record {
        case .admitted(let event):
            if admitted[event.id] != nil { problems.append("\(event.id) admitted twice") }
            let isTwin = admitted.values.contains {
                $0.correlation == event.correlation && $0.attempt == event.attempt && $0.type == event.type
                    && $0.source == event.source
            }
            if isTwin {
                problems.append("two events for \(String(describing: event.correlation)) \(event.attempt)")
            }
            admitted[event.id] = event
            ready.insert(name(event))
        case .settled(let settlement):
            if admitted[settlement.id] == nil {
                problems.append("\(settlement.id) settled before it was admitted")
            }
            if settlements[settlement.id] != nil { problems.append("\(settlement.id) settled twice") }
            settlements[settlement.id] = settlement
            if let event = admitted[settlement.id] { ready.remove(name(event)) }
            let capability = admitted[settlement.id]?.capability?.description
            if ["buy", "put"].contains(capability), durability != .synced {
                problems.append("a mutating call not synced")
            }
        case .event(let event): events.append(event)
        }
    }

    /// Admitted events that were never settled.
    var open: [CorrelationID] { admitted.keys.filter { settlements[$0] == nil } }
    /// Every admitted event.
    var attempts: [AuditEvent] { Array(admitted.values) }
}
