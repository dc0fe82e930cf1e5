import MeshBase

@testable import MeshAudit

func node(_ number: UInt8) -> NodeID { NodeID(Digest([UInt8](repeating: number, count: 32))!) }
func digest(_ number: UInt8) -> Digest { Digest([UInt8](repeating: number, count: 32))! }
func name(_ text: String) -> ResourceName { ResourceName(text)! }
func call(_ number: UInt64) -> CorrelationID { CorrelationID(high: 0x7000, low: number) }

let here = node(1)
let partner = node(2)
let third = node(3)

func moment(_ milliseconds: Int64) -> Moment {
    Moment(
        instant: .zero + .milliseconds(milliseconds),
        wall: WallTime(milliseconds: 1_700_000_000_000 + milliseconds))
}

func attempt(
    _ correlation: CorrelationID = call(1), number: UInt8 = 1, from: NodeID = here, to: NodeID = partner
)
    -> AuditEvent
{
    AuditEvent(
        type: .attempt, correlation: correlation, source: from, target: to, principal: .local,
        resource: name("orders"),
        capability: name("list"), action: "invoke", success: false, attempt: number)
}

func refusal(by peer: NodeID = partner, _ code: RefusalCode = .peerUnknown) -> AuditEvent {
    AuditEvent(
        type: .service, correlation: call(9), source: peer, target: here, action: "invoke", success: false,
        refusals: [Refusal(code)], attempt: 1)
}

/// A log and what it ordered, as a test drives it.
struct Bench {
    var log: AuditLog
    var effects = Outbox<AuditEffect>()
    static let record: Int64 = 1_000

    init(room: Int64 = 1_000_000, storeBytes: Int64 = 1 << 30, openCalls: Int = 100, seed: UInt64 = 1) {
        let configuration = AuditConfiguration(
            recordBytesMax: Self.record, recordBytesTypical: 100, storeBytes: storeBytes, refusalWindows: 3,
            openCalls: openCalls)
        log = AuditLog(node: here, configuration: configuration, generator: SeededGenerator(seed: seed))
        tell(.roomMeasured(bytes: room))
        _ = effects.drain()
    }

    mutating func tell(_ input: AuditInput, at now: Int64 = 0) {
        log.handle(input, at: moment(now), into: &effects)
    }

    mutating func admit(
        _ event: AuditEvent = attempt(), settling durability: AuditDurability = .written, at now: Int64 = 0
    ) -> AuditAdmission {
        log.admit(event, settling: durability, at: moment(now), into: &effects)
    }

    mutating func admitted(
        _ event: AuditEvent = attempt(), settling durability: AuditDurability = .written, at now: Int64 = 0
    ) -> CorrelationID {
        guard case .admitted(let id) = admit(event, settling: durability, at: now) else {
            preconditionFailure("refused")
        }
        return id
    }

    /// All records ordered since the last look, in order.
    mutating func records() -> [AuditRecord] {
        effects.drain().flatMap { effect in
            switch effect {
            case .write(let records, _): records
            }
        }
    }

    /// The whole events among them.
    mutating func events() -> [AuditEvent] {
        records().compactMap { record in
            if case .event(let event) = record { event } else { nil }
        }
    }
}
