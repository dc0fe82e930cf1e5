import MeshBase
import Testing

@testable import MeshRouting

@Suite("The calls that a resource may have in hand")
struct ServiceLoadTests {
    private let one = partner(1)
    private let two = partner(2)

    /// A service that one partner asks for a quarter of what it can do, and another, from the fifth second
    /// on, for five times as much as it can: ten times its share.
    private func flooded(_ seed: UInt64, places: Int = 16, seconds: Double = 0.1) -> SimulatedService {
        var service = SimulatedService(places: places, seconds: seconds, seed: seed)
        let whole = Double(places) / seconds
        service.run(
            [.init(partner: one, rate: whole / 4), .init(partner: two, rate: whole * 5, from: 5)], until: 65,
            measuredFrom: 15)
        return service
    }

    @Test(
        "who stays within its share is served as if nobody flooded", arguments: 1...5 as ClosedRange<UInt64>)
    func fair(seed: UInt64) {
        var quiet = SimulatedService(places: 16, seconds: 0.1, seed: seed)
        quiet.isLimited = false
        quiet.run([.init(partner: one, rate: 40)], until: 65, measuredFrom: 15)
        let service = flooded(seed)
        let fate = service.fates[0]
        let ratio = fate.percentile(0.99) / quiet.fates[0].percentile(0.99)
        #expect(ratio < 1.5)
        let refused = Double(fate.refused) / Double(fate.refused + fate.latencies.count)
        #expect(refused < 0.12, "refused \(refused)")
        #expect(service.problems.isEmpty, "\(service.problems.prefix(2))")
    }

    @Test("the limit comes to what the service works on", arguments: 1...3 as ClosedRange<UInt64>)
    func converges(seed: UInt64) {
        for places in [4, 16, 64] {
            let service = flooded(seed, places: places, seconds: 0.1)
            let mean = service.limits.reduce(0, +) / service.limits.count
            #expect(mean >= places * 2 / 3 && mean <= places * 2, "\(places) places: \(mean)")
            let ended = service.fates.reduce(0) { $0 + $1.latencies.count }
            let share = Double(ended) / (50 * Double(places) / 0.1)
            #expect(share > (places < 16 ? 0.7 : 0.85), "\(places) places: \(share) of what it can do")
        }
    }

    @Test("a baseline is never learnt from calls that wait, however long they do")
    func baseline() {
        for places in [1, 4, 16] {
            var service = SimulatedService(places: places, seconds: 0.1, seed: 1)
            service.isEven = true
            let rate = Double(places) / 0.1 * 4
            service.run([.init(partner: one, rate: rate)], until: 300, measuredFrom: 15)
            let baseline = service.load.baseline
            #expect(baseline >= 99_000 && baseline <= 125_000, "\(places) places: \(baseline)")
        }
    }

    @Test("no limit is below its floor, or half of that while it is measured; nor is anything lost")
    func floor() {
        let service = flooded(3, places: 1, seconds: 0.2)
        let least = service.limits.min() ?? 0
        #expect(least >= Limits.concurrencyFloor / 2 && least > 0)
        #expect(service.limits.contains { $0 >= Limits.concurrencyFloor })
        #expect(!service.fates[0].latencies.isEmpty && !service.fates[1].latencies.isEmpty)
        #expect(service.problems.isEmpty)
    }

    @Test("no limit is above its ceiling")
    func ceiling() {
        var limit = ConcurrencyLimit()
        begin(&limit)
        let most = Limits.concurrencyCeiling
        for _ in 0..<20_000 { limit.end(round: 0, company: most * 2, took: 100_000, at: .zero) }
        for _ in 0..<3 { limit.end(round: 0, company: most * 2, took: 10_000_000, at: .zero) }
        #expect(limit.standing.map { $0 <= most } == true)
    }

    /// Eight calls that take 100 ms.
    private func begin(_ limit: inout ConcurrencyLimit) {
        for _ in 0..<8 {
            let round = limit.begin(company: 1, at: .zero)
            limit.end(round: round, company: 1, took: 100_000, at: .zero)
        }
    }

    @Test("a service that becomes quicker is given more, and one that becomes slower keeps its places")
    func changes() {
        for factor in [0.25, 2] {
            var service = SimulatedService(places: 16, seconds: 0.2, seed: 2)
            service.work = { $0 < 60 ? 0.2 : 0.2 * factor }
            service.run(
                [.init(partner: one, rate: 1000)], until: 200, measuredFrom: 120)
            let share = Double(service.fates[0].latencies.count) / (80 * 16 / (0.2 * factor))
            #expect(share > 0.8, "\(factor): \(share) of what it can do")
        }
    }

    @Test("who is alone has all of it")
    func alone() {
        var load = limited()
        guard let limit = load.standing else {
            Issue.record("not limited")
            return
        }
        var given = 0
        while load.ask(one, at: at(20)) == nil {
            _ = load.take(one, at: at(20))
            given += 1
        }
        #expect(given == limit)
    }

    /// Limited, and nothing in hand.
    private func limited() -> ServiceLoad {
        var service = SimulatedService(places: 16, seconds: 0.1, seed: 1)
        service.isEven = true
        service.run([.init(partner: one, rate: 700)], until: 19, measuredFrom: 0)
        var load = service.load
        // The calls that were left are over.
        while load.inHand > 0 { load.settle(load.anyPlace(of: one, at: at(19)), .unmeasured, at: at(19)) }
        return load
    }

