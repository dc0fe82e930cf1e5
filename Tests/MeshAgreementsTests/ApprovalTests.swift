import MeshBase
import Testing

@testable import MeshAgreements

@Suite("Approving an agreement")
struct ApprovalTests {
    @Test("it is in force once people of both sides approved, both signed, and both know it")
    func whole() throws {
        var two = Approving()
        #expect(two.a.states == [.offered] && two.b.states == [.offered], "no rule accepts what asks people")
        two.annSays(.approve)
        two.talk(at: day(1))
        two.accept()
        #expect(two.b.lastCodes == [.approvalMissing])
        two.benSays(.approve)
        two.accept()
        // Ann's word is here and Ben's is not yet known there.
        #expect(two.b.states == [.signed(acceptance: .byOperator)])
        #expect(two.isHonoured == [false, false])
        two.talk(at: day(1))
        #expect(two.a.states == [.active(acceptance: .byPeer)])
        #expect(two.b.states == [.active(acceptance: .byOperator)])
        #expect(two.isHonoured == [true, true])
        let record = try #require(two.a.book.records.first)
        #expect(record.approvals.map(\.person.description) == ["ann", "ben"])
        #expect(record.approvals.allSatisfy { $0.isHeard })
        for party in [two.a, two.b] {
            #expect(party.notices.contains { $0.action == .activated && $0.contentID == two.contentID })
        }
    }

    @Test(
        "whatever the order of the words, it comes into force at the end and never before", arguments: 0..<60)
    func orders(seed: UInt64) {
        var two = Approving()
        var generator = SeededGenerator(seed: seed)
        var isAnn = false
        var isBen = false
        for step in 0..<40 {
            let now = second(step + 1)
            switch generator.number(below: 7) {
            case 0:
                two.annSays(.approve, at: now)
                isAnn = true
            case 1:
                two.benSays(.approve, at: now)
                isBen = true
            case 2: two.accept(at: now)
            case 3: deliver(&two.a, &two.b, at: now)
            case 4: deliver(&two.b, &two.a, at: now)
            case 5: two.a.outgoing = []
            default:
                two.b.crash(at: now)
                two.b.take(.peerTrusted(two.a.node, two.a.key), at: now)
            }
            let honoured = two.isHonoured
            #expect(!honoured.contains(true) || isAnn && isBen, "seed \(seed), step \(step)")
            let records = (two.a.book.records + two.b.book.records)
            // What is active at either is approved at both: each holds what the other's people said.
            if records.contains(where: { if case .active = $0.state { true } else { false } }) {
                #expect(records.allSatisfy { $0.isApproved }, "seed \(seed), step \(step)")
            }
        }
        two.annSays(.approve, at: second(100))
        two.benSays(.approve, at: second(100))
        for round in 0..<3 {
            let now = second(101 + round)
            two.a.take(.linkCameUp(two.b.node), at: now)
            two.b.take(.linkCameUp(two.a.node), at: now)
            two.talk(at: now)
            two.accept(at: now)
            two.talk(at: now)
        }
        #expect(two.isHonoured == [true, true], "seed \(seed)")
    }

    @Test(
        "a veto of either side's people ends that version at both, with who and why",
        arguments: [true, false])
    func veto(isProvider: Bool) throws {
        var two = Approving()
        if isProvider {
            two.annSays(.veto, as: [.consulted], reason: "too dear")
        } else {
            two.benSays(.veto, as: [.consulted], reason: "too dear")
        }
        two.talk(at: day(1))
        #expect(two.a.states == [.ended(.vetoed)] && two.b.states == [.ended(.vetoed)])
        for verdict in two.verdicts() {
            guard case .refused(let refusals) = verdict else {
                Issue.record("permitted")
                continue
            }
            #expect(refusals.map(\.code) == [.agreementEnded])
            #expect(refusals[0].facts.contains(Fact("reason", "too dear")))
            #expect(refusals[0].facts.contains(Fact("person", isProvider ? "ann" : "ben")))
        }
        two.benSays(.approve)
        #expect(two.b.lastCodes == [.agreementEnded])
        // The agreement itself may go on by a next version.
        let id = try #require(two.a.book.records.first).agreement.id
        two.a.take(
            .offerRequested(Ticket(2), request(two.b.node, life: days(40), replaces: id)), at: day(2))
        two.talk(at: day(2))
        #expect(two.b.states.last == .offered)
    }

