import MeshBase
import Testing

@testable import MeshAudit

@Suite struct AuditLogTests {
    @Test func `writes a call as admitted and settled, which are one event`() throws {
        var bench = Bench()
        let id = bench.admitted(at: 100)
        bench.tell(.callEnded(id, AuditOutcome(success: true, answerLength: 12, status: 200)), at: 350)
        var fold = AuditFold()
        let whole = bench.records().compactMap { fold.add($0) }
        #expect(whole.count == 1)
        let event = try #require(whole.first)
        #expect(event.id == id)
        #expect(event.time == moment(100).wall)
        #expect(event.success)
        #expect(event.durationInMilliseconds == 250)
        #expect(event.status == 200)
        #expect(event.answerLength == 12)
        #expect(fold.open.isEmpty)
    }

    @Test func `admits no call as a success, whatever its draft says`() throws {
        var bench = Bench()
        var draft = attempt()
        draft.success = true
        draft.refusals = [Refusal(.overloaded)]
        _ = bench.admit(draft)
        guard case .admitted(let event)? = bench.records().first else { return #expect(Bool(false)) }
        #expect(!event.success && event.refusals.isEmpty)
    }

    @Test
    func `orders the end of a call that may change something to be synced, and of any other to be written`() {
        for durability in [AuditDurability.written, .synced] {
            var bench = Bench()
            let id = bench.admitted(settling: durability)
            bench.tell(.callEnded(id, AuditOutcome(success: true)))
            let found = bench.effects.drain().map { effect in
                switch effect {
                case .write(_, let durability): durability
                }
            }
            #expect(found == [.written, durability])
        }
    }

    @Test func `ignores the end of a call that is not under way`() {
        var bench = Bench()
        let id = bench.admitted()
        bench.tell(.callEnded(id, AuditOutcome(success: true)))
        _ = bench.records()
        bench.tell(.callEnded(id, AuditOutcome(success: false)))
        bench.tell(.callEnded(call(77), AuditOutcome(success: true)))
        #expect(bench.records().isEmpty)
    }

    @Test func `begins no call before the room was measured`() {
        var log = AuditLog(node: here, generator: SeededGenerator(seed: 1))
        var effects = Outbox<AuditEffect>()
        let admission = log.admit(attempt(), settling: .written, at: moment(0), into: &effects)
        guard case .refused(let refusal) = admission else { return #expect(Bool(false), "\(admission)") }
        #expect(refusal.code == .auditUnavailable)
        #expect(effects.isEmpty)
    }

    @Test func `promises room for two records to each call and begins none without it`() {
        var bench = Bench(room: 4 * Bench.record)
        let first = bench.admitted()
        _ = bench.admitted()
        guard case .refused(let refusal) = bench.admit() else { return #expect(Bool(false), "admitted") }
        #expect(refusal.code == .auditUnavailable)
        bench.tell(.callEnded(first, AuditOutcome(success: true)))
        // What the ended call wrote counts until the room is measured again.
        guard case .refused = bench.admit() else { return #expect(Bool(false), "admitted") }
        bench.tell(.roomMeasured(bytes: 5 * Bench.record))
        guard case .admitted = bench.admit() else { return #expect(Bool(false), "refused") }
    }

    @Test func `begins no more calls than are allowed at once`() {
        var bench = Bench(openCalls: 2)
        _ = bench.admitted()
        let second = bench.admitted()
        guard case .refused(let refusal) = bench.admit() else { return #expect(Bool(false), "admitted") }
        #expect(refusal.code == .auditUnavailable)
        bench.tell(.callEnded(second, AuditOutcome(success: true)))
        guard case .admitted = bench.admit() else { return #expect(Bool(false), "refused") }
    }

    @Test func `tells how many calls it could not take once there is room again`() {
        var bench = Bench(room: 0)
        for _ in 0..<3 { _ = bench.admit() }
        bench.tell(.roomMeasured(bytes: 100))
        #expect(bench.events().isEmpty)
        bench.tell(.roomMeasured(bytes: 1_000_000))
        #expect(bench.events().map(\.metadata) == [[Fact("calls refused", "3")]])
        bench.tell(.roomMeasured(bytes: 1_000_000))
        #expect(bench.events().isEmpty)
    }

    @Test func `settles what a crash left open as outcome-unknown, to survive the loss of power`() throws {
        var before = Bench()
        _ = before.admitted(at: 0)
        var fold = AuditFold()
        for record in before.records() { _ = fold.add(record) }

        var bench = Bench(seed: 2)
        bench.tell(.foundUnfinished(fold.unfinished), at: 5_000)
        let orders = bench.effects.drain()
        guard case .write(let settlements, .synced)? = orders.first else {
            return #expect(Bool(false), "\(orders)")
        }
        let whole = try #require(settlements.compactMap { fold.add($0) }.first)
        #expect(!whole.success)
        #expect(whole.refusals.map(\.code) == [.outcomeUnknown])
        #expect(whole.durationInMilliseconds == 5_000)
        #expect(fold.open.isEmpty)
        #expect(orders.count == 2)
    }

    @Test func `closes each own call that a crash left open once, with its last attempt's words`() throws {
        var before = Bench()
        _ = before.admitted(attempt(call(1), number: 1), at: 0)
        _ = before.admitted(attempt(call(1), number: 2, to: third), at: 1_000)
        _ = before.admitted(attempt(call(2)), at: 2_000)
        var served = attempt(call(3), from: partner, to: here)
        served.type = .service
        _ = before.admitted(served, at: 2_000)
        var fold = AuditFold()
        for record in before.records() { _ = fold.add(record) }

        var bench = Bench(seed: 2)
        bench.tell(.foundUnfinished(fold.unfinished), at: 5_000)
        let orders = bench.effects.drain()
        guard case .write(let records, .synced)? = orders.first else {
            return #expect(Bool(false), "\(orders)")
        }
        let closing = records.compactMap { fold.add($0) }.filter { $0.type == .call }
        #expect(closing.map(\.correlation) == [call(1), call(2)])
        #expect(closing.map(\.target) == [third, partner])
        #expect(closing.map(\.durationInMilliseconds) == [4_000, 3_000])
        #expect(closing.allSatisfy { $0.attempt == 0 && !$0.success && $0.source == here })
        #expect(closing.allSatisfy { $0.refusals.map(\.code) == [.outcomeUnknown] })
        let first = try #require(closing.first)
        #expect(first.principal == .local && first.resource == name("orders"))
        #expect(first.capability == name("list") && Set(closing.map(\.id)).count == 2)
        #expect(fold.open.isEmpty && fold.orphans.isEmpty)
    }

    @Test func `says nothing when a crash left nothing open`() {
        var bench = Bench()
        bench.tell(.foundUnfinished(UnfinishedCalls()))
        #expect(bench.effects.isEmpty)
    }

    @Test func `gives every event an id of its own that sorts by time`() {
        var bench = Bench()
        for number in 0..<50 { bench.tell(.happened(attempt(call(UInt64(number)))), at: Int64(number)) }
        let ids = bench.events().map(\.id)
        #expect(Set(ids).count == 50)
        #expect(ids == ids.sorted())
        #expect(ids.allSatisfy { $0.high >> 12 & 15 == 7 })
    }

    @Test func `does the same with the same seed`() {
        var traces: [[AuditRecord]] = []
        for _ in 0..<2 {
            var bench = Bench(seed: 5)
            let id = bench.admitted()
            bench.tell(.refused(refusal()))
            bench.tell(.callEnded(id, AuditOutcome(success: true)), at: 3)
            traces.append(bench.records())
        }
        #expect(traces[0] == traces[1])
    }

    @Test func `never promises more than there is, and always gives it back, whatever comes`() {
        for seed in UInt64(1)...40 {
            var generator = SeededGenerator(seed: seed)
            let room = Int64(generator.number(below: 60)) * Bench.record
            let calm = 1 + generator.number(below: 8)
            var bench = Bench(room: room, openCalls: 1_000, seed: seed)
            var open: [CorrelationID] = []
            var whole = 0
            var begun = 0
            var fold = AuditFold()
            for step in 0..<300 {
                if generator.number(below: 8) < calm {
                    if case .admitted(let id) = bench.admit(at: Int64(step)) {
                        open.append(id)
                        begun += 1
                    }
                } else if !open.isEmpty {
                    let id = open.remove(at: Int(generator.number(below: UInt64(open.count))))
                    bench.tell(.callEnded(id, AuditOutcome(success: true)), at: Int64(step))
                }
                #expect(Int64(bench.log.openCallCount) * 2 * Bench.record <= room)
                whole += bench.records().filter { fold.add($0)?.type == .attempt }.count
            }
            for id in open { bench.tell(.callEnded(id, AuditOutcome(success: true)), at: 400) }
            whole += bench.records().filter { fold.add($0)?.type == .attempt }.count
            #expect(whole == begun)
            #expect(fold.open.isEmpty && fold.orphans.isEmpty)
            bench.tell(.roomMeasured(bytes: room))
            guard room >= 2 * Bench.record else { continue }
            guard case .admitted = bench.admit(at: 401) else { return #expect(Bool(false), "seed \(seed)") }
        }
    }
}
