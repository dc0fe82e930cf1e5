import MeshBase
import Testing

@testable import MeshAgreements

@Suite("A step that a crash broke off between two writes")
struct BrokenOffStepTests {
    /// Two parties with one agreement in force, `a` the provider.
    private func agreed() throws -> (Party, Party, AgreementRecord) {
        var (a, b) = pair()
        a.take(.offerRequested(Ticket(1), request(b.node)), at: day(0))
        deliver(&a, &b, at: day(0))
        deliver(&b, &a, at: day(0))
        return (a, b, try #require(a.book.records.first))
    }

    /// The store of `party` without the last write of one version, which stands there as it did in `before`.
    private func breakOff(_ party: inout Party, before: [AgreementRecord], _ contentID: Digest) throws {
        let place = try #require(party.stored.firstIndex { $0.contentID == contentID })
        party.stored[place] = try #require(before.first { $0.contentID == contentID })
        party.notices = []
        party.crash(at: day(2))
    }

    @Test("a lower version is over with the start, in the store and the audit too", arguments: [true, false])
    func replaced(isProvider: Bool) throws {
        var (a, b, first) = try agreed()
        let before = isProvider ? a.stored : b.stored
        a.take(
            .offerRequested(Ticket(2), request(b.node, "stock", replaces: first.agreement.id)), at: day(1))
        deliver(&a, &b, at: day(1))
        deliver(&b, &a, at: day(1))
        var party = isProvider ? a : b
        let whole = party.states
        try breakOff(&party, before: before, first.contentID)
        #expect(party.states == whole && whole.first == .ended(.replaced))
        #expect(Set(party.stored.map { "\($0.state)" }) == Set(whole.map { "\($0)" }))
        #expect(party.notices.map(\.action) == [.replaced])
        party.notices = []
        party.crash(at: day(2))
        #expect(party.notices.isEmpty, "what is over is not ended again")
    }

    @Test(
        "every version of a revoked agreement is over with the start", arguments: [true, false],
        [true, false])
    func revoked(isProvider: Bool, isNamedLast: Bool) throws {
        var (a, b, first) = try agreed()
        // The second version waits for a person.
        let next = OfferRequest(
            peer: b.node, grants: [Grant(resource: name("stock"), capabilities: nil)],
            approvals: ApprovalRules(provider: [.accountable], consumer: []), life: days(30),
            replaces: first.agreement.id)
        a.take(.offerRequested(Ticket(2), next), at: day(1))
        deliver(&a, &b, at: day(1))
        let before = isProvider ? a.stored : b.stored
        #expect(before.count == 2)
        let order = RevocationOrder(contentID: first.contentID, orderedBy: .local, reason: "moved")
        if isProvider {
            a.take(.revocationRequested(Ticket(9), order), at: day(1))
        } else {
            a.take(.revocationRequested(Ticket(9), order), at: day(1))
            deliver(&a, &b, at: day(1))
        }
        var party = isProvider ? a : b
        let whole = party.states
        let other = try #require(before.first { $0.contentID != first.contentID }).contentID
        try breakOff(&party, before: before, isNamedLast ? first.contentID : other)
        #expect(party.states == whole)
        #expect(party.states.allSatisfy { if case .ended(.revoked) = $0 { true } else { false } })
        #expect(party.notices.map(\.action) == [isProvider ? .revoked : .revokedByPeer])
    }

    @Test("what lacked nothing any more is in force with the start", arguments: [true, false])
    func activated(isProvider: Bool) throws {
        var two = Approving()
        two.agree()
        var party = isProvider ? two.a : two.b
        let place = try #require(party.stored.firstIndex { $0.contentID == two.contentID })
        guard case .active(let acceptance) = party.stored[place].state else {
            Issue.record("\(party.stored[place].state)")
            return
        }
        party.stored[place].state = .signed(acceptance: acceptance)
        party.crash(at: day(2))
        #expect(party.states == [.active(acceptance: acceptance)])
        #expect(party.stored[place].state == .active(acceptance: acceptance))
        // Where an approval is not known to be heard, it goes on waiting.
        let own = try #require(party.stored[place].approvals.firstIndex { $0.evidence.party == party.node })
        party.stored[place].state = .signed(acceptance: acceptance)
        party.stored[place].approvals[own].isHeard = false
        party.crash(at: day(2))
        #expect(party.states == [.signed(acceptance: acceptance)])
    }

    @Test("what is damaged is not taken again in its version or a lower one, and in a higher one it is")
    func damaged() throws {
        var (a, b, first) = try agreed()
        let id = first.agreement.id
        a.take(.offerRequested(Ticket(2), request(b.node, "stock", replaces: id)), at: day(1))
        deliver(&a, &b, at: day(1))
        deliver(&b, &a, at: day(1))
        let second = try #require(b.stored.first { $0.agreement.version == 2 })
        let refusal = Refusal(.documentInvalid, [])
        b.stored = []
        let damaged = DamagedAgreement(second, at: b.node, refusal: refusal)
        b.crash(at: day(2), damaged: [damaged])
        b.take(.peerTrusted(a.node, a.key), at: day(2))
        #expect(b.book.highestVersion(of: id, with: a.node) == 2)
        for offer in [first.document, second.document] {
            b.outgoing = []
            b.take(.messageArrived(from: a.node, .offer(offer)), at: day(2))
            #expect(b.states.isEmpty)
            guard case .rejected(_, let refusals)? = b.outgoing.first?.1 else {
                Issue.record("\(b.outgoing)")
                return
            }
            #expect(refusals.flatMap(\.facts).contains(Fact("highest known version", 2)))
        }
        #expect(b.book.damaged == [damaged])
        a.take(.offerRequested(Ticket(3), request(b.node, "stock", replaces: id)), at: day(2))
        deliver(&a, &b, at: day(2))
        #expect(b.states == [.active(acceptance: .automatic)])
        // What stood beneath it is forgotten, and is taken no more all the same.
        #expect(b.book.damaged.isEmpty)
        #expect(b.forgotten == [second.contentID])
        #expect(b.notices.last { $0.action == .buried }?.contentID == second.contentID)
        #expect(b.book.highestVersion(of: id, with: a.node) == 3)
        // A crash before the row was gone finds it beside the higher version.
        b.forgotten = []
        b.crash(at: day(2), damaged: [damaged])
        #expect(b.book.damaged.isEmpty && b.forgotten == [second.contentID])
    }

    @Test("what is damaged stays for a lower version, a mere offer, another agreement and another peer")
    func damagedStays() throws {
        var (a, b, first) = try agreed()
        let id = first.agreement.id
        func damaged(_ id: AgreementID?, _ version: Int64, with peer: NodeID, _ content: UInt8)
            -> DamagedAgreement
        {
            DamagedAgreement(
                contentID: TestSuite().digest([content]), peer: peer, id: id, version: version,
                until: first.agreement.validUntil, refusal: Refusal(.documentInvalid, []))
        }
        var generator = SeededGenerator(seed: 5)
        let other = AgreementID(using: &generator)
        let stranger = NodeID(TestSuite().digest([9]))
        let staying = [
            damaged(other, 0, with: a.node, 3), damaged(nil, 0, with: a.node, 4),
            damaged(id, 0, with: stranger, 5),
        ]
        let beneath = damaged(id, 1, with: a.node, 1)
        b.crash(at: day(2), damaged: staying + [beneath])
        #expect(b.forgotten.isEmpty && b.book.damaged.count == 4)
        b.take(.peerTrusted(a.node, a.key), at: day(2))
        // Longer than the rule takes by itself.
        a.take(.offerRequested(Ticket(4), request(b.node, "stock", life: days(60), replaces: id)), at: day(2))
        deliver(&a, &b, at: day(2))
        let offer = try #require(b.book.records.first { $0.agreement.version == 2 })
        #expect(offer.state == .offered && b.forgotten.isEmpty && b.book.damaged.count == 4)
        b.take(.acceptanceRequested(Ticket(5), offer.contentID), at: day(2))
        #expect(b.forgotten == [beneath.contentID])
        #expect(Set(b.book.damaged.map(\.contentID)) == Set(staying.map(\.contentID)))
    }
}
