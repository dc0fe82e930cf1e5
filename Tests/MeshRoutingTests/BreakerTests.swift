import MeshBase
import Testing

@testable import MeshRouting

private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

@Suite("Breaker")
struct BreakerTests {
    @Test("opens on five failures in a row, not on four with a success between")
    func opensInARow() {
        var rig = Rig()
        rig.calls(.failed, 4)
        rig.calls(.succeeded, 1)
        rig.calls(.failed, 4)
        #expect(rig.breaker.standing(at: at(0)) == .closed)
        rig.calls(.failed, 1)
        #expect(rig.breaker.standing(at: at(0)).word == "open")
    }

    @Test("opens at half of twenty calls in ten seconds, not at nine of nineteen")
    func opensByShare() {
        var rig = Rig()
        for _ in 0..<9 {
            rig.calls(.succeeded, 1)
            rig.calls(.failed, 1)
        }
        rig.calls(.succeeded, 1)
        #expect(rig.breaker.standing(at: at(0)) == .closed)
        rig.calls(.failed, 1)
        #expect(rig.breaker.standing(at: at(0)).word == "open")
    }

    @Test("forgets what is older than ten seconds")
    func forgets() {
        var rig = Rig()
        for _ in 0..<9 {
            rig.calls(.succeeded, 1)
            rig.calls(.failed, 1)
        }
        rig.now = 11_000
        for _ in 0..<9 {
            rig.calls(.succeeded, 1)
            rig.calls(.failed, 1)
        }
        #expect(rig.breaker.standing(at: at(11_000)) == .closed)
    }

    @Test("refusals and cancelled calls count for nothing")
    func ignoresNeutral() {
        var rig = Rig()
        rig.calls(.neutral, 100)
        #expect(rig.breaker.standing(at: at(0)) == .closed)
    }

    @Test("stays open for at most a second, then two, up to thirty")
    func doubles() {
        var rig = Rig()
        rig.calls(.failed, 5)
        for longest in [1, 2, 4, 8, 16, 30, 30] as [Int64] {
            guard case .open(let until) = rig.breaker.standing(at: at(rig.now)) else {
                Issue.record("closed")
                return
            }
            let span = (until - at(rig.now)).wholeMilliseconds
            #expect(span <= longest * 1000 && span >= longest * 800)
            let none = rig.breaker.admit(at: at(rig.now))
            #expect(none == nil)
            rig.now += span + 1
            rig.calls(.failed, 1)
        }
    }

    @Test("lets one probe through when half-open, and closes after three")
    func probes() {
        var rig = Rig()
        rig.calls(.failed, 5)
        rig.now = 2000
        #expect(rig.breaker.standing(at: at(2000)) == .halfOpen)
        for _ in 0..<3 {
            let probe = rig.breaker.admit(at: at(2000))
            let second = rig.breaker.admit(at: at(2000))
            #expect(probe != nil && second == nil)
            #expect(rig.breaker.standing(at: at(2000)) == .probing)
            rig.settle(probe, .succeeded)
        }
        #expect(rig.breaker.standing(at: at(2000)) == .closed)
    }

    @Test("a probe that was refused by policy gives its place to another")
    func neutralProbe() {
        var rig = Rig()
        rig.calls(.failed, 5)
        rig.now = 2000
        rig.calls(.neutral, 3)
        #expect(rig.breaker.standing(at: at(2000)) == .halfOpen)
    }

    @Test("ignores results that belong to an earlier opening")
    func ignoresLate() {
        var rig = Rig()
        let late = (0..<10).map { _ in rig.breaker.admit(at: at(0)) }
        rig.calls(.failed, 5)
        rig.now = 2000
        let probe = rig.breaker.admit(at: at(2000))
        for admission in late { rig.settle(admission, .failed) }
        #expect(rig.breaker.standing(at: at(2000)) == .probing)
        rig.settle(probe, .succeeded)
        for admission in late { rig.settle(admission, .succeeded) }
        #expect(rig.breaker.standing(at: at(2000)) == .halfOpen)
    }

    @Test("what failed before it opened counts nothing once it is closed again")
    func forgetsEarlierEras() {
        var rig = Rig()
        let late = (0..<5).map { _ in rig.breaker.admit(at: at(0)) }
        rig.calls(.failed, 5)
        rig.now = 2000
        rig.calls(.succeeded, 3)
        for admission in late { rig.settle(admission, .failed) }
        #expect(rig.breaker.standing(at: at(2000)) == .closed)
    }

    @Test("a link that goes down opens it at once, and its return is half-open")
    func trips() {
        var rig = Rig()
        rig.breaker.trip()
        #expect(rig.breaker.standing(at: at(1_000_000)) == .open(until: .never))
        let none = rig.breaker.admit(at: at(1_000_000))
        #expect(none == nil)
        rig.breaker.release()
        #expect(rig.breaker.standing(at: at(0)) == .halfOpen)
    }

    @Test("looking changes nothing")
    func looking() {
        var rig = Rig()
        rig.calls(.failed, 5)
        let before = rig.breaker
        _ = rig.breaker.standing(at: at(100_000))
        #expect(rig.breaker == before)
    }