    private func at(_ seconds: Int) -> Instant { Instant(nanoseconds: Int64(seconds) * 1_000_000_000) }

    @Test("nothing is refused before there is evidence: not of many at once, nor of a few slow ones")
    func evidence() {
        var load = ServiceLoad()
        for round in 0..<40 {
            var places: [ServicePlace] = []
            for _ in 0..<500 {
                #expect(load.ask(one, at: at(round)) == nil)
                places.append(load.take(one, at: at(round)))
            }
            for (index, place) in places.enumerated() {
                // One of fifty takes a thousand times as long.
                let taken: Duration = index % 50 == 0 ? .seconds(1) : .milliseconds(1)
                load.settle(place, .answered, at: at(round) + taken)
            }
        }
        #expect(load.standing == nil && load.refusals == 0)
    }

    @Test("it limits no more once nothing was refused for ten seconds")
    func reopens() {
        var load = limited()
        #expect(load.standing != nil)
        #expect(load.ask(one, at: at(31)) == nil)
        #expect(load.standing == nil)
    }

    @Test("one call that lasts does not keep a probe from ending")
    func straggler() {
        var load = limited()
        var lasting: [ServicePlace] = []
        var seen: Set<Int> = []
        // Whatever it is given is answered after 100 ms, but for three calls that last for ever.
        for step in 0..<6_000 where (seen.max() ?? 0) <= 40 {
            let now = at(20) + .milliseconds(step * 100)
            var places: [ServicePlace] = []
            while places.count < 10_000, load.ask(one, at: now) == nil {
                places.append(load.take(one, at: now))
            }
            if let limit = load.standing { seen.insert(limit) }
            for (index, place) in places.enumerated() {
                if index == 0, lasting.count < 3 {
                    lasting.append(place)
                } else {
                    load.settle(place, .answered, at: now + .milliseconds(100))
                }
            }
        }
        #expect(lasting.count == 3)
        #expect((seen.max() ?? 0) > 40, "\(seen.sorted())")
    }

    @Test("beyond two hundred and fifty-six partners the others share one line")
    func crowd() {
        var shares = PartnerShares()
        let now = at(1)
        func name(_ number: Int) -> Digest {
            var bytes = [UInt8](repeating: 7, count: 32)
            (bytes[0], bytes[1]) = (UInt8(number / 256), UInt8(number % 256))
            return Digest(bytes)!
        }
        for number in 0..<Limits.partnersPerService {
            let line = shares.note(name(number), over: .seconds(1), at: now)
            shares.change(line, by: 1, over: .seconds(1), at: now)
        }
        let first = shares.note(name(1_000), over: .seconds(1), at: now)
        let second = shares.note(name(1_001), over: .seconds(1), at: now)
        #expect(first == second && shares.count == Limits.partnersPerService + 1)
        shares.change(first, by: 1, over: .seconds(1), at: now)
        #expect(shares.held(by: name(1_001)) == 1 && shares.held(by: name(5)) == 1)
    }

    @Test("of what each holds, no more than a share counts against the others")
    func excess() {
        var shares = PartnerShares()
        for (name, held) in [(one, 40), (two, 2)] {
            let line = shares.note(name, over: .seconds(1), at: at(1))
            shares.change(line, by: Int64(held), over: .seconds(1), at: at(1))
        }
        #expect(shares.held(upTo: 4) == 6 && shares.held(upTo: 1) == 2 && shares.held(upTo: 100) == 42)
    }

    @Test("who was there five seconds ago shares, and no longer")
    func active() {
        var shares = PartnerShares()
        _ = shares.note(one, over: .seconds(1), at: at(1))
        _ = shares.note(two, over: .seconds(1), at: at(6))
        #expect(shares.count == 2)
        _ = shares.note(two, over: .seconds(1), at: at(8))
        #expect(shares.count == 1 && shares.active(with: one) == 2)
    }

    @Test("whatever happens, nobody within its share is refused below twice the limit")
    func safety() {
        for seed in 1...12 as ClosedRange<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let places = 1 + Int(generator.number(below: 20))
            let partners = 1 + Int(generator.number(below: 5))
            let seconds = Double(1 + generator.number(below: 300)) / 1_000
            var service = SimulatedService(places: places, seconds: seconds, seed: seed)
            service.isEven = generator.number(below: 2) == 0
            let callers = (0..<partners).map { number in
                let share = Double(1 + generator.number(below: 400)) / 100
                return SimulatedService.Caller(
                    partner: partner(UInt8(number)), rate: Double(places) / seconds * share,
                    from: Double(generator.number(below: 10)))
            }
            service.run(callers, until: 30, measuredFrom: 0)
            #expect(service.problems.isEmpty, "seed \(seed): \(service.problems.prefix(2))")
        }
    }
}

extension ServiceLoad {
    /// A place as one that was taken before has: given back, it leaves one call less in hand.
    fileprivate mutating func anyPlace(of partner: Digest, at now: Instant) -> ServicePlace {
        let place = take(partner, at: now)
        settle(place, .unmeasured, at: now)
        return place
    }
}
