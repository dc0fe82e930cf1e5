import MeshAgreements
import MeshAudit
import MeshBase
import MeshRouting
import Testing

@testable import MeshNode

@Suite("How two attempts of one call end")
struct HedgedEndTests {
    private let b = node(1)
    private let c = node(2)

    @Test("an agreement that is revoked cuts its attempt, and the other goes on")
    func cut() {
        for revoked in [1, 2] as [UInt8] {
            var rig = DeskRig.hedged("100ms") { rig in
                rig.agreements = [:]
                for peer in [1, 2] as [UInt8] {
                    rig.agree(provider: node(peer), consumer: node(0), "orders", callsAtEnd: .cut)
                }
            }
            let id = rig.call("any")
            rig.pass(100)
            #expect(rig.sent.count == 2)
            rig.agreements[node(revoked)] = rig.agreements[node(revoked)]?.map { terms in
                AgreementTerms(
                    contentID: terms.contentID, agreement: terms.agreement, standing: .ended,
                    ending: [Fact("ended", "revoked")], callsUnderWay: .cut)
            }
            rig.publish()
            #expect(rig.abandoned.map(\.number) == [revoked] && rig.ledger.answered[id] == nil)
            let left = rig.sent.first { $0.1 != node(revoked) }!.0
            rig.take(.attemptAnswered(left, status: 200, headers: []))
            rig.take(.attemptEnded(left, BodySummary(length: 3, digest: nil)))
            #expect(rig.ledger.answered[id] == 1 && rig.isSound)
        }
    }

    @Test("none is sent once the operator wants none, or no longer counts the other as a provider")
    func unsaid() {
        for edit in [
            { $0.said = [.preferNode(node(1))] }, { $0.routes[resource("orders")] = [node(1)] },
        ] as [(inout DeskRig) -> Void] {
            var rig = DeskRig.hedged()
            let id = rig.call("any")
            rig.pass(50)
            edit(&rig)
            rig.publish()
            rig.pass(1_000)
            #expect(rig.sent.map(\.1) == [b])
            rig.answerLast()
            #expect(rig.ledger.answered[id] == 1 && rig.isSound)
        }
    }

    @Test("an application that goes away ends both")
    func cancelled() {
        var rig = DeskRig.hedged()
        let id = rig.call("any")
        rig.pass(100)
        rig.take(.cancelled(id))
        #expect(rig.abandoned.map(\.number) == [1, 2])
        #expect(rig.ledger.answered[id] == nil && rig.isSound)
    }

    @Test("this node is one of the two like any other")
    func own() {
        var first = DeskRig.hedged("100ms") { rig in
            rig.own = [DeskRig.offered("orders", to: [])]
            rig.said = [.hedge(.milliseconds(100))]
        }
        let id = first.call("any")
        first.pass(100)
        #expect(first.sent.map(\.0.number) == [2])
        first.answerLast()
        let own = AttemptID(request: id, number: 1)
        #expect(first.effects.contains(.stop(.own(own))))
        #expect(first.ledger.answered[id] == 1 && first.isSound)
        var second = DeskRig.hedged("100ms") { rig in
            rig.own = [DeskRig.offered("orders", to: [])]
            rig.peers[2] = nil
        }
        let other = second.call("any")
        second.pass(100)
        let service = ServiceID.own(AttemptID(request: other, number: 2))
        second.take(.resourceAnswered(service, status: 200, headers: []))
        second.take(.resourceEnded(service, BodySummary(length: 3, digest: nil), kept: nil))
        #expect(second.abandoned.map(\.number) == [1])
        #expect(second.ledger.answered[other] == 1 && second.isSound)
    }

    @Test("each attempt counts against the agreement under which it was sent, once")
    func quotas() {
        var rig = DeskRig.hedged("100ms") { rig in
            rig.agreements = [:]
            for peer in [1, 2] as [UInt8] {
                rig.agree(
                    provider: node(peer), consumer: node(0), "orders", limits: UsageLimits(callsPerDay: 3))
            }
        }
        for _ in 0..<3 {
            rig.call("any")
            rig.pass(100)
            rig.answerLast()
        }
        #expect(rig.sent.map(\.1) == [b, c, b, c, b, c])
        let id = rig.call("any")
        #expect(rig.sent.count == 6 && rig.refusal(of: id)?.contains(.quotaExhausted) == true)
    }
}
