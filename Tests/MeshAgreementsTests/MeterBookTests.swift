import MeshBase
import Testing

@testable import MeshAgreements

/// A meter of one agreement with a store that keeps what it is told, by the day at noon.
private struct MeterRig {
    var book = MeterBook()
    let agreement: Agreement
    /// What the store keeps.
    var stored: [MeterRecord] = []
    /// What the store was told to keep, and does not keep yet.
    var pending: [MeterRecord] = []
    var alerts: [QuotaAlert] = []

    init(_ limits: UsageLimits, version: Int64 = 1, peer: UInt8 = 2) {
        var generator = SeededGenerator(seed: 3)
        agreement = Agreement(
            id: AgreementID(using: &generator), version: version, source: Party(1).node,
            target: Party(peer).node, grants: [Grant(resource: .echo, capabilities: nil)], limits: limits,
            validFrom: nil, validUntil: day(5_000).wall, createdBy: Party(1).node, created: day(0).wall)
    }

    func permits(at now: Moment) -> Bool {
        book.permits(agreement.limits ?? .none, of: agreement, at: now)
    }

    /// Lets one call pass if it may; what waits for the store is kept first.
    mutating func pass(at now: Moment) -> Bool {
        guard permits(at: now) else { return false }
        let receipt = book.take(agreement, at: now)
        alerts += receipt.alerts
        if let reservation = receipt.reservation {
            pending.append(reservation.record)
            if reservation.urgency == .awaited { settle() }
        }
        return true
    }

    /// The store has kept all that it was told.
    mutating func settle() {
        for record in pending {
            stored = [record]
            book.keep(record)
        }
        pending = []
    }

    /// As many calls as may pass, at most `most`.
    mutating func passAll(at now: Moment, most: Int = 100_000) -> Int {
        var passed = 0
        while passed < most, pass(at: now) { passed += 1 }
        return passed
    }

    /// `kill -9`: what the store keeps is all that is left.
    mutating func crash() {
        pending = []
        book = MeterBook()
        book.restore(stored)
    }
}

@Suite("Meters of agreements")
struct MeterBookTests {
    @Test("a quota lets as many calls pass in a day as it says, and again the next day")
    func daily() {
        var rig = MeterRig(UsageLimits(callsPerDay: 5))
        #expect(rig.passAll(at: day(1)) == 5)
        #expect(rig.passAll(at: day(1.1)) == 0)
        #expect(rig.passAll(at: day(2)) == 5)
    }

    @Test("a day and a month are counted beside one another, and what is reached first refuses")
    func both() {
        var rig = MeterRig(UsageLimits(callsPerDay: 5, callsPerMonth: 12))
        // base is 15 January 2027.
        #expect([1, 2, 3, 4].map { rig.passAll(at: day($0)) } == [5, 5, 2, 0])
        #expect(rig.passAll(at: day(20)) == 5)
    }

