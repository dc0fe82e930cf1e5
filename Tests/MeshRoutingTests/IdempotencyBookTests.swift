import MeshBase
import Testing

@testable import MeshRouting

@Suite("Idempotency book")
struct IdempotencyBookTests {
    let caller = NodeID(.zero)

    @Test("a key is fresh once, unknown until it ends, and then answers as it ended")
    func life() {
        var book = IdempotencyBook()
        let key = IdempotencyBook.Key(caller: caller, key: "k")
        guard case .fresh(let entry) = book.begin(key, request: identity("/a"), at: day(0)) else {
            Issue.record("not fresh")
            return
        }
        do {
            let found = book.begin(key, request: identity("/a"), at: day(0))
            #expect(found == .unknownOutcome)
        }
        do {
            let found = book.begin(key, request: identity("/b"), at: day(0))
            #expect(found == .otherRequest)
        }
        let end = IdempotencyBook.End(status: 201, headers: [], body: Octets([1]))
        let kept = book.end(key, end)
        let again = book.end(key, end)
        #expect(kept?.end == end && again == nil)
        do {
            let found = book.begin(key, request: identity("/a"), at: day(0))
            #expect(found == .ended(end))
        }
        var restarted = IdempotencyBook()
        restarted.restore([entry], at: day(0).instant)
        let afterCrash = restarted.begin(key, request: identity("/a"), at: day(0))
        #expect(afterCrash == .unknownOutcome)
        let later = book.begin(key, request: identity("/b"), at: day(1))
        #expect(later.isFresh)
    }

    @Test("a key that has ended is not given back")
    func endedStays() {
        var book = IdempotencyBook()
        let key = IdempotencyBook.Key(caller: caller, key: "k")
        let end = IdempotencyBook.End(status: 201, headers: [], body: nil)
        _ = book.begin(key, request: identity("/a"), at: day(0))
        _ = book.end(key, end)
        let withdrawn = book.withdraw(key)
        let found = book.begin(key, request: identity("/a"), at: day(0))
        #expect(withdrawn == nil)
        #expect(found == .ended(end))
    }

    @Test("a full table refuses rather than forgets, for that caller only")
    func bounded() {
        var book = IdempotencyBook()
        for number in 0..<IdempotencyBook.keysPerCaller {
            _ = book.begin(.init(caller: caller, key: "\(number)"), request: identity("/"), at: day(0))
        }
        let full = book.begin(.init(caller: caller, key: "x"), request: identity("/"), at: day(0))
        #expect(full == .full)
        let other = NodeID(Digest([UInt8](repeating: 1, count: 32))!)
        let others = book.begin(.init(caller: other, key: "x"), request: identity("/"), at: day(0))
        let later = book.begin(.init(caller: caller, key: "x"), request: identity("/"), at: day(1))
        #expect(others.isFresh && later.isFresh)
        #expect(book.count == 1)
    }

    @Test("a caller whose kept answers fill its memory begins no further key, until they are forgotten")
    func boundedInBytes() {
        var book = IdempotencyBook()
        let other = NodeID(Digest([UInt8](repeating: 1, count: 32))!)
        let length = IdempotencyBook.bytesPerCaller / 4_096
        let end = IdempotencyBook.End(
            status: 200, headers: [], body: Octets([UInt8](repeating: 0, count: length)))
        for number in 0..<4_096 {
            let key = IdempotencyBook.Key(caller: caller, key: "\(number)")
            let found = book.begin(key, request: identity("/"), at: day(0))
            #expect(found.isFresh)
            _ = book.end(key, end)
        }
        let full = book.begin(.init(caller: caller, key: "x"), request: identity("/"), at: day(0))
        #expect(full == .full)
        let others = book.begin(.init(caller: other, key: "x"), request: identity("/"), at: day(0))
        #expect(others.isFresh)
        var restarted = IdempotencyBook()
        restarted.restore(
            (0..<4_096).map {
                .init(
                    key: .init(caller: caller, key: "\($0)"), request: identity("/"), until: day(1).wall,
                    end: end)
            }, at: day(0).instant)
        let afterRestart = restarted.begin(
            .init(caller: caller, key: "x"), request: identity("/"), at: day(0))
        #expect(afterRestart == .full)
        let later = restarted.begin(.init(caller: caller, key: "x"), request: identity("/"), at: day(1))
        #expect(later.isFresh)
    }

    @Test("a key is remembered for a day and not a millisecond longer")
    func keyLife() {
        var book = IdempotencyBook()
        let key = IdempotencyBook.Key(caller: caller, key: "k")
        let begun = day(0)
        _ = book.begin(key, request: identity("/a"), at: begun)
        let last = after(Limits.idempotencyLife - .milliseconds(1))
        let remembered = book.begin(key, request: identity("/a"), at: last)
        #expect(remembered == .unknownOutcome)
        let over = book.begin(key, request: identity("/a"), at: after(Limits.idempotencyLife))
        #expect(over.isFresh)
    }

    @Test("a key that was withdrawn and begun anew outlives the end of its first life")
    func begunAnew() {
        var book = IdempotencyBook()
        let key = IdempotencyBook.Key(caller: caller, key: "k")
        _ = book.begin(key, request: identity("/a"), at: day(0))
        _ = book.withdraw(key)
        _ = book.begin(key, request: identity("/a"), at: after(.seconds(3_600)))
        let atFirstEnd = book.begin(key, request: identity("/a"), at: after(Limits.idempotencyLife))
        #expect(atFirstEnd == .unknownOutcome)
        let over = book.begin(
            key, request: identity("/a"), at: after(Limits.idempotencyLife + .seconds(3_600)))
        #expect(over.isFresh)
    }

    private func identity(_ path: String) -> RequestIdentity {
        RequestIdentity(
            resource: .echo, capability: .echo, method: "POST", path: path, query: nil, body: .none)
    }

    @Test("a clock that leaps makes no key be forgotten, also after a start under it")
    func leap() throws {
        var book = IdempotencyBook()
        let key = IdempotencyBook.Key(caller: caller, key: "k")
        guard case .fresh(let entry) = book.begin(key, request: identity("/a"), at: day(0)) else {
            Issue.record("not begun")
            return
        }
        let leapt = Moment(instant: day(0).instant, wall: day(400).wall)
        #expect(book.begin(key, request: identity("/a"), at: leapt) == .unknownOutcome)
        var restarted = IdempotencyBook()
        restarted.restore([entry], at: leapt.instant)
        #expect(restarted.begin(key, request: identity("/a"), at: leapt) == .unknownOutcome)
    }

    private func day(_ number: Int64) -> Moment { after(.seconds(number * 86_400)) }

    private func after(_ time: Duration) -> Moment {
        Moment(instant: .zero + time, wall: WallTime(milliseconds: 1) + time)
    }
}

extension IdempotencyBook.Finding {
    fileprivate var isFresh: Bool {
        guard case .fresh = self else { return false }
        return true
    }
}