    @Test("what this node's people say is told at each link until the peer has it, over a crash too")
    func told() throws {
        var two = Approving()
        two.annSays(.approve)
        two.a.outgoing = []
        two.a.crash(at: day(1))
        two.a.take(.peerTrusted(two.b.node, two.b.key), at: day(1))
        for _ in 0..<2 {
            two.a.outgoing = []
            two.a.take(.linkCameUp(two.b.node), at: day(1))
            #expect(
                two.a.outgoing.contains { message in
                    if case .approval = message.1 { true } else { false }
                })
        }
        two.talk(at: day(1))
        two.a.take(.linkCameUp(two.b.node), at: day(2))
        #expect(
            !two.a.outgoing.contains { message in
                if case .approval = message.1 { true } else { false }
            })
        #expect(two.b.book.records.first?.approvals.count == 1)
        // Said again it changes nothing and is answered.
        let evidence = try #require(two.a.book.records.first?.approvals.first).evidence
        let stored = two.b.stored
        two.b.take(.messageArrived(from: two.a.node, .approval(evidence)), at: day(2))
        #expect(two.b.stored == stored && two.b.outgoing.count == 1)
    }

    @Test(
        "a side that was put back to before the approvals comes to hold them again", arguments: [true, false])
    func restored(isProvider: Bool) throws {
        var two = Approving()
        let (first, second) = (two.a.stored, two.b.stored)
        two.agree()
        #expect(two.isHonoured == [true, true])
        if isProvider {
            two.a.stored = first
            two.a.crash(at: day(2))
            two.a.take(.peerTrusted(two.b.node, two.b.key), at: day(2))
        } else {
            two.b.stored = second
            two.b.crash(at: day(2))
            two.b.take(.peerTrusted(two.a.node, two.a.key), at: day(2))
        }
        // At the first link that comes up.
        for now in [day(2.5)] {
            if isProvider { two.annSays(.approve, at: now) } else { two.benSays(.approve, at: now) }
            two.a.take(.linkCameUp(two.b.node), at: now)
            two.b.take(.linkCameUp(two.a.node), at: now)
            two.talk(at: now)
            two.accept(at: now)
            two.talk(at: now)
        }
        #expect(two.isHonoured == [true, true])
    }

    @Test("by its own rule a node signs nothing before its people approved, and its offers say so")
    func policy() throws {
        var two = Approving(nil, [], [.accountable])
        two.accept()
        #expect(two.b.lastCodes == [.approvalMissing] && two.b.states == [.offered])
        two.benSays(.approve)
        two.accept()
        two.talk(at: day(1))
        #expect(two.isHonoured == [true, true])

        let other = Approving(nil, [.consulted], [])
        let agreement = try #require(other.a.book.records.first).agreement
        #expect(agreement.approvalsRequired(of: other.a.node) == [.responsible, .accountable, .consulted])
        #expect(agreement.approvalsRequired(of: other.b.node).isEmpty)
        #expect(other.b.states == [.offered])
    }

    @Test("a rule of the node's own takes nothing else from what is offered")
    func policyKeepsAll() throws {
        let configuration = AgreementConfiguration(echoOffer: .none, approvalsRequired: [.consulted])
        let two = pair(configuration, configuration)
        var a = two.0
        var limits = UsageLimits()
        limits.callsPerDay = 7
        let request = OfferRequest(
            peer: two.1.node, grants: [Grant(resource: name("orders"), capabilities: nil)], limits: limits,
            callsAtEnd: .cut, life: days(20))
        a.take(.offerRequested(Ticket(1), request), at: day(0))
        let agreement = try #require(a.book.records.first).agreement
        #expect(agreement.limits == limits && agreement.callsAtEnd == .cut)
        #expect(agreement.approvalsRequired(of: a.node).contains(.consulted))
    }

    @Test("an agreement whose approvals are gone is honoured no more, whatever its state says")
    func lost() throws {
        var two = Approving()
        two.agree()
        let record = try #require(two.a.book.records.first)
        let bare = AgreementRecord(
            contentID: record.contentID, peer: record.peer, document: record.document, state: record.state,
            origin: record.origin)
        #expect(record.terms.standing == .active && bare.terms.standing == .unapproved)
        let no = two.ann.says(.veto, for: two.a.node, to: two.contentID, as: [.accountable], at: day(1))
        let statement = try #require(record.approvals.first).evidence.vouching
        let vetoed = AgreementRecord(
            contentID: record.contentID, peer: record.peer, document: record.document, state: record.state,
            origin: record.origin,
            approvals: record.approvals + [
                ApprovalRecord(evidence: VouchedApproval(approval: no, vouching: statement), isHeard: true)
            ])
        #expect(vetoed.terms.standing == .unapproved)
        #expect(
            bare.terms.lacking == [
                Fact("missing at the provider", "responsible, accountable"),
                Fact("missing at the consumer", "responsible, accountable"),
            ])
    }

    @Test("rules have one form: rising, never empty, with who is indispensable")
    func form() {
        let rules = ApprovalRules(provider: [.informed, .responsible], consumer: [])
        #expect(rules.provider == [.responsible, .accountable, .informed] && rules.consumer == nil)
        #expect(rules.isWellFormed && !ApprovalRules.none.isWellFormed)
        #expect(ApprovalRole.allCases == ApprovalRole.allCases.sorted())
    }
}