    @Test("never lets two probes out at once, and always comes back")
    func property() {
        for seed in 0..<200 {
            var generator = SeededGenerator(seed: UInt64(seed))
            var rig = Rig(seed: UInt64(seed))
            let failing = generator.number(below: 101)
            var out: [Breaker.Admission] = []
            for _ in 0..<300 {
                rig.now += Int64(generator.number(below: 400))
                if generator.number(below: 50) == 0 { rig.breaker.trip() }
                if generator.number(below: 10) == 0 { rig.breaker.release() }
                if generator.number(below: 2) == 0, let admission = rig.breaker.admit(at: at(rig.now)) {
                    let era = out.filter { $0.era == admission.era && $0.isProbe }
                    #expect(!admission.isProbe || era.isEmpty, "seed \(seed)")
                    out.append(admission)
                } else if let admission = out.popLast() {
                    let failed = generator.number(below: 100) < failing
                    rig.settle(
                        admission, generator.number(below: 9) == 0 ? .neutral : failed ? .failed : .succeeded)
                }
            }
            rig.breaker.release()
            for admission in out { rig.settle(admission, .neutral) }
            rig.now += 31_000
            rig.calls(.succeeded, 3)
            #expect(rig.breaker.standing(at: at(rig.now)) == .closed, "seed \(seed)")
        }
    }

    private struct Rig {
        var breaker = Breaker()
        var generator: SeededGenerator
        var now: Int64 = 0

        init(seed: UInt64 = 1) { generator = SeededGenerator(seed: seed) }

        mutating func calls(_ outcome: Breaker.Outcome, _ count: Int) {
            for _ in 0..<count { settle(breaker.admit(at: at(now)), outcome) }
        }

        mutating func settle(_ admission: Breaker.Admission?, _ outcome: Breaker.Outcome) {
            guard let admission else { return }
            breaker.settle(admission, as: outcome, at: at(now), using: &generator)
        }
    }
}

@Suite("Retry budget, latency and choice")
struct ChoiceTests {
    @Test("retries stay within a tenth of the calls, one a second, and what there was at the start")
    func budget() {
        for seed in 0..<50 {
            var generator = SeededGenerator(seed: UInt64(seed))
            var budget = RetryBudget()
            var (now, calls, retries): (Int64, Int64, Int64) = (0, 0, 0)
            let share = generator.number(below: 101)
            for _ in 0..<2000 {
                now += Int64(generator.number(below: 60))
                if generator.number(below: 100) < share {
                    calls += 1
                    budget.deposit(at: at(now))
                } else if budget.withdraw(at: at(now)) {
                    retries += 1
                }
                #expect(retries * 1000 <= calls * 100 + now + RetryBudget.atStart * 1000)
            }
        }
    }

    @Test("calls save up a hundred retries, and not one more")
    func budgetBound() {
        var budget = RetryBudget()
        for _ in 0..<1_000 { budget.deposit(at: at(0)) }
        #expect(budget.left == RetryBudget.kept)
        budget.deposit(at: at(0))
        var taken = 0
        while budget.withdraw(at: at(0)) { taken += 1 }
        #expect(taken == Int(RetryBudget.kept))
    }

    @Test("an empty budget earns one retry a second")
    func earns() {
        var budget = RetryBudget()
        while budget.withdraw(at: at(0)) {}
        let taken = [999, 1000, 1001].map { budget.withdraw(at: at($0)) }
        #expect(taken == [false, true, false])
    }

    @Test("an estimate jumps up at once and comes down by a tenth a second, also without news")
    func estimate() {
        var estimate = LatencyEstimate()
        #expect(estimate.value(at: at(0)) == 0)
        estimate.observe(.milliseconds(10), at: at(0))
        estimate.observe(.seconds(2), at: at(10))
        #expect(estimate.value(at: at(10)) == 2_000_000)
        #expect(estimate.value(at: at(510)) == 1_900_000)
        #expect(estimate.value(at: at(1010)) == 1_800_000)
        estimate.observe(.milliseconds(10), at: at(1010))
        #expect(estimate.value(at: at(1010)) == 1_801_000)
        #expect(estimate.value(at: at(150_000)) == 0)
    }

    @Test("an estimate comes down as fast under many samples as under few")
    func estimateUnderLoad() {
        for spacing in [1, 10, 1000] as [Int64] {
            var estimate = LatencyEstimate()
            estimate.observe(.milliseconds(500), at: at(0))
            for now in stride(from: spacing, through: 14_000, by: Int64.Stride(spacing)) {
                estimate.observe(.milliseconds(1), at: at(now))
            }
            #expect((100_000...140_000).contains(estimate.value(at: at(14_000))), "every \(spacing) ms")
        }
    }

    @Test("the local place is taken first, then the better of two")
    func picks() {
        var generator = SeededGenerator(seed: 5)
        let slow = Picker.Candidate(isLocal: false, microseconds: 9000, inFlight: 0)
        let busy = Picker.Candidate(isLocal: false, microseconds: 1000, inFlight: 20)
        let quick = Picker.Candidate(isLocal: false, microseconds: 1000, inFlight: 0)
        let local = Picker.Candidate(isLocal: true, microseconds: 900_000, inFlight: 99)
        let none = Picker.pick([], using: &generator)
        #expect(none == nil)
        for _ in 0..<100 {
            let better = [[slow, quick], [busy, slow], [quick, local]].map {
                Picker.pick($0, using: &generator)
            }
            #expect(better == [1, 1, 1])
        }
        let equal = (0..<3000).map { _ in Picker.pick([quick, quick, quick], using: &generator)! }
        for index in 0..<3 { #expect((800...1200).contains(equal.filter { $0 == index }.count)) }
    }
}
