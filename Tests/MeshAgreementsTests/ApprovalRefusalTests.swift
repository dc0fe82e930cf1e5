import MeshBase
import Testing

@testable import MeshAgreements

@Suite("Approvals that do not count")
struct ApprovalRefusalTests {
    private func codes(_ notices: [AgreementNotice]) -> [RefusalCode] {
        notices.last?.refusals.map(\.code) ?? []
    }

    private func because(_ party: Party) -> String? {
        party.notices.last?.refusals.flatMap(\.facts).first { $0.name == "because" }?.value
    }

    /// What `b` says about an approval that `a` sends.
    private func hears(
        _ two: inout Approving, _ approval: Signed<Approval>, _ vouching: Signed<Vouching>,
        at now: Moment = day(1)
    ) -> String? {
        let before = two.b.book.records
        two.b.outgoing = []
        two.b.take(
            .messageArrived(
                from: two.a.node, .approval(VouchedApproval(approval: approval, vouching: vouching))),
            at: now)
        #expect(two.b.book.records == before && two.b.outgoing.count == 1)
        let answer = AgreementMessage.approvalRefused(
            approval.contentID(using: two.b.suite), two.b.notices.last?.refusals ?? [])
        #expect(two.b.outgoing.first?.1 == answer)
        #expect(codes(two.b.notices) == [.approvalInvalid])
        return because(two.b)
    }

    private func statement(
        by node: NodeID, of key: PublicKey, signed signer: PublicKey, roles: [ApprovalRole] = [.accountable],
        until: Moment = day(30), issued: Moment = day(0)
    ) -> Signed<Vouching> {
        signed(
            Vouching(
                node: node, name: NodeName("ann")!, key: key, roles: roles, issued: issued.wall,
                until: until.wall), by: signer)
    }