    @Test("a refusal says what was agreed, what is used, and when it is free again")
    func refusals() throws {
        var rig = MeterRig(
            UsageLimits(rate: RateLimit(calls: 2, seconds: 1, burst: 3), callsPerDay: 3, callsPerMonth: 3))
        #expect(rig.passAll(at: day(1)) == 3)
        let limits = try #require(rig.agreement.limits)
        let found = rig.book.shortcomings(of: limits, of: rig.agreement, at: day(1), named: [])
        #expect(found.map(\.code) == [.rateExceeded, .quotaExhausted, .quotaExhausted])
        #expect(
            found[0].facts == [
                Fact("rate agreed", "2 calls in 1 s, 3 at once"), Fact("free again in ms", 500),
            ])
        let midnight = CalendarPeriod.day.end(of: CalendarPeriod.day.number(at: day(1).wall))
        #expect(
            found[1].facts == [
                Fact("quota agreed", "3 calls in a day of UTC"), Fact("used", 3), Fact("day", "2027-01-16"),
                Fact("free again at", RFC3339.text(midnight)),
                Fact("free again in ms", (midnight - day(1).wall).wholeMilliseconds),
            ])
        #expect(found[2].facts[2] == Fact("month", "2027-01"))
    }

    @Test("a rate lets its burst pass at once, and then one call each so often")
    func rate() {
        var rig = MeterRig(UsageLimits(rate: RateLimit(calls: 100, seconds: 1, burst: 20)))
        #expect(rig.passAll(at: day(1)) == 20)
        let later = Moment(instant: day(1).instant + .milliseconds(105), wall: day(1).wall)
        #expect(rig.passAll(at: later) == 10)
        #expect(rig.stored.isEmpty && rig.pending.isEmpty)
    }

    @Test("no span of a rate lets more calls pass than its burst and what comes back in it", arguments: 1...5)
    func rateBound(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        let (calls, burst) = (Int64(chance.number(below: 900)) + 1, Int64(chance.number(below: 50)) + 1)
        var rig = MeterRig(UsageLimits(rate: RateLimit(calls: calls, seconds: 7, burst: burst)))
        var passes: [Int64] = []
        var elapsed: Int64 = 0
        for _ in 0..<3_000 {
            elapsed += Int64(chance.number(below: 20_000_000))
            let now = Moment(instant: day(1).instant + .nanoseconds(elapsed), wall: day(1).wall)
            if rig.pass(at: now) { passes.append(elapsed) }
        }
        for (index, first) in passes.enumerated() {
            let within = passes[index...].prefix { $0 - first < 7_000_000_000 }.count
            #expect(within <= Int(calls + burst))
        }
    }

    @Test("a crash gives nothing back, and takes no more than a block", arguments: 1...20)
    func crashes(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        let quota = Int64(chance.number(below: 3_000)) + 1
        let block = max(1, quota / 100)
        var rig = MeterRig(UsageLimits(callsPerDay: quota))
        var (passed, crashes): (Int64, Int64) = (0, 0)
        while rig.pass(at: day(1)) {
            passed += 1
            if chance.number(below: 3) == 0 { rig.settle() }
            if chance.number(below: 40) == 0 {
                rig.crash()
                crashes += 1
            }
        }
        #expect(passed <= quota)
        // What is ordered ahead and kept is one block more than the one in use.
        #expect(passed >= quota - crashes * (2 * block))
    }

    @Test("a small quota loses no call by a crash")
    func smallQuota() {
        var rig = MeterRig(UsageLimits(callsPerDay: 60))
        var passed = 0
        while rig.pass(at: day(1)) {
            passed += 1
            rig.crash()
        }
        #expect(passed == 60)
    }

    @Test("few calls of a large quota wait for the store")
    func waits() {
        var rig = MeterRig(UsageLimits(callsPerDay: 10_000))
        var waits = 0
        for _ in 0..<10_000 {
            let receipt = rig.book.take(rig.agreement, at: day(1))
            guard let reservation = receipt.reservation else { continue }
            if reservation.urgency == .awaited { waits += 1 }
            rig.book.keep(reservation.record)
        }
        #expect(waits == 1)
    }

    @Test("while the store has not kept a block, every call under it waits")
    func untilKept() {
        var rig = MeterRig(UsageLimits(callsPerDay: 10_000))
        let first = rig.book.take(rig.agreement, at: day(1)).reservation
        let second = rig.book.take(rig.agreement, at: day(1)).reservation
        #expect(first?.urgency == .awaited && second?.urgency == .awaited && first?.record == second?.record)
        rig.book.keep(first!.record)
        #expect(rig.book.take(rig.agreement, at: day(1)).reservation == nil)
    }

    @Test("a clock that is set back gives no calls anew")
    func setBack() {
        var rig = MeterRig(UsageLimits(callsPerDay: 5))
        #expect(rig.passAll(at: day(3)) == 5)
        for earlier in [2.0, 1, 0, -400] { #expect(rig.passAll(at: day(earlier)) == 0, "\(earlier)") }
        #expect(rig.passAll(at: day(3.2)) == 0)
        rig.crash()
        #expect(rig.passAll(at: day(2)) == 0)
    }

    @Test(
        "a clock that ran ahead and is set right takes nothing of the days between, nor gives any"
    )
    func ranAhead() {
        var rig = MeterRig(UsageLimits(callsPerDay: 5))
        #expect(rig.passAll(at: day(1), most: 2) == 2)
        #expect(rig.passAll(at: day(400), most: 3) == 3)
        #expect(rig.passAll(at: day(1.1)) == 3)
        for ordinary in 2...399 { #expect(rig.passAll(at: day(Double(ordinary))) == 5) }
        #expect(rig.passAll(at: day(400.1)) == 2)
    }

    @Test(
        "no day lets more calls pass than its quota, however the clock leaps and whatever crashes",
        arguments: 1...20)
    func leaps(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        var rig = MeterRig(UsageLimits(callsPerDay: 7, callsPerMonth: 50))
        var (days, months): ([Int64: Int], [Int64: Int]) = ([:], [:])
        var date = 100.0
        for _ in 0..<2_000 {
            switch chance.number(below: 20) {
            case 0: date = Double(chance.number(below: 300))
            case 1: date += 1
            case 2: date -= 1
            case 3: rig.crash()
            default: break
            }
            let now = day(date)
            guard rig.pass(at: now) else { continue }
            days[CalendarPeriod.day.number(at: now.wall), default: 0] += 1
            months[CalendarPeriod.month.number(at: now.wall), default: 0] += 1
        }
        #expect(days.values.allSatisfy { $0 <= 7 } && months.values.allSatisfy { $0 <= 50 })
    }

    @Test("the calls of four days and of four months are kept, and no more")
    func bounded() {
        var rig = MeterRig(UsageLimits(callsPerDay: 5, callsPerMonth: 500))
        for number in 0..<400 { _ = rig.pass(at: day(Double(number))) }
        #expect(rig.stored.map(\.days.count) == [4] && rig.stored.map(\.months.count) == [4])
    }

    @Test("a block holds a thousand calls at most")
    func blocks() {
        var rig = MeterRig(UsageLimits(callsPerDay: 1_000_000_000))
        #expect(rig.book.take(rig.agreement, at: day(1)).reservation?.record.days.map(\.calls) == [1_000])
        rig.crash()
    }

    @Test("a higher version goes on where the one before it stands")
    func versions() {
        var rig = MeterRig(UsageLimits(callsPerDay: 5))
        #expect(rig.passAll(at: day(1)) == 5)
        var next = MeterRig(UsageLimits(callsPerDay: 7), version: 2)
        next.book = rig.book
        #expect(next.passAll(at: day(1)) == 2)
    }

    @Test("two peers whose agreements have the same id use nothing of one another's limits, over a crash too")
    func sameID() {
        var one = MeterRig(UsageLimits(callsPerDay: 5))
        var other = MeterRig(UsageLimits(callsPerDay: 7), peer: 3)
        #expect(one.agreement.id == other.agreement.id)
        #expect(one.passAll(at: day(1)) == 5)
        other.book = one.book
        #expect(other.passAll(at: day(1)) == 7)
        one.book = MeterBook()
        one.book.restore(one.stored + other.stored)
        #expect(one.passAll(at: day(1)) == 0)
    }

    @Test("two peers with the same id and unequal rates do not fill one another's buckets")
    func sameIDRates() {
        var one = MeterRig(UsageLimits(rate: RateLimit(calls: 1, seconds: 60, burst: 3)))
        var other = MeterRig(UsageLimits(rate: RateLimit(calls: 2, seconds: 60, burst: 3)), peer: 3)
        var passed = 0
        for _ in 0..<20 {
            if one.pass(at: day(1)) { passed += 1 }
            other.book = one.book
            if other.pass(at: day(1)) { passed += 1 }
            one.book = other.book
        }
        #expect(passed == 6)
    }

    @Test("a version with another rate gives no burst anew")
    func otherRate() {
        var rig = MeterRig(UsageLimits(rate: RateLimit(calls: 1, seconds: 60, burst: 3)))
        #expect(rig.passAll(at: day(1)) == 3)
        var next = MeterRig(UsageLimits(rate: RateLimit(calls: 2, seconds: 60, burst: 4)), version: 2)
        next.book = rig.book
        #expect(next.passAll(at: day(1)) == 1)
        let later = Moment(instant: day(1).instant + .seconds(30), wall: day(1).wall)
        #expect(next.passAll(at: later) == 1)
    }

    @Test("80 and 100 percent are told once in each window, over a crash too")
    func alerts() {
        var rig = MeterRig(UsageLimits(callsPerDay: 10))
        for _ in 0..<2 {
            #expect(rig.passAll(at: day(1), most: 8) <= 8)
            rig.settle()
            rig.crash()
        }
        _ = rig.passAll(at: day(1))
        #expect(rig.alerts.map(\.percent) == [80, 100])
        #expect(rig.alerts.map(\.reading.used) == [8, 10])
        #expect(rig.passAll(at: day(2)) == 10)
        #expect(rig.alerts.map(\.percent) == [80, 100, 80, 100])
    }

    @Test("an agreement without limits has no meter")
    func none() {
        var rig = MeterRig(UsageLimits(hops: 2))
        #expect(rig.passAll(at: day(1), most: 50) == 50)
        #expect(rig.book.count == 0 && rig.stored.isEmpty)
    }
}
