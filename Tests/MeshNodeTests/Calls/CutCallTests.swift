import MeshAgreements
import MeshAudit
import MeshBase
import MeshRouting
import Testing

@testable import MeshNode

@Suite("Calls under way when their agreement is revoked")
struct CutCallTests {
    private func rig(_ callsAtEnd: CallsAtEnd) -> DeskRig {
        var rig = DeskRig()
        rig.agreements = [:]
        rig.agree(provider: node(1), consumer: node(0), "orders", callsAtEnd: callsAtEnd)
        rig.agree(provider: node(0), consumer: node(1), "stock", callsAtEnd: callsAtEnd)
        rig.agree(provider: node(2), consumer: node(0), "orders", callsAtEnd: callsAtEnd)
        rig.publish()
        return rig
    }

    /// Both agreements with B are revoked, as the book shows it.
    private func revoke(_ rig: inout DeskRig, as ending: AgreementTerms.Standing = .ended) {
        rig.agreements[node(1)] = rig.agreements[node(1)]?.map { terms in
            AgreementTerms(
                contentID: terms.contentID, agreement: terms.agreement, standing: ending,
                ending: [Fact("ended", "revoked"), Fact("reason", "moved")],
                callsUnderWay: terms.agreement.callsAtEnd ?? .finish)
        }
        rig.publish()
    }

    @Test("finish lets what is under way go on to its end")
    func finishes() {
        var rig = rig(.finish)
        let (own, inbound) = (rig.call("B"), rig.arrive())
        revoke(&rig)
        rig.take(.resourceAnswered(.inbound(inbound), status: 200, headers: []))
        rig.answerLast()
        #expect(rig.refusal(of: own) == nil && rig.effects.contains(.finish(own)))
        #expect(rig.refusal(of: inbound) == nil && rig.desk.load.services == 1)
    }

    @Test("cut ends an attempt and a service at once, each settled with the revocation")
    func cuts() throws {
        var rig = rig(.cut)
        let (own, inbound) = (rig.call("B"), rig.arrive())
        revoke(&rig)
        #expect(rig.refusal(of: own) == [.agreementEnded] && rig.refusal(of: inbound) == [.agreementEnded])
        #expect(rig.effects.contains(.stop(.inbound(inbound))))
        #expect(rig.effects.contains { if case .abandon = $0 { true } else { false } })
        #expect(rig.desk.load == (0, 0))
        #expect(rig.ledger.problems.isEmpty && rig.ledger.open.isEmpty)
        for settlement in rig.ledger.settlements.values {
            #expect(settlement.refusals.map(\.code) == [.agreementEnded])
            #expect(settlement.refusals[0].facts.contains(Fact("reason", "moved")))
        }
    }

    @Test("cut breaks off answers that have begun, towards the application and towards the peer")
    func cutsAnswers() {
        var rig = rig(.cut)
        let (own, inbound) = (rig.call("B"), rig.arrive())
        rig.take(.resourceAnswered(.inbound(inbound), status: 200, headers: []))
        guard let attempt = rig.sent.last?.0 else { return }
        rig.take(.attemptAnswered(attempt, status: 200, headers: []))
        revoke(&rig)
        #expect(rig.effects.contains(.breakOffResponse(inbound)))
        #expect(rig.effects.contains { if case .breakOff(own, _) = $0 { true } else { false } })
        #expect(rig.desk.load == (0, 0) && rig.ledger.problems.isEmpty && rig.ledger.open.isEmpty)
    }

    @Test("a call that began under an earlier version is cut with the one that is revoked")
    func versions() {
        var rig = rig(.cut)
        let (own, inbound) = (rig.call("B"), rig.arrive())
        // Both renewed: the first version ended as replaced, which cuts nothing.
        let first = rig.agreements[node(1)] ?? []
        let replaced = first.map { terms in
            AgreementTerms(
                contentID: terms.contentID, agreement: terms.agreement, standing: .ended,
                ending: [Fact("ended", "replaced")], callsUnderWay: .finish)
        }
        func renewed(_ standing: AgreementTerms.Standing, _ underWay: CallsAtEnd) -> [AgreementTerms] {
            first.enumerated().map { place, terms in
                let old = terms.agreement
                let new = Agreement(
                    id: old.id, version: 2, provider: old.source, consumer: old.target, grants: old.grants,
                    conditions: .none, limits: .none, callsAtEnd: .cut, validFrom: nil,
                    validUntil: old.validUntil, createdBy: old.createdBy, created: old.created)
                return AgreementTerms(
                    contentID: Digest([UInt8](repeating: 200 + UInt8(place), count: 32))!, agreement: new,
                    standing: standing, ending: [Fact("ended", "revoked")], callsUnderWay: underWay)
            }
        }
        rig.agreements[node(1)] = replaced + renewed(.active, .finish)
        rig.publish()
        #expect(rig.refusal(of: own) == nil && rig.refusal(of: inbound) == nil)
        #expect(first.allSatisfy { rig.desk.isUnderWay($0.contentID) })
        rig.agreements[node(1)] = replaced + renewed(.ended, .cut)
        rig.publish()
        #expect(rig.refusal(of: own) == [.agreementEnded] && rig.refusal(of: inbound) == [.agreementEnded])
        #expect(rig.desk.load == (0, 0) && rig.ledger.problems.isEmpty && rig.ledger.open.isEmpty)
    }

    @Test("of a call that may have changed something nobody knows the outcome")
    func unknown() {
        var rig = rig(.cut)
        let own = rig.call("B", "orders", "buy")
        revoke(&rig)
        #expect(rig.refusal(of: own) == [.agreementEnded, .outcomeUnknown])
    }

    @Test("nothing under another agreement is cut, and nothing twice")
    func others() {
        var rig = rig(.cut)
        let other = rig.call("C")
        revoke(&rig)
        let before = rig.effects.count
        rig.publish()
        #expect(rig.effects.count == before && rig.refusal(of: other) == nil)
        rig.answerLast()
        #expect(rig.effects.contains(.finish(other)))
    }
}
