import MeshAgreements
import MeshAudit
import MeshBase
import MeshRouting
import Testing

@testable import MeshNode

@Suite("Calls under an agreement with limits")
struct MeteredCallTests {
    /// A desk whose calls to B, and B's calls here, are under these limits.
    private func rig(_ limits: UsageLimits, seed: UInt64 = 1) -> DeskRig {
        var rig = DeskRig(seed: seed)
        rig.agreements = [:]
        rig.agree(provider: node(1), consumer: node(0), "orders", limits: limits)
        rig.agree(provider: node(0), consumer: node(1), "stock", limits: limits)
        rig.publish()
        return rig
    }

    private func reservations(_ effects: [CallEffect]) -> [MeterReservation] {
        effects.compactMap { if case .reserve(let reservation) = $0 { reservation } else { nil } }
    }

    /// Calls B, and tells with what that was refused.
    private func refusal(_ rig: inout DeskRig, _ capability: String = "list") -> [RefusalCode]? {
        let id = rig.call("B", "orders", capability)
        return rig.refusal(of: id)
    }

    @Test("the consumer lets as many attempts leave as were agreed, and refuses the next with its reason")
    func consumer() {
        var rig = rig(UsageLimits(callsPerDay: 2))
        for _ in 0..<2 {
            rig.call("B")
            rig.answerLast()
        }
        let refused = rig.call("B")
        #expect(rig.sent.count == 2 && rig.refusal(of: refused) == [.quotaExhausted])
        #expect(rig.ledger.events.last?.refusals.map(\.code) == [.quotaExhausted])
        #expect(rig.ledger.problems.isEmpty)
    }

    @Test("the provider admits as many calls as were agreed, whatever its peer counts")
    func provider() {
        var rig = rig(UsageLimits(callsPerDay: 2))
        let keys = (0..<3).map { _ in rig.arrive() }
        #expect(keys.map { rig.refusal(of: $0) } == [nil, nil, [.quotaExhausted]])
    }

    @Test("a repetition counts, and what is refused for another reason does not")
    func whatCounts() {
        var rig = rig(UsageLimits(callsPerDay: 3))
        rig.routes = [:]
        rig.publish()
        #expect(refusal(&rig, "none") == [.capabilityUnknown])
        rig.call("B")
        rig.failLast(.streamReset, .none)
        #expect(rig.sent.count == 2)
        rig.answerLast()
        rig.call("B")
        rig.answerLast()
        #expect(refusal(&rig) == [.quotaExhausted])
    }

    @Test("the router passes over a provider whose quota is used up")
    func others() {
        var rig = rig(UsageLimits(callsPerDay: 1))
        rig.agree(provider: node(2), consumer: node(0), "orders")
        rig.publish()
        for _ in 0..<5 {
            rig.call("any")
            rig.answerLast()
        }
        #expect(rig.sent.filter { $0.1 == node(1) }.count <= 1 && rig.sent.count == 5)
    }

    @Test("a call is behind the store's word that its count is kept, and once a block is kept none waits")
    func durable() throws {
        var rig = rig(UsageLimits(callsPerDay: 10_000))
        rig.call("B")
        let first = try #require(reservations(rig.turns.last ?? []).first)
        let order = (rig.turns.last ?? []).compactMap { effect -> String? in
            switch effect {
            case .record: "record"
            case .reserve: "reserve"
            case .send: "send"
            case .linkUsed: nil
            default: "other"
            }
        }
        #expect(order == ["record", "reserve", "send"] && first.urgency == .awaited)
        rig.take(.meterKept(first.record))
        rig.call("B")
        #expect(reservations(rig.turns.last ?? []).isEmpty)
    }

    @Test("after a restart counts what the store kept")
    func restart() throws {
        var before = rig(UsageLimits(callsPerDay: 2))
        before.call("B")
        before.arrive()
        let kept = reservations(before.effects).map(\.record)
        #expect(kept.count == 2)
        var after = rig(UsageLimits(callsPerDay: 2), seed: 2)
        after.take(.metersRestored(kept))
        after.call("B")
        #expect(refusal(&after) == [.quotaExhausted])
        after.arrive()
        let late = after.arrive()
        #expect(after.refusal(of: late) == [.quotaExhausted])
    }

    @Test("a rate refuses what comes too fast, and says after how long the next may come")
    func rate() throws {
        var rig = rig(UsageLimits(rate: RateLimit(calls: 10, seconds: 1, burst: 2)))
        for _ in 0..<2 { rig.call("B") }
        let id = rig.call("B")
        #expect(rig.refusal(of: id) == [.rateExceeded])
        rig.pass(100)
        #expect(refusal(&rig) == nil)
        #expect(reservations(rig.effects).isEmpty)
    }

    @Test("a forecast says what is used up, and changes nothing")
    func forecast() {
        var rig = rig(UsageLimits(callsPerDay: 1))
        rig.call("B")
        rig.arrive()
        let before = rig.desk
        let request = LocalRequest(
            id: RequestID(99), target: .node(node(1)), resource: resource("orders"),
            form: .invoke(capability: resource("list"), query: nil), body: .none)
        let explanation = rig.desk.wouldDecide(request, at: moment(rig.now))
        #expect(explanation.candidates.flatMap(\.refusals).map(\.code) == [.quotaExhausted])
        let served = rig.desk.wouldServe(
            node(1), resource: resource("stock"), capability: resource("list"), principal: .local,
            at: moment(rig.now))
        guard case .refused(let reasons) = served else {
            Issue.record("served")
            return
        }
        #expect(reasons.map(\.code) == [.quotaExhausted] && rig.desk == before)
    }

    @Test("that a quota is at 80 and at 100 percent is told once, to both sides' audit alike")
    func alerts() {
        var rig = rig(UsageLimits(callsPerDay: 5))
        for _ in 0..<6 { rig.arrive() }
        let told = rig.ledger.events.filter { $0.type == .agreement }
        #expect(told.map(\.action) == ["agreement quota at 80 %", "agreement quota at 100 %"])
        #expect(told.allSatisfy { $0.success && $0.target == node(1) && $0.agreement != nil })
        #expect(told.first?.metadata.contains(Fact("used", 4)) == true)
    }

    @Test("what is counted of agreements that are forgotten is let go; of those that are known, nothing is")
    func forgotten() {
        var rig = rig(UsageLimits(callsPerDay: 2))
        rig.arrive()
        rig.arrive()
        let kept = rig.agreements
        for number in 0..<400 {
            rig.agreements = kept
            rig.agree(
                provider: node(0), consumer: node(2), "stock", until: Int64(number) + 1 << 30,
                limits: UsageLimits(callsPerDay: 9), numbered: UInt64(number) + 1_000)
            rig.publish()
            rig.arrive(from: 2)
        }
        #expect(rig.desk.meters.count < 40)
        let third = rig.arrive()
        #expect(rig.refusal(of: third) == [.quotaExhausted])
    }
}
