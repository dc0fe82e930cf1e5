import MeshAgreements
import MeshBase
import MeshGossip
import MeshSimulator
import Testing

@testable import MeshNode

@Suite("The watch over drift")
struct DriftWatchTests {
    private let peer = SimulatedKey(2).node
    private let start = Moment(
        instant: Instant(nanoseconds: 1_000_000_000), wall: WallTime(milliseconds: 1_800_000_000_000))

    private func mark(_ number: UInt64) -> BeliefMark { BeliefMark(number.bigEndianBytes)! }

    private func beliefs(_ count: Int = 0) -> Beliefs {
        Beliefs(
            mine: Pin(.zero), yours: Pin(.zero), domain: nil,
            agreements: BeliefSamples.agreements(count))
    }

    private func report(_ number: UInt64, _ count: Int = 0) -> [BeliefReport] {
        BeliefReport.parts(of: beliefs(count), mark(number))
    }

    private func ping(
        _ watch: inout DriftWatch, _ mine: UInt64, _ theirs: UInt64, isAtRest: Bool = true,
        after seconds: Int = 0
    ) -> [DriftWatch.Step] {
        watch.pinged(
            by: peer, mine: mark(mine), theirs: mark(theirs), isAtRest: isAtRest,
            at: start.instant + .seconds(seconds))
    }

    private let difference = [BeliefDifference(subject: "agreement", agreement: nil, here: "v3", there: "v2")]

