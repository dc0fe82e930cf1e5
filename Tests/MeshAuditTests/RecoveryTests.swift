import MeshBase
import Testing

@testable import MeshAudit

/// What a start makes of what the end of a process left.
@Suite struct RecoveryTests {
    /// Three calls: one settled and closed, one between two attempts, one whose attempt is under way; and a
    /// service for a peer.
    private var left: [AuditRecord] {
        var log = Bench()
        let done = log.admitted(attempt(call(1)), at: 0)
        log.tell(.callEnded(done, AuditOutcome(success: true)), at: 10)
        log.tell(.happened(closing(call(1))), at: 10)
        let failed = log.admitted(attempt(call(2), number: 1), at: 20)
        log.tell(.callEnded(failed, AuditOutcome(success: false)), at: 30)
        _ = log.admitted(attempt(call(3), number: 1), at: 40)
        var served = attempt(call(4), from: partner, to: here)
        served.type = .service
        _ = log.admitted(served, at: 50)
        return log.records()
    }

    private func closing(_ correlation: CorrelationID) -> AuditEvent {
        AuditEvent(
            type: .call, correlation: correlation, source: here, target: partner, action: "invoke",
            success: true)
    }

    private func fold(_ records: [AuditRecord]) -> (fold: AuditFold, events: [AuditEvent]) {
        var fold = AuditFold()
        let events = records.compactMap { fold.add($0) }
        return (fold, events)
    }

    /// What a start writes that finds these records.
    private func recovery(of records: [AuditRecord], seed: UInt64) -> [AuditRecord] {
        var bench = Bench(seed: seed)
        bench.tell(.foundUnfinished(fold(records).fold.unfinished), at: 5_000)
        return bench.records()
    }

    private func closed(_ events: [AuditEvent]) -> [CorrelationID] {
        events.filter { $0.type == .call }.compactMap(\.correlation).sorted()
    }

    @Test func `a call between two attempts has none under way, and is closed`() {
        let found = fold(left).fold.unfinished
        #expect(found.unclosed.compactMap(\.correlation) == [call(2), call(3)])
        #expect(found.underWay.compactMap(\.correlation) == [call(3), call(4)])
        let events = fold(left + recovery(of: left, seed: 2)).events
        #expect(closed(events) == [call(1), call(2), call(3)])
    }

    @Test func `a call that was closed while its attempt was not settled is not closed again`() {
        let records = left + [.event(closing(call(3)))]
        let found = fold(records).fold.unfinished
        #expect(found.unclosed.compactMap(\.correlation) == [call(2)])
        #expect(found.underWay.compactMap(\.correlation) == [call(3), call(4)])
        let events = fold(records + recovery(of: records, seed: 2)).events
        #expect(closed(events) == [call(1), call(2), call(3)])
    }

    @Test func `each beginning of each write that a loss of power leaves is finished once`() {
        let whole = left
        for kept in 0...whole.count {
            let before = Array(whole.prefix(kept))
            let recovered = recovery(of: before, seed: 2)
            for written in 0...recovered.count {
                let torn = before + recovered.prefix(written)
                let (fold, events) = fold(torn + recovery(of: torn, seed: 3))
                #expect(fold.unfinished.isEmpty, "\(kept) of the calls, \(written) of the recovery")
                let tried = Set(events.filter { $0.type == .attempt }.compactMap(\.correlation))
                #expect(closed(events) == tried.sorted(), "\(kept) of the calls, \(written) of the recovery")
            }
        }
    }

    @Test func `many records are several writes, of which the last is synced`() {
        let records = (0..<600).map { AuditRecord.event(closing(call($0))) }
        let writes = AuditEffect.writes(of: records, .synced)
        var told: [AuditRecord] = []
        var durabilities: [AuditDurability] = []
        for case .write(let part, let durability) in writes {
            told += part
            durabilities.append(durability)
        }
        #expect(told == records)
        #expect(durabilities == [.written, .written, .synced])
    }
}
