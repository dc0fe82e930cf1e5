import MeshBase
import Testing

@testable import MeshAgreements

@Suite("Warnings before an agreement's end")
struct ExpiryWarningTests {
    /// Two parties with an agreement that both signed on day 0.
    private func agreed(life: Duration) -> (Party, Party) {
        var (a, b) = pair(
            AgreementConfiguration(echoOffer: .none),
            AgreementConfiguration(automaticAcceptance: .none, echoOffer: .none))
        a.take(.offerRequested(Ticket(1), request(b.node, life: life)), at: day(0))
        deliver(&a, &b, at: day(0))
        if let id = b.book.records.first?.contentID {
            b.take(.acceptanceRequested(Ticket(1), id), at: day(0))
        }
        deliver(&b, &a, at: day(0))
        return (a, b)
    }

    private func told(_ party: Party) -> [String] {
        party.notices.filter { $0.action == .expiring }.compactMap { notice in
            notice.facts.first { $0.name == "ends within days" }?.value
        }
    }

    /// Lets time pass to `last`, at each deadline and at least once an hour.
    private func pass(_ party: inout Party, from first: Double, to last: Double) {
        var date = first
        while date < last {
            party.take(.timeReached, at: day(date))
            date += 1.0 / 24
        }
    }

    @Test("30, 7 and 1 days ahead are told once each, on both sides")
    func levels() {
        var (a, b) = agreed(life: days(90))
        for (end, expected) in [
            (59.9, []), (60.1, ["30"]), (82.9, ["30"]), (83.1, ["30", "7"]), (89.1, ["30", "7", "1"]),
            (95, ["30", "7", "1"]),
        ] as [(Double, [String])] {
            pass(&a, from: end - 0.2, to: end)
            pass(&b, from: end - 0.2, to: end)
            #expect(told(a) == expected && told(b) == expected, "\(end)")
        }
        #expect(a.notices.filter { $0.action == .expired }.count == 1)
    }

    @Test(
        "what an agreement's whole life is shorter than is not told",
        arguments: [(7, ["1"]), (1, []), (8, ["7", "1"])])
    func short(life: Int, expected: [String]) {
        // Its life begins 300 s before it is offered.
        var (a, _) = agreed(life: days(life) - .seconds(400))
        pass(&a, from: 0, to: Double(life))
        #expect(told(a) == expected)
    }

    @Test("each is told once over crashes, and a clock that goes back and forth")
    func once() {
        var (a, _) = agreed(life: days(90))
        for date in [60.1, 40, 60.2, 83.1, 10, 83.2] {
            a.take(.timeReached, at: day(date))
            a.crash(at: day(date))
            a.take(.timeReached, at: day(date))
        }
        #expect(told(a) == ["30", "7"])
    }

    @Test("after a pause the nearest of what was missed is told, and no more")
    func missed() {
        var (a, _) = agreed(life: days(90))
        a.crash(at: day(89.5))
        #expect(told(a) == ["1"])
    }

    @Test("the book asks to be woken for the next of them")
    func deadline() {
        var (a, _) = agreed(life: days(90))
        a.take(.timeReached, at: day(60))
        var date = day(59.99)
        var book = a.book
        while let next = book.nextDeadline, told(a).isEmpty, next < day(62).instant {
            date = Moment(instant: next, wall: day(0).wall + (next - day(0).instant))
            a.take(.timeReached, at: date)
            book = a.book
        }
        #expect(told(a) == ["30"] && date.wall <= day(60.1).wall)
    }

    @Test("an offer that waits and the built-in one are told nothing of")
    func others() {
        var (a, b) = pair(
            AgreementConfiguration(echoOffer: .none),
            AgreementConfiguration(automaticAcceptance: .none, echoOffer: .none))
        a.take(.offerRequested(Ticket(1), request(b.node, life: days(90))), at: day(0))
        deliver(&a, &b, at: day(0))
        pass(&b, from: 80, to: 89.9)
        #expect(told(b).isEmpty)
    }
}
