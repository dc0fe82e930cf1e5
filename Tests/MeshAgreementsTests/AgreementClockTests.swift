import MeshBase
import Testing

@testable import MeshAgreements

@Suite("Agreements and clocks that are wrong")
struct AgreementClockTests {
    @Test("a clock that runs ahead ends no agreement, and echo is offered anew when it is set right")
    func survivesClockAhead() {
        var (a, b) = pair(AgreementConfiguration())
        deliver(&a, &b, at: day(0))
        deliver(&b, &a, at: day(0))
        a.take(.timeReached, at: day(365))
        #expect(a.notices.filter { $0.action == .expired }.count == 1)
        #expect(a.book.records.map(\.agreement.version) == [1, 2])
        a.take(.timeReached, at: day(365.1))
        #expect(a.notices.filter { $0.action == .expired }.count == 1)
        // The clock is set right; the peer refuses what was offered meanwhile, as from the future.
        deliver(&a, &b, at: day(0.1))
        let refusals = b.notices.last?.refusals ?? []
        #expect(refusals.map(\.code) == [.clockSkew])
        deliver(&b, &a, at: day(0.1))
        #expect(a.states.prefix(2) == [.active(acceptance: .byPeer), .ended(.rejected(refusals))])
        // That was no word against echo: it is offered anew by the right clock, and accepted.
        deliver(&a, &b, at: day(0.1))
        deliver(&b, &a, at: day(0.1))
        #expect(a.book.records.map(\.agreement.version) == [1, 2, 3])
        #expect(a.states.last == .active(acceptance: .byPeer))
    }

    @Test("what is over is not said again, and takes no place of what is not")
    func leavesWhatIsOver() {
        var (a, b) = pair()
        for number in 1...Limits.automaticAgreementsPerPeer {
            a.take(.offerRequested(Ticket(UInt64(number)), request(b.node, "r\(number)")), at: day(0))
        }
        deliver(&a, &b, at: day(0))
        a.outgoing = []
        a.take(.linkCameUp(b.node), at: day(60))
        #expect(a.outgoing.isEmpty)
        a.take(.offerRequested(Ticket(99), request(b.node, "late")), at: day(60))
        deliver(&a, &b, at: day(60))
        #expect(b.book.records.filter { $0.state == .active(acceptance: .automatic) }.count == 33)
    }
}