    @Test("of a peer: by another hand, vouched for by another, by a role it lacks, outside the time")
    func peers() {
        var two = Approving()
        let (ann, id, a) = (two.ann, two.contentID, two.a)
        let good = ann.says(.approve, for: a.node, to: id, as: [.accountable], at: day(1))
        let statement = { self.statement(by: a.node, of: ann.key, signed: a.key) }()
        #expect(
            hears(
                &two, Person(13).says(.approve, for: a.node, to: id, as: [.accountable], at: day(1)),
                statement)
                == "it is not signed by the person")
        #expect(
            hears(&two, good, self.statement(by: a.node, of: ann.key, signed: ann.key))
                == "the statement is not signed by the party")
        #expect(
            hears(&two, good, self.statement(by: two.b.node, of: ann.key, signed: two.b.key))
                == "another party vouches")
        #expect(
            hears(&two, ann.says(.approve, for: a.node, to: id, as: [.responsible], at: day(1)), statement)
                == "the person lacks the role")
        #expect(
            hears(&two, good, self.statement(by: a.node, of: ann.key, signed: a.key, until: day(0.5)))
                == "it was given outside the statement's time")
        #expect(
            hears(&two, good, self.statement(by: a.node, of: ann.key, signed: a.key, issued: day(2)))
                == "it was given outside the statement's time")
        #expect(
            hears(&two, ann.says(.approve, for: a.node, to: id, as: [.accountable], at: day(2)), statement)
                == "it is dated ahead")
        #expect(
            hears(&two, ann.says(.approve, for: a.node, to: id, as: [], at: day(1)), statement)
                == "it breaks the rules of the document")
        #expect(
            hears(&two, good, self.statement(by: a.node, of: ann.key, signed: a.key, until: day(1097)))
                == "it breaks the rules of the document")
        #expect(
            hears(
                &two, ann.says(.approve, for: two.b.node, to: id, as: [.accountable], at: day(1)), statement)
                == "the person speaks for another party")
        // What names Ann's key and was signed by nobody who has it.
        let other = Person(13).key
        let forged = Signed(
            body: good.body, payload: good.payload,
            signatures: [
                DocumentSignature(
                    signer: a.suite.pin(of: ann.key), input: good.payload,
                    value: a.suite.signature(by: other, over: good.payload).value)
            ])
        #expect(hears(&two, forged, statement) == "it is not signed by the person")
        // The good one counts.
        two.b.outgoing = []
        two.b.take(
            .messageArrived(
                from: a.node, .approval(VouchedApproval(approval: good, vouching: statement))), at: day(1))
        #expect(two.b.book.records.first?.approvals.count == 1 && two.b.outgoing.count == 1)
    }

    @Test("here: of a key for which nobody vouches, in a role that was not given, after its time")
    func own() {
        var two = Approving(roles: [.responsible])
        let stranger = Person(99).says(
            .approve, for: two.a.node, to: two.contentID, as: [.responsible], at: day(1))
        two.a.take(.approvalGiven(Ticket(5), stranger), at: day(1))
        #expect(two.a.lastCodes == [.approvalInvalid])
        #expect(two.a.lastBecause == "this node vouches for no such key")
        two.annSays(.approve, as: [.accountable])
        #expect(two.a.lastBecause == "the person lacks the role")
        let late = two.ann.says(.approve, for: two.a.node, to: two.contentID, as: [.responsible], at: day(1))
        two.a.take(.approvalGiven(Ticket(6), late), at: day(366))
        #expect(two.a.lastBecause == "this node vouches no more")
        two.a.take(
            .approvalGiven(
                Ticket(7),
                two.ann.says(
                    .approve, for: two.a.node, to: two.a.suite.digest([1]), as: [.responsible], at: day(1))
            ),
            at: day(1))
        #expect(two.a.lastCodes == [.nothingFound])
        #expect(two.a.book.records.first?.approvals.isEmpty == true)
    }

    @Test("after the node vouches no more, however it is dated; what came before goes on counting")
    func ended() {
        var two = Approving()
        two.annSays(.approve)
        two.a.take(.vouchingEndRequested(Ticket(7), two.ann.name), at: day(2))
        two.a.take(
            .approvalGiven(
                Ticket(9),
                two.ann.says(.approve, for: two.a.node, to: two.contentID, as: [.informed], at: day(1))),
            at: day(3)
        )
        #expect(two.a.lastBecause == "this node vouches no more")
        #expect(two.a.book.records.first?.approvals.count == 1)
        two.talk(at: day(3))
        two.benSays(.approve, at: day(3))
        two.accept(at: day(3))
        two.talk(at: day(3))
        #expect(two.isHonoured == [true, true])
    }

    @Test("beyond sixteen of one party; there is room for a no")
    func bound() {
        var two = Approving()
        for number in UInt8(0)..<17 {
            let person = Person(100 + number, "p\(number)")
            two.a.take(.vouchingRequested(Ticket(1), person.vouchingOrder([.informed])), at: day(0))
            let word = person.says(
                .approve, for: two.a.node, to: two.contentID, as: [.informed], at: day(1))
            two.a.take(.approvalGiven(Ticket(2), word), at: day(1))
            #expect(two.a.lastCodes == (number < 16 ? [] : [.limitReached]))
        }
        two.talk(at: day(1))
        #expect(two.b.book.records.first?.approvals.count == AgreementLimits.approvalsPerParty)
        two.annSays(.veto)
        two.talk(at: day(1))
        #expect(two.a.states == [.ended(.vetoed)] && two.b.states == [.ended(.vetoed)])
    }

    @Test("a word that adds nothing takes no place, and is answered as the first")
    func repeated() {
        var two = Approving()
        for number in 0..<20 { two.annSays(.approve, at: second(number + 10)) }
        #expect(two.a.lastCodes.isEmpty && two.a.book.records.first?.approvals.count == 1)
    }

    @Test("what the operator ended stays ended when the clock is set back")
    func clockBack() {
        var two = Approving()
        two.a.take(.vouchingEndRequested(Ticket(7), two.ann.name), at: day(3))
        two.annSays(.approve, at: day(1))
        #expect(two.a.lastBecause == "this node vouches no more")
        #expect(two.a.book.records.first?.approvals.isEmpty == true)
    }

    @Test("a key that is vouched for again under another name approves by that")
    func renamed() {
        var two = Approving()
        two.a.take(.vouchingEndRequested(Ticket(7), two.ann.name), at: day(0))
        let order = VouchingOrder(
            name: NodeName("zoe")!, key: two.ann.key, roles: [.accountable, .responsible], life: days(30))
        two.a.take(.vouchingRequested(Ticket(8), order), at: day(0))
        two.annSays(.approve)
        #expect(two.a.lastCodes.isEmpty)
        #expect(two.a.book.records.first?.approvals.map(\.person.description) == ["zoe"])
    }

    @Test("a veto here of what is in force: its parties may revoke it")
    func late() {
        var two = Approving()
        two.agree()
        two.annSays(.veto)
        #expect(two.a.lastBecause == "it is in force: its parties may revoke it")
        #expect(two.isHonoured == [true, true])
    }

    @Test("who floods with approvals is checked no more than its share")
    func flood() {
        var two = Approving()
        let statement = self.statement(by: two.a.node, of: two.ann.key, signed: two.ann.key)
        for number in 0..<300 {
            let word = two.ann.says(
                .approve, for: two.a.node, to: two.contentID, as: [.accountable], at: second(number))
            two.b.take(
                .messageArrived(
                    from: two.a.node, .approval(VouchedApproval(approval: word, vouching: statement))),
                at: day(1))
        }
        let checked = two.b.notices.filter { $0.refusals.first?.code == .approvalInvalid }
        #expect(checked.count == Limits.signatureChecksPerSecond / 2)
        #expect(codes(two.b.notices) == [.limitReached])
    }

    @Test("a node vouches for a name once, for a key once, at most three years, for 256 persons")
    func vouching() {
        var party = Party(1)
        func order(_ person: Person, _ life: Duration = days(30), roles: [ApprovalRole] = [.informed])
            -> [RefusalCode]
        {
            party.take(.vouchingRequested(Ticket(1), person.vouchingOrder(roles, life: life)), at: day(0))
            return party.lastCodes
        }
        #expect(order(Person(1, "ann")).isEmpty)
        #expect(order(Person(1, "ann"), roles: [.accountable]).isEmpty, "the same key, newly")
        #expect(order(Person(2, "ann")) == [.nameTaken])
        #expect(order(Person(1, "eve")) == [.nameTaken])
        #expect(order(Person(3, "ben"), AgreementLimits.vouchingLifeMax + .seconds(1)) == [.limitReached])
        #expect(order(Person(3, "ben"), .seconds(59)) == [.limitReached])
        #expect(order(Person(3, "ben"), roles: []) == [.documentInvalid])
        party.take(.vouchingEndRequested(Ticket(2), NodeName("eve")!), at: day(0))
        #expect(party.lastCodes == [.nothingFound])
        party.take(.vouchingEndRequested(Ticket(2), NodeName("ann")!), at: day(0))
        #expect(order(Person(2, "ann")).isEmpty, "the name is free again")
        for number in 1..<256 {
            party.take(
                .vouchingRequested(
                    Ticket(3),
                    VouchingOrder(
                        name: NodeName("p\(number)")!, key: PublicKey(info: [UInt8(number), 1, 1]),
                        roles: [.informed], life: days(30))), at: day(0))
        }
        #expect(party.book.people.count == 256 && order(Person(4, "zoe")) == [.limitReached])
        party.take(.vouchingRequested(Ticket(4), Person(4, "zoe").vouchingOrder([.informed])), at: day(31))
        #expect(party.lastCodes.isEmpty && party.book.people.count == 256)
    }

    @Test("one that is padded beyond two kibibytes, or says nothing new, takes no room")
    func padded() throws {
        var two = Approving()
        let word = two.ann.says(.approve, for: two.a.node, to: two.contentID, as: [.accountable], at: day(1))
        let statement = { self.statement(by: two.a.node, of: two.ann.key, signed: two.a.key) }()
        func padded<Body: SignedBody>(
            _ document: Signed<Body>, by key: PublicKey, with spaces: Int
        ) -> Signed<Body> {
            let payload = Octets(document.payload.bytes + [UInt8](repeating: 0x20, count: spaces))
            return Signed(
                body: document.body, payload: payload,
                signatures: [two.a.suite.signature(by: key, over: payload)])
        }
        #expect(
            hears(&two, padded(word, by: two.ann.key, with: 2_048), statement)
                == "it breaks the rules of the document")
        #expect(
            hears(&two, word, padded(statement, by: two.a.key, with: 2_048))
                == "it breaks the rules of the document")
        for spaces in 0..<4 {
            let one = VouchedApproval(
                approval: padded(word, by: two.ann.key, with: spaces), vouching: statement)
            two.b.take(.messageArrived(from: two.a.node, .approval(one)), at: day(1))
            #expect(two.b.book.records.first?.approvals.count == 1)
        }
    }
}
