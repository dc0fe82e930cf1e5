import MeshAgreements
import MeshAudit
import MeshBase
import MeshRouting
import Testing

@testable import MeshNode

@Suite("Calls as the audit remembers them")
struct PastCallTests {
    private func billing(_ access: AccessLevel = .full) -> AgreementConditions {
        AgreementConditions(access: access, principals: [Principal("billing")!])
    }

    @Test("what the consumer sent can be decided again from its event")
    func attempt() throws {
        var rig = DeskRig()
        rig.call("B", "orders", "put")
        let past = try #require(rig.ledger.attempts.first.flatMap { PastCall($0) })
        #expect(past.verdict == .permitted)
        #expect(
            past.question
                == PolicyQuestion(
                    side: .consumer, caller: node(0), callee: node(1), resource: resource("orders"),
                    capability: resource("put"), safety: .idempotent, method: "PUT", principal: .local,
                    payload: .sealed, now: moment(0).wall))
    }

    @Test("what the provider served tells besides from where it came")
    func service() throws {
        var rig = DeskRig()
        rig.peers[1] = CallPeer(
            name: peerName("B"), trust: .trusted, link: .up, address: IPAddress("10.1.2.3"))
        rig.publish()
        rig.arrive(method: "GET")
        let past = try #require(rig.ledger.attempts.first.flatMap { PastCall($0) })
        #expect(past.verdict == .permitted && past.question.side == .provider)
        #expect(past.question.callerAddress == IPAddress("10.1.2.3"))
        #expect(past.question.method == "GET" && past.question.safety == .safe)
    }

    @Test("what no agreement let pass is told with its reason, on either side")
    func refused() throws {
        var rig = DeskRig()
        rig.agreements = [:]
        rig.agree(provider: node(1), consumer: node(0), "orders", conditions: billing())
        rig.agree(provider: node(0), consumer: node(1), "stock", conditions: billing())
        rig.publish()
        rig.call("B")
        rig.arrive()
        let past = rig.ledger.events.compactMap { PastCall($0) }
        #expect(past.map(\.question.side) == [.consumer, .provider])
        #expect(past.allSatisfy { $0.verdict == .refused(.principalNotAgreed) })
        #expect(past[0].question.callee == node(1) && past[1].question.caller == node(1))
    }

    @Test("what closes a call, a breaker that kept one, and a call of this node at itself tell none")
    func none() throws {
        var rig = DeskRig()
        rig.call("B")
        rig.answerLast()
        #expect(rig.ledger.events.contains { $0.type == .call })
        rig.openBreaker("B")
        let closed = rig.ledger.events.count
        rig.call("B", "orders", "buy")
        #expect(rig.ledger.events.count == closed + 1)
        #expect(rig.ledger.events.allSatisfy { PastCall($0) == nil })
        rig.call("A", "stock")
        let own = try #require(rig.ledger.attempts.first { $0.target == node(0) })
        #expect(PastCall(own) == nil)
    }

    @Test("a refusal names what the store holds otherwise than it was signed, at both ends")
    func damaged() {
        var rig = DeskRig()
        let damage = Refusal(.documentInvalid, [Fact("problem", "its digest is another")])
        rig.damaged = [node(1): [damage]]
        rig.publish()
        let (out, inward) = (rig.call("B"), rig.arrive())
        #expect(rig.refusal(of: out) == nil && rig.refusal(of: inward) == nil)
        rig.agreements = [:]
        rig.descriptions = [:]
        rig.publish()
        let (first, second) = (rig.call("B"), rig.call("C"))
        #expect(rig.refusal(of: first)?.contains(.documentInvalid) == true)
        #expect(rig.refusal(of: second)?.contains(.documentInvalid) == false)
        for key in [rig.arrive(), rig.arrive("nothing")] {
            #expect(rig.refusal(of: key)?.last == .documentInvalid)
        }
        let other = rig.arrive(from: 2)
        #expect(rig.refusal(of: other)?.contains(.documentInvalid) == false)
    }

    @Test("policy as it stands says of a past call what the desk would say now")
    func standing() throws {
        var rig = DeskRig()
        rig.call("B")
        let past = try #require(rig.ledger.attempts.first.flatMap { PastCall($0) })
        let now = moment(5_000).wall
        #expect(StandingPolicy(rig.desk.view).verdict(on: past, at: now) == .permitted)

        let agreed = try #require(rig.agreements[node(1)]).filter { $0.agreement.source == node(1) }
        let without = StandingPolicy(rig.desk.view, withdrawing: agreed.map(\.contentID))
        #expect(without.verdict(on: past, at: now) == .refused(.agreementEnded))

        rig.agreements[node(1)] = []
        rig.publish()
        #expect(StandingPolicy(rig.desk.view).verdict(on: past, at: now) == .refused(.agreementMissing))
        let offer = AgreementTerms(
            contentID: .zero, agreement: agreed[0].agreement, standing: .pending)
        #expect(StandingPolicy(rig.desk.view, adding: [offer]).verdict(on: past, at: now) == .permitted)

        // What the offer lacks is the reason, and not that it is an offer.
        rig.agree(provider: node(1), consumer: node(0), "orders", only: ["put"], standing: .pending)
        rig.publish()
        let narrow = try #require(rig.agreements[node(1)]?.last)
        #expect(StandingPolicy(rig.desk.view).verdict(on: past, at: now) == .refused(.agreementPending))
        #expect(
            StandingPolicy(rig.desk.view, adding: [narrow]).verdict(on: past, at: now)
                == .refused(.capabilityNotAgreed))

        rig.peers[1] = CallPeer(name: peerName("B"), trust: .suspended, link: .down)
        rig.publish()
        let suspended = StandingPolicy(rig.desk.view, adding: [offer])
        #expect(suspended.verdict(on: past, at: now) == .refused(.peerSuspended))
    }
}