    @Test("tells at the second ping with the same two marks, and once")
    func second() {
        var watch = DriftWatch()
        #expect(ping(&watch, 1, 2).isEmpty)
        #expect(ping(&watch, 1, 2) == [.tell(mark(1))])
        for _ in 0..<5 { #expect(ping(&watch, 1, 2).isEmpty) }
    }

    @Test("marks that are alike, that change, or that come while something is under way begin anew")
    func ordinaryChange() {
        var watch = DriftWatch()
        for number in 1...20 as ClosedRange<UInt64> { #expect(ping(&watch, number, 0).isEmpty) }
        for number in 1...20 as ClosedRange<UInt64> { #expect(ping(&watch, 0, number).isEmpty) }
        for _ in 0..<5 {
            #expect(ping(&watch, 1, 2).isEmpty)
            #expect(ping(&watch, 1, 1).isEmpty)
            #expect(ping(&watch, 1, 2).isEmpty)
            #expect(ping(&watch, 1, 2, isAtRest: false).isEmpty)
        }
        watch.linkChanged(with: peer)
        #expect(ping(&watch, 1, 2).isEmpty)
    }

    @Test(
        "compares once the marks lasted and the peer told, whichever came first; only for the peer's mark now"
    )
    func compares() {
        var first = DriftWatch()
        #expect(first.reported(by: peer, report(2)[0], at: start.instant).isEmpty)
        #expect(ping(&first, 1, 2).isEmpty)
        #expect(ping(&first, 1, 2) == [.tell(mark(1)), .compare(beliefs())])
        var second = DriftWatch()
        _ = (ping(&second, 1, 2), ping(&second, 1, 2))
        #expect(second.reported(by: peer, report(3)[0], at: start.instant).isEmpty)
        #expect(second.reported(by: peer, report(2)[0], at: start.instant) == [.compare(beliefs())])
    }

    @Test(
        "what is told again is compared once, and answered once by the own report: the peer may have lost it")
    func toldAgain() {
        var watch = DriftWatch()
        _ = (ping(&watch, 1, 2), ping(&watch, 1, 2))
        #expect(watch.reported(by: peer, report(2)[0], at: start.instant) == [.compare(beliefs())])
        #expect(watch.reported(by: peer, report(2)[0], at: start.instant) == [.tell(mark(1))])
        for _ in 0..<5 { #expect(watch.reported(by: peer, report(2)[0], at: start.instant).isEmpty) }
    }

    @Test("a report in parts counts when all came, in order")
    func parts() {
        let parts = report(2, BeliefReport.agreementsPerPart * 2 + 1)
        #expect(parts.map(\.beliefs.agreements.count) == [100, 100, 1])
        var watch = DriftWatch()
        _ = (ping(&watch, 1, 2), ping(&watch, 1, 2))
        for part in [0, 2, 1] {
            #expect(watch.reported(by: peer, parts[part], at: start.instant).isEmpty)
        }
        #expect(watch.reported(by: peer, parts[0], at: start.instant).isEmpty)
        #expect(watch.reported(by: peer, parts[1], at: start.instant).isEmpty)
        let whole = beliefs(BeliefReport.agreementsPerPart * 2 + 1)
        #expect(watch.reported(by: peer, parts[2], at: start.instant) == [.compare(whole)])
    }

    @Test("parts of another report, of another mark or of as many others, do not complete one")
    func foreignParts() {
        let many = BeliefReport.agreementsPerPart + 1
        let (whole, more) = (report(2, many), report(2, 2 * many))
        for foreign in [report(3, many)[1], more[1]] {
            var watch = DriftWatch()
            _ = (ping(&watch, 1, 2), ping(&watch, 1, 2))
            #expect(watch.reported(by: peer, whole[0], at: start.instant).isEmpty)
            #expect(watch.reported(by: peer, foreign, at: start.instant).isEmpty)
            #expect(watch.reported(by: peer, whole[1], at: start.instant).isEmpty)
        }
    }

    @Test("a report has six parts at most; what is beyond is left out")
    func bound() {
        let parts = report(2, BeliefReport.agreementsPerPart * BeliefReport.partsMax + 1)
        #expect(parts.count == BeliefReport.partsMax)
        #expect(parts.allSatisfy { $0.beliefs.agreements.count == BeliefReport.agreementsPerPart })
    }

    @Test("nothing that was seen or told before the link's end, or before both were alike, counts behind it")
    func beginsAnew() {
        var watch = DriftWatch()
        #expect(ping(&watch, 1, 2).isEmpty)
        _ = watch.reported(by: peer, report(2)[0], at: start.instant)
        watch.linkChanged(with: peer)
        #expect(ping(&watch, 1, 2).isEmpty, "one ping of the link before")
        #expect(ping(&watch, 1, 2) == [.tell(mark(1))], "a report of the link before")
        _ = watch.reported(by: peer, report(2)[0], at: start.instant)
        #expect(ping(&watch, 1, 1).isEmpty)
        #expect(ping(&watch, 1, 2).isEmpty, "a ping from before both were alike")
        #expect(ping(&watch, 1, 2) == [.tell(mark(1))], "a report from before both were alike")
    }

    @Test("a drift that becomes another is told anew, and lasts since the first")
    func another() {
        var watch = DriftWatch()
        _ = watch.found(with: peer, difference, at: start)
        let later = Moment(instant: start.instant + .seconds(60), wall: start.wall + .seconds(60))
        let other = [BeliefDifference(subject: "agreement", agreement: nil, here: "v4", there: "v2")]
        guard case .drift(let drift)? = watch.found(with: peer, other, at: later) else {
            Issue.record("not told")
            return
        }
        #expect(drift.since == start.wall && drift.differences == other)
        #expect(watch.drift(with: peer) == drift)
    }

    @Test("what is open is looked at again once the first of it is over, and when the clock was set back")
    func openAgreements() {
        let wall = start.wall
        let none = OpenAgreements([], at: wall, using: SimulatedSuite())
        #expect(none.counts(at: wall) && none.counts(at: wall + .seconds(86_400)))
        #expect(!none.counts(at: wall - .milliseconds(1)))
    }

    @Test("what was found stays without a link, and is over when the marks are alike")
    func over() {
        var watch = DriftWatch()
        let found = watch.found(with: peer, difference, at: start)
        guard case .drift(let drift)? = found else {
            Issue.record("found \(String(describing: found))")
            return
        }
        let again = watch.found(with: peer, difference, at: start)
        #expect(again == nil, "told once")
        watch.linkChanged(with: peer)
        #expect(watch.drift(with: peer) == drift)
        #expect(ping(&watch, 1, 2).isEmpty)
        #expect(ping(&watch, 1, 1) == [.over(drift)])
        #expect(watch.drift(with: peer) == nil)
        #expect(ping(&watch, 1, 1).isEmpty)
    }

    @Test("is over, too, when another comparison finds nothing any more")
    func overByComparison() {
        var watch = DriftWatch()
        guard case .drift(let drift)? = watch.found(with: peer, difference, at: start) else {
            Issue.record("no drift")
            return
        }
        let end = watch.found(with: peer, [], at: start)
        #expect(end == .over(drift) && watch.drift(with: peer) == nil)
        let nothing = watch.found(with: peer, [], at: start)
        #expect(nothing == nil)
    }

    @Test("nothing is found where the words are the same, and trust that ends ends the watch")
    func nothing() {
        var watch = DriftWatch()
        let found = watch.found(with: peer, [], at: start)
        #expect(found == nil)
        _ = watch.found(with: peer, difference, at: start)
        watch.forget(peer)
        #expect(watch == DriftWatch())
    }

    @Test("a peer whose mark never rests is told four reports, and one more each 30 s")
    func flood() {
        var watch = DriftWatch()
        var told = 0
        for second in 0..<300 {
            let theirs = UInt64(2 + second / 2)
            told += ping(&watch, 1, theirs, after: second).count { $0 == .tell(mark(1)) }
        }
        #expect((4...14).contains(told), "\(told) reports in five minutes")
    }

    @Test("a peer that reports without end is not heard beyond its share")
    func hearing() {
        var watch = DriftWatch()
        _ = (ping(&watch, 1, 2), ping(&watch, 1, 2))
        for _ in 0..<1_000 { _ = watch.reported(by: peer, report(9)[0], at: start.instant) }
        #expect(watch.reported(by: peer, report(2)[0], at: start.instant).isEmpty)
        let later = start.instant + .seconds(60)
        #expect(watch.reported(by: peer, report(2)[0], at: later) == [.compare(beliefs())])
    }
}

/// Agreements that somebody believes in.
enum BeliefSamples {
    static func agreements(_ count: Int, version: Int64 = 1) -> [BelievedAgreement] {
        var generator = SeededGenerator(seed: 5)
        return (0..<count).compactMap { _ in
            let id = AgreementID(using: &generator)
            return Digest(generator.bytes(32)).map {
                BelievedAgreement(
                    id: id, version: version, contentID: $0, standing: .active,
                    until: WallTime(milliseconds: 1_900_000_000_000), resources: [.echo])
            }
        }
    }
}
