import MeshAgreements
import MeshAudit
import MeshBase
import MeshRouting
import Testing

@testable import MeshNode

@Suite struct OrderLineTests {
    private let record = AuditRecord.event(
        AuditEvent(type: .node, source: node(1), target: node(1), action: "x", success: true))

    private func answer(_ id: UInt64) -> CallEffect {
        .answer(
            AttemptID(request: RequestID(id), number: 1), status: 200, headers: [],
            CorrelationID(high: 1, low: id))
    }

    private func finish(_ id: UInt64) -> CallEffect { .finish(RequestID(id)) }

    private func entry(_ key: String) -> IdempotencyBook.Entry {
        IdempotencyBook.Entry(
            key: IdempotencyBook.Key(caller: node(1), key: key),
            request: RequestIdentity(
                resource: resource("orders"), capability: resource("put"), method: "PUT", path: "/",
                query: nil, body: .none),
            until: WallTime(milliseconds: 9), end: nil)
    }

    /// What is performed, as text; writes and keys by their gates.
    private func words(_ steps: [OrderLine.Step]) -> [String] {
        steps.map { step in
            switch step {
            case .write(_, let durability, let gate): "\(durability.rawValue) \(gate)"
            case .keep(.key(let entry), let gate): "\(entry.key.key) \(gate)"
            case .keep(.meter(let record), let gate): "meter \(record.days.first?.calls ?? 0) \(gate)"
            case .perform(.answer(let attempt, _, _, _)): "answer \(attempt.request.number)"
            case .perform(.finish(let id)): "finish \(id.number)"
            case .perform(.refuse(let id, _, _)): "refuse \(id.number)"
            case .perform: "other"
            }
        }
    }

    @Test func `what waits for nothing is performed at once, in its order`() {
        var line = OrderLine()
        let steps = line.add([.record([record], .written), answer(1), finish(2), finish(1)])
        #expect(words(steps) == ["written 1", "answer 1", "finish 2", "finish 1"])
        #expect(line.waitingCount == 0)
    }

    @Test func `what stands behind a sync waits for it`() {
        var line = OrderLine()
        #expect(words(line.add([.record([record], .synced), finish(1)])) == ["synced 1"])
        #expect(words(line.opened(1)) == ["finish 1"])
        #expect(line.waitingCount == 0)
    }

    @Test func `a later order about a call does not overtake one that waits`() {
        var line = OrderLine()
        _ = line.add([.record([record], .synced), finish(2), answer(1)])
        #expect(words(line.add([.record([record], .written), finish(1)])) == ["written 2"])
        #expect(words(line.opened(1)) == ["finish 2", "answer 1", "finish 1"])
    }

    @Test func `orders about other calls go on meanwhile`() {
        var line = OrderLine()
        _ = line.add([.record([record], .synced), finish(1)])
        #expect(words(line.add([.record([record], .written), finish(2)])) == ["written 2", "finish 2"])
    }

    @Test func `two syncs of one call are both awaited, whichever comes first`() {
        var line = OrderLine()
        _ = line.add([.record([record], .synced), answer(1)])
        _ = line.add([.record([record], .synced), finish(1)])
        #expect(line.opened(2).isEmpty)
        #expect(words(line.opened(1)) == ["answer 1", "finish 1"])
    }

    @Test func `a key is kept in its turn, and what follows waits for it`() {
        var line = OrderLine()
        let steps = line.add([.record([record], .synced), .remember(entry("k")), finish(1)])
        #expect(words(steps) == ["synced 1"])
        #expect(words(line.opened(1)) == ["k 2"])
        #expect(words(line.add([answer(1)])).isEmpty)
        #expect(words(line.opened(2)) == ["finish 1", "answer 1"])
    }

    @Test func `a key that nothing waits for is kept all the same`() {
        var line = OrderLine()
        #expect(words(line.add([.remember(entry("k"))])) == ["k 1"])
        #expect(line.opened(1).isEmpty)
    }

    @Test func `a sync that failed gives back what waited for it, and later orders of that call`() {
        var line = OrderLine()
        _ = line.add([.record([record], .synced), answer(1)])
        _ = line.add([.record([record], .written), finish(1)])
        _ = line.add([.record([record], .synced), finish(2)])
        #expect(line.failed(1) == [answer(1), finish(1)])
        #expect(words(line.opened(3)) == ["finish 2"])
        #expect(line.waitingCount == 0)
    }

    @Test func `a write that failed gives back all that its turn left waiting, and nothing else`() {
        var line = OrderLine()
        _ = line.add([.record([record], .synced), answer(4)])
        line.written()
        _ = line.add([.record([record], .synced), answer(1)])
        _ = line.add([.record([record], .synced), answer(3)])
        _ = line.add([.remember(entry("k")), finish(1)])
        #expect(line.unwritten() == [answer(1), finish(1), answer(3)])
        #expect(line.waitingCount == 1 && line.opened(2).isEmpty && line.opened(3).isEmpty)
        #expect(words(line.opened(1)) == ["answer 4"])
    }

    @Test func `what a gate lets go on to a key within a turn that fails is given back as well`() {
        var line = OrderLine()
        _ = line.add([.record([record], .synced), .remember(entry("k")), finish(1)])
        line.written()
        _ = line.add([.record([record], .written)])
        #expect(words(line.opened(1)) == ["k 3"])
        #expect(line.unwritten() == [finish(1)])
        #expect(line.waitingCount == 0 && line.failed(3).isEmpty)
    }

