import MeshAgreements
import MeshAudit
import MeshBase
import MeshNode
import MeshRouting

extension TraceDigest {
    mutating func fold(_ input: CallInput, at host: Int) {
        fold(host)
        switch input {
        case .viewPublished: fold(41)
        case .linkCameUp(let node, _), .linkWentDown(let node), .linkAtRest(let node): fold(node.digest.bytes)
        case .roomMeasured: fold(42)
        case .shellBusy(let time):
            fold(51)
            fold(Int(time.wholeNanoseconds))
        case .keysRestored(let entries): fold(entries.count)
        case .metersRestored(let records): for record in records { fold(record) }
        case .meterKept(let record): fold(record)
        case .draining: fold(43)
        case .timeReached: fold(44)
        case .requested(let request): fold(45, request.id)
        case .cancelled(let id): fold(46, id)
        case .attemptAnswered(let id, _, _): fold(47, id)
        case .attemptRefused(let id, let refusals, _):
            fold(48, id)
            for refusal in refusals { fold(refusal.code.rawValue) }
        case .attemptFailed(let id, let failure, _):
            fold(49, id)
            fold(failure.rawValue)
        case .attemptEnded(let id, _, _): fold(50, id)
        case .arrived(let inbound): fold(inbound.invocation.correlation.low)
        case .abandoned(let key): fold(52, key)
        case .resourceAnswered(let service, _, _): fold(53, service)
        case .resourceFailed(let service, let failure, _):
            fold(54, service)
            fold(failure.rawValue)
        case .resourceEnded(let service, _, _): fold(55, service)
        case .bodyLeft(let id): fold(56, id)
        case .bytesMoved(let id): fold(57, id)
        case .bodyEnded(let id, _): fold(58, id)
        case .judged(let ticket, let answer): fold("\(ticket) \(answer)")
        case .serviceMoved(let key): fold(59, key)
        case .serviceBodyEnded(let key, _): fold(60, key)
        }
    }

    mutating func fold(_ effect: CallEffect) {
        switch effect {
        case .record(let records, _): fold(records)
        case .remember(let entry): fold(entry.key.key)
        case .reserve(let reservation): fold(reservation.record)
        case .breakerChanged(let change): fold("\(change.from) \(change.to)")
        case .linkWanted(let node), .linkUsed(let node): fold(node.digest.bytes)
        case .send(let id, let node, let invocation):
            fold(61, id)
            fold(node.digest.bytes)
            fold(invocation.correlation.low)
            fold(Int(invocation.remainingMilliseconds))
            fold(invocation.sealedTo?.bytes ?? [])
        case .judge(let ticket, let question, _): fold("\(ticket) \(question.side.rawValue)")
        case .abandon(let id): fold(62, id)
        case .answer(let attempt, _, _, _): fold(63, attempt.request)
        case .finish(let id): fold(64, id)
        case .refuse(let id, let refusals, _):
            fold(65, id)
            for refusal in refusals { fold(refusal.code.rawValue) }
        case .breakOff(let id, _): fold(66, id)
        case .serve(let service, _, _): fold(67, service)
        case .stop(let service): fold(68, service)
        case .respond(let key, _): fold(69, key)
        case .finishResponse(let key): fold(70, key)
        case .breakOffResponse(let key): fold(71, key)
        case .replay(let key, _): fold(72, key)
        case .answerAgain(let id, _, _): fold(73, id)
        }
    }

    mutating func fold(_ keepsake: Keepsake) {
        switch keepsake {
        case .key(let entry): fold(entry.key.key)
        case .meter(let record): fold(record)
        }
    }

    private mutating func fold(_ record: MeterRecord) {
        fold(record.key.agreement.description)
        for spent in record.days + record.months { fold(Int(spent.calls)) }
    }

    mutating func fold(_ records: [AuditRecord]) {
        for record in records {
            switch record {
            case .admitted(let event), .event(let event):
                fold(event.id.low)
                fold(event.action)
            case .settled(let settlement):
                fold(settlement.id.low)
                fold(settlement.success ? 1 : 0)
            }
        }
    }

    private mutating func fold(_ tag: Int, _ id: RequestID) {
        fold(tag)
        fold(id.number)
    }

    private mutating func fold(_ tag: Int, _ id: AttemptID) {
        fold(tag, id.request)
        fold(Int(id.number))
    }

    private mutating func fold(_ tag: Int, _ key: InboundKey) {
        fold(tag, key.connection)
        fold(key.stream)
    }

    private mutating func fold(_ tag: Int, _ service: ServiceID) {
        switch service {
        case .inbound(let key): fold(tag, key)
        case .own(let attempt): fold(tag, attempt)
        }
    }
}
