import MeshBase
import Testing

@testable import MeshAgreements

@Suite("Words that the other party has not said that it has")
struct RepeatedWordTests {
    /// So many seconds into the second day.
    private func at(_ seconds: Int) -> Moment {
        let start = day(1)
        return Moment(instant: start.instant + .seconds(seconds), wall: start.wall + .seconds(seconds))
    }

    /// Lets `party` sleep and wake by its own deadlines until `end`; the seconds at which it said anything.
    private func wake(_ party: inout Party, from start: Int, until end: Int) -> [Int] {
        var said: [Int] = []
        party.outgoing = []
        for second in start...end {
            guard let deadline = party.book.nextDeadline, deadline <= at(second).instant else { continue }
            party.take(.timeReached, at: at(second))
            if !party.outgoing.isEmpty { said.append(second) }
            party.outgoing = []
        }
        return said
    }

    private func isApproval(_ message: AgreementMessage) -> Bool {
        if case .approval = message { true } else { false }
    }

    @Test("a word that is not answered is said again on one link, ever more rarely, and no more in the end")
    func approval() {
        var two = Approving()
        two.annSays(.approve)
        #expect(two.a.outgoing.contains { isApproval($0.1) })
        let first = wake(&two.a, from: 0, until: 10_000)
        #expect(first == [30, 90, 210, 450, 930, 1_890])
        // The next link begins anew, and so does another word.
        two.a.take(.linkCameUp(two.b.node), at: at(10_000))
        #expect(two.a.outgoing.contains { isApproval($0.1) })
        let second = wake(&two.a, from: 10_001, until: 10_100)
        #expect(second == [10_030, 10_090])
        let rest = wake(&two.a, from: 10_101, until: 20_000)
        #expect(rest.count == 4)
        two.annSays(.approve, as: [.consulted], at: at(20_000))
        let third = wake(&two.a, from: 20_001, until: 20_100)
        #expect(third == [20_030, 20_090])
    }

    @Test("a revocation is said again, too, and nothing is once it is heard or the trust is gone")
    func revocation() throws {
        for isHeard in [true, false] {
            var (a, b) = pair()
            a.take(.offerRequested(Ticket(1), request(b.node)), at: day(0))
            deliver(&a, &b, at: day(0))
            deliver(&b, &a, at: day(0))
            let id = try #require(a.book.records.first).contentID
            let order = RevocationOrder(contentID: id, orderedBy: .local, reason: "")
            a.take(.revocationRequested(Ticket(2), order), at: at(0))
            let said = a.outgoing
            let before = wake(&a, from: 0, until: 40)
            #expect(before == [30])
            if isHeard {
                a.outgoing = said
                deliver(&a, &b, at: at(40))
                deliver(&b, &a, at: at(40))
            } else {
                a.take(.peerLost(b.node), at: at(40))
            }
            let after = wake(&a, from: 41, until: 5_000)
            #expect(after.isEmpty)
        }
    }

    @Test("an approval that the other side has no check to spare for is taken when it is said again")
    func busy() {
        var two = Approving()
        let stray = Person(13).says(
            .approve, for: two.a.node, to: two.contentID, as: [.accountable], at: at(0))
        two.annSays(.approve, at: at(0))
        let word = two.a.outgoing
        let statement = two.a.people.first?.document
        for _ in 0..<Limits.signatureChecksPerSecond {
            guard let statement else { continue }
            two.b.take(
                .messageArrived(
                    from: two.a.node, .approval(VouchedApproval(approval: stray, vouching: statement))),
                at: at(0))
        }
        two.a.outgoing = word
        deliver(&two.a, &two.b, at: at(0))
        #expect(two.b.book.records.first?.approvals.isEmpty == true)
        two.a.take(.timeReached, at: at(30))
        deliver(&two.a, &two.b, at: at(30))
        #expect(two.b.book.records.first?.approvals.count == 1)
        deliver(&two.b, &two.a, at: at(30))
        #expect(two.a.book.records.first?.approvals.map(\.isHeard) == [true])
    }

    /// Why the other side does not take what was said first.
    private func reasons(_ party: Party) -> [String]? {
        let refusals = party.stored.first?.approvals.first?.refusals
        return refusals?.flatMap(\.facts).filter { $0.name == "because" }.map(\.value)
    }

    @Test("why the other side does not take it is kept for whoever gave it, told once, until it is taken")
    func refused() {
        var two = Approving()
        // The other side's clock is ten minutes behind.
        two.annSays(.approve, at: at(600))
        deliver(&two.a, &two.b, at: at(0))
        deliver(&two.b, &two.a, at: at(600))
        #expect(reasons(two.a) == ["it is dated ahead"])
        two.a.take(.timeReached, at: at(630))
        deliver(&two.a, &two.b, at: at(30))
        deliver(&two.b, &two.a, at: at(630))
        #expect(two.a.notices.count { $0.action == .approvalRefused } == 1)
        #expect(two.a.book.records.first?.approvals.map(\.isHeard) == [false])
        // It was put right.
        two.a.take(.timeReached, at: at(690))
        deliver(&two.a, &two.b, at: at(690))
        deliver(&two.b, &two.a, at: at(690))
        #expect(two.a.book.records.first?.approvals.map(\.isHeard) == [true])
        #expect(reasons(two.a) == nil)
    }

    @Test("a refusal of what was not said, or was heard, changes nothing")
    func stray() throws {
        var two = Approving()
        two.annSays(.approve)
        two.talk(at: day(1))
        let before = two.a.book.records
        let word = try #require(before.first?.approvals.first).evidence.approval
        for id in [word.contentID(using: two.a.suite), two.contentID] {
            let refusal = AgreementMessage.approvalRefused(id, [Refusal(.approvalInvalid)])
            two.a.take(.messageArrived(from: two.b.node, refusal), at: day(1))
        }
        #expect(two.a.book.records == before)
    }

    @Test("a peer that says ever other reasons is heard once a link, and one without reasons not at all")
    func alternating() throws {
        var two = Approving()
        two.annSays(.approve)
        let word = try #require(two.a.book.records.first?.approvals.first).evidence.approval
        let id = word.contentID(using: two.a.suite)
        let codes: [[Refusal]] = [[], [Refusal(.approvalInvalid)], [], [Refusal(.limitReached)]]
        for refusals in codes + codes {
            two.a.take(.messageArrived(from: two.b.node, .approvalRefused(id, refusals)), at: day(1))
        }
        #expect(two.a.notices.count { $0.action == .approvalRefused } == 1)
        #expect(two.a.book.records.first?.approvals.first?.refusals?.map(\.code) == [.approvalInvalid])
        two.a.take(.linkCameUp(two.b.node), at: day(1))
        let other = AgreementMessage.approvalRefused(id, [Refusal(.limitReached)])
        two.a.take(.messageArrived(from: two.b.node, other), at: day(1))
        #expect(two.a.notices.count { $0.action == .approvalRefused } == 2)
    }
}
