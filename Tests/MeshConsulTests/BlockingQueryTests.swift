import MeshBase
import Testing

@testable import MeshConsul

func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }

@Suite("A blocking query")
final class BlockingQueryTests {
    private var query = BlockingQuery(wait: .seconds(32), generator: SeededGenerator(seed: 1), at: at(0))

    @Test("asks at once first, and then waits at the index that was answered")
    func begins() {
        #expect(query.due == at(0))
        #expect(query.question == .init(index: 0, wait: .zero, patience: .seconds(10)))
        query.answer(index: 102, at: at(0))
        #expect(query.due == at(0))
        // The server may wait a sixteenth longer than it was asked to, and a while without a leader.
        #expect(query.question == .init(index: 102, wait: .seconds(32), patience: .seconds(44)))
        query.answer(index: 102, at: at(33))
        #expect(query.question.index == 102)
        query.answer(index: 103, at: at(34))
        #expect(query.question.index == 103)
    }

    @Test("begins anew when the index falls, as that of a wiped server does")
    func falls() {
        query.answer(index: 102, at: at(0))
        query.answer(index: 10, at: at(31))
        #expect(query.question.index == 0)
        query.answer(index: 10, at: at(31))
        #expect(query.question.index == 10)
    }

    @Test("never waits at index 0, nor asks at once for ever because of it")
    func zero() {
        query.answer(index: 0, at: at(0))
        #expect(query.question.index == 1)
        query.answer(index: 0, at: at(1))
        #expect(query.question.index == 0)
        query.answer(index: 0, at: at(2))
        #expect(query.question.index == 1)
    }

    @Test("asks a server without an index every ten seconds")
    func noIndex() {
        query.answer(index: nil, at: at(0))
        #expect(query.question.index == 0)
        #expect(query.due == at(10))
    }

    @Test("asks three times at once and then once a second, however fast the index rises")
    func churns() {
        var now = at(0)
        var asked: [Instant] = []
        for index in 1...20 {
            now = max(now, query.due)
            asked.append(now)
            query.answer(index: UInt64(index), at: now)
        }
        #expect(asked[..<3].allSatisfy { $0 == at(0) })
        #expect(asked[3...] == (1...17).map { at(Double($0)) }[...])
    }

    @Test("waits longer with each failure, a minute at most, and looks at once when there is an answer again")
    func fails() {
        query.answer(index: 102, at: at(0))
        var waits: [Duration] = []
        for _ in 0..<40 { waits.append(query.fail(at: at(100))) }
        #expect(waits.allSatisfy { $0 >= .milliseconds(200) && $0 <= .seconds(60) })
        #expect(waits[0] <= .seconds(1))
        #expect(waits.contains { $0 > .seconds(30) })
        #expect(query.due == at(100) + waits[39])
        #expect(query.question.index == 0)
        query.answer(index: 5, at: at(200))
        #expect(query.fail(at: at(300)) <= .seconds(1))
    }

    @Test("always comes back, and never asks more than once a second for long, whatever comes")
    func property() {
        for seed in UInt64(1)...200 {
            var chance = SeededGenerator(seed: seed)
            var query = BlockingQuery(wait: .seconds(30), generator: chance.split(), at: at(0))
            var now = at(0)
            var count = 0
            while now < at(600) {
                now = max(now, query.due)
                count += 1
                let question = query.question
                #expect(question.patience > question.wait + question.wait / 16)
                switch chance.number(below: 5) {
                case 0: query.fail(at: now)
                case 1: query.answer(index: nil, at: now)
                default: query.answer(index: chance.number(below: 4) * chance.number(below: 1 << 40), at: now)
                }
                #expect(query.due >= now && query.due <= now + .seconds(60))
            }
            #expect(count <= 5 * 600 + 3, "seed \(seed)")
        }
    }
}

@Suite("A lease")
final class LeaseTests {
    private var lease = Lease(generator: SeededGenerator(seed: 1), at: at(0))

    @Test("is registered at once, and passed at each third of its life")
    func holds() {
        #expect(lease.request == .register && lease.due == at(0) && lease.heldSince == nil)
        lease.succeed(at: at(1))
        #expect(lease.request == .pass && lease.due == at(11) && lease.heldSince == at(1))
        lease.succeed(at: at(11))
        #expect(lease.due == at(21) && lease.heldSince == at(1))
    }

    @Test("is registered anew when the server has forgotten it")
    func lost() {
        lease.succeed(at: at(1))
        lease.lose(at: at(11))
        #expect(lease.request == .register && lease.heldSince == nil)
        #expect(lease.due >= at(11) && lease.due <= at(12))
    }

    @Test("is tried again sooner than it ends, with growing waits")
    func fails() {
        lease.succeed(at: at(1))
        var now = at(11)
        for _ in 0..<20 {
            let wait = lease.fail(at: now)
            #expect(wait >= .milliseconds(200) && wait <= Lease.life / 3)
            #expect(lease.request == .pass && lease.heldSince == at(1))
            now = lease.due
        }
        lease.succeed(at: now)
        #expect(lease.due == now + .seconds(10))
    }

    @Test("is registered anew at once when what is announced changes, but not faster than a failing server")
    func changes() {
        lease.succeed(at: at(1))
        lease.change(at: at(5))
        #expect(lease.request == .register && lease.due == at(5) && lease.heldSince == at(1))
        lease.fail(at: at(5))
        let due = lease.due
        lease.change(at: at(5))
        #expect(lease.due == due && lease.heldSince == nil)
    }
}
