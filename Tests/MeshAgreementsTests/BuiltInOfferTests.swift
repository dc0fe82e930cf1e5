import MeshBase
import Testing

@testable import MeshAgreements

@Suite("The offer of echo beside the operator's versions of it")
struct BuiltInOfferTests {
    /// `a` offers echo by itself; both signed.
    private func agreed() throws -> (Party, Party, AgreementID) {
        var (a, b) = pair(AgreementConfiguration())
        deliver(&a, &b, at: day(0))
        deliver(&b, &a, at: day(0))
        return (a, b, try #require(a.book.records.first).agreement.id)
    }

    @Test(
        "a version that the operator put in its place stands until it is over; then echo takes the next number"
    )
    func operatorsVersion() throws {
        var (a, b, id) = try agreed()
        a.take(.offerRequested(Ticket(2), request(b.node, life: days(60), replaces: id)), at: day(1))
        deliver(&a, &b, at: day(1))
        deliver(&b, &a, at: day(1))
        let states = [AgreementState.ended(.replaced), .active(acceptance: .byOperator)]
        b.take(.acceptanceRequested(Ticket(3), try #require(b.stored.last).contentID), at: day(1))
        deliver(&b, &a, at: day(1))
        #expect(b.states == states)
        for date in [1, 21, 31, 60] as [Double] {
            a.take(.peerTrusted(b.node, b.key), at: day(date))
            a.take(.timeReached, at: day(date))
            #expect(a.book.records.map(\.origin) == [.builtIn, .byOperator], "on day \(date)")
        }
        a.take(.timeReached, at: day(61.1))
        #expect(a.book.records.map(\.agreement.version) == [1, 2, 3])
        deliver(&a, &b, at: day(61.1))
        deliver(&b, &a, at: day(61.1))
        #expect(a.states.last == .active(acceptance: .byPeer))
    }

    @Test("a version of the operator's that the peer refused takes nothing from it")
    func refusedVersion() throws {
        var (a, b, id) = try agreed()
        a.take(.offerRequested(Ticket(2), request(b.node, life: days(60), replaces: id)), at: day(1))
        a.outgoing = []
        let second = try #require(a.stored.last).contentID
        a.take(.messageArrived(from: b.node, .rejected(second, [Refusal(.limitReached)])), at: day(1))
        a.take(.timeReached, at: day(20))
        #expect(a.book.records.map(\.agreement.version) == [1, 2, 3])
        #expect(a.book.records.map(\.origin) == [.builtIn, .byOperator, .builtIn])
    }

    @Test("echo is not offered again after the operator's version of it was revoked")
    func revokedVersion() throws {
        var (a, b, id) = try agreed()
        a.take(.offerRequested(Ticket(2), request(b.node, life: days(20), replaces: id)), at: day(1))
        deliver(&a, &b, at: day(1))
        deliver(&b, &a, at: day(1))
        let order = RevocationOrder(
            contentID: try #require(a.stored.first { $0.agreement.version == 2 }).contentID,
            orderedBy: .local,
            reason: "moved")
        a.take(.revocationRequested(Ticket(9), order), at: day(2))
        for date in [2, 22, 31] as [Double] {
            a.take(.peerTrusted(b.node, b.key), at: day(date))
            a.take(.timeReached, at: day(date))
        }
        #expect(
            a.book.records.count == 2 && a.states.allSatisfy { if case .ended = $0 { true } else { false } })
    }

    @Test("echo is not offered where people must approve what this node agrees to; elsewhere it is")
    func approvals() {
        for (roles, count) in [([], 1), ([ApprovalRole.accountable], 0)] {
            let configuration = AgreementConfiguration(approvalsRequired: roles)
            let (a, _) = pair(configuration, configuration)
            #expect(a.book.records.count == count, "\(roles)")
        }
    }
}