    @Test func `a write that failed gives back all that its input left waiting`() {
        var line = OrderLine()
        _ = line.add([.record([record], .synced), answer(1)])
        _ = line.add([.record([record], .written), .record([record], .synced), finish(1), finish(2)])
        #expect(line.unwritten() == [answer(1), finish(1), finish(2)])
        #expect(line.waitingCount == 0 && line.opened(1).isEmpty && line.opened(3).isEmpty)
    }

    @Test func `a key that is not kept gives back its own call, whatever was added since`() {
        var line = OrderLine()
        _ = line.add([.record([record], .synced), .remember(entry("k")), finish(1)])
        _ = line.add([.record([record], .synced), finish(2)])
        #expect(words(line.opened(1)) == ["k 3"])
        #expect(line.failed(3) == [finish(1)])
        #expect(words(line.opened(2)) == ["finish 2"])
        #expect(line.waitingCount == 0)
    }

    @Test func `what is given up while it waits does not begin`() {
        var rig = DeskRig()
        let id = rig.call("B")
        let arrived = rig.arrive()
        let begun = rig.effects.filter { effect in
            switch effect {
            case .send, .serve: true
            default: false
            }
        }
        guard begun.count == 2, let attempt = rig.sent.last?.0 else {
            Issue.record("\(begun.count) began")
            return
        }
        var line = OrderLine()
        _ = line.add([.record([record], .synced)] + begun)
        _ = line.add([.abandon(attempt), .stop(.inbound(arrived)), .finish(id)])
        let ended: [CallEffect] = [.abandon(attempt), .finish(id), .stop(.inbound(arrived))]
        #expect(line.opened(1) == ended.map { .perform($0) })
    }

    @Test func `a meter's records come to the store in their order, and their calls wait for them`() {
        var rig = DeskRig()
        rig.agreements = [:]
        rig.agree(provider: node(0), consumer: node(1), "stock", limits: UsageLimits(callsPerDay: 1_000))
        rig.publish()
        for seed in UInt64(1)...50 {
            var generator = SeededGenerator(seed: seed)
            var desk = rig
            var line = OrderLine()
            var closed: [OrderLine.Gate] = []
            var kept: [Int64] = []
            func carryOut(_ steps: [OrderLine.Step]) {
                for step in steps {
                    switch step {
                    case .write(_, .synced, let gate): closed.append(gate)
                    case .keep(.meter(let record), let gate):
                        closed.append(gate)
                        kept.append(record.days[0].calls)
                    case .keep(.key, let gate): closed.append(gate)
                    default: break
                    }
                }
            }
            for _ in 0..<60 {
                desk.arrive()
                let effects = (desk.turns.last ?? []).map { effect in
                    if case .record(let records, _) = effect, generator.number(below: 2) == 0 {
                        CallEffect.record(records, .synced)
                    } else {
                        effect
                    }
                }
                carryOut(line.add(effects))
                while !closed.isEmpty, generator.number(below: 2) == 0 {
                    let index = Int(generator.number(below: UInt64(closed.count)))
                    carryOut(line.opened(closed.remove(at: index)))
                }
            }
            while let gate = closed.popLast() { carryOut(line.opened(gate)) }
            #expect(kept.count > 3 && kept == kept.sorted(), "seed \(seed)")
            #expect(line.waitingCount == 0)
        }
    }

    @Test func `whatever opens when, each call's orders keep their order and none is lost`() {
        for seed in UInt64(1)...200 {
            var generator = SeededGenerator(seed: seed)
            var line = OrderLine()
            var closed: [OrderLine.Gate] = []
            var performed: [UInt64: [UInt64]] = [:]
            var ordered: [UInt64: [UInt64]] = [:]
            func carryOut(_ steps: [OrderLine.Step]) {
                for step in steps {
                    switch step {
                    case .write(_, .synced, let gate), .keep(_, let gate): closed.append(gate)
                    case .write(_, .written, _): break
                    case .perform(.answer(let attempt, _, _, let mark)):
                        performed[attempt.request.number, default: []].append(mark.low)
                    case .perform: Issue.record("\(step)")
                    }
                }
            }
            for mark in UInt64(1)...60 {
                var effects: [CallEffect] = []
                if generator.number(below: 2) == 0 {
                    effects.append(.record([record], generator.number(below: 3) == 0 ? .synced : .written))
                }
                if generator.number(below: 6) == 0 { effects.append(.remember(entry("\(mark)"))) }
                for _ in 0..<generator.number(below: 3) {
                    let id = generator.number(below: 4)
                    ordered[id, default: []].append(mark)
                    effects.append(
                        .answer(
                            AttemptID(request: RequestID(id), number: 1), status: 200, headers: [],
                            CorrelationID(high: 1, low: mark)))
                }
                carryOut(line.add(effects))
                while !closed.isEmpty, generator.number(below: 2) == 0 {
                    let index = Int(generator.number(below: UInt64(closed.count)))
                    carryOut(line.opened(closed.remove(at: index)))
                }
            }
            while let gate = closed.popLast() { carryOut(line.opened(gate)) }
            #expect(performed == ordered, "seed \(seed)")
            #expect(line.waitingCount == 0)
        }
    }
}
