import MeshAgreements
import MeshAudit
import MeshBase
import MeshRouting
import Testing

@testable import MeshNode

@Suite("Calls held against an external policy")
struct ExternalPolicyTests {
    private func rig(_ rules: ExternalPolicyRules = ExternalPolicyRules()) -> DeskRig {
        var rig = DeskRig()
        rig.configuration.external = rules
        rig.publish()
        return rig
    }

    /// Questions that were asked, in order.
    private func asked(_ rig: DeskRig) -> [(ticket: ExternalTicket, question: ExternalQuestion)] {
        rig.effects.compactMap { effect in
            guard case .judge(let ticket, let question, _) = effect else { return nil }
            return (ticket, question)
        }
    }

    private func answer(_ rig: inout DeskRig, _ answer: ExternalAnswer) throws {
        rig.take(.judged(try #require(asked(rig).last).ticket, answer))
    }

    private var noes: [(ExternalAnswer, RefusalCode)] {
        [
            (.denied(decision: "d1", reasons: ["not after hours"]), .externalPolicyDenied),
            (.failed(.undefined), .externalPolicyFailed), (.failed(.status(500)), .externalPolicyFailed),
            (.failed(.malformed("no result")), .externalPolicyFailed),
            (.failed(.unreachable), .externalPolicyFailed), (.failed(.late), .externalPolicyFailed),
        ]
    }

    // MARK: The consumer

    @Test("nothing leaves, and nothing is admitted, before the engine has said yes")
    func consumerAllowed() throws {
        var rig = rig()
        rig.call("B", "orders", "put")
        #expect(rig.sent.isEmpty && rig.ledger.attempts.isEmpty)
        let question = try #require(asked(rig).first).question
        #expect(question.side == .consumer && question.callee == node(1) && question.method == "PUT")
        #expect(
            question.path == "/item" && question.safety == .idempotent && question.peerName.description == "B"
        )
        try answer(&rig, .allowed(decision: "d7"))
        #expect(rig.sent.map(\.1) == [node(1)])
        let event = try #require(rig.ledger.attempts.first)
        #expect(event.metadata.contains(Fact("external policy", "allowed")))
        #expect(event.metadata.contains(Fact("decision", "d7")))
        rig.answerLast()
        #expect(rig.ledger.problems.isEmpty && rig.ledger.open.isEmpty)
    }

    @Test("a no, and no answer at all, refuse with their reason, and nothing leaves")
    func consumerDenied() throws {
        for (no, code) in noes {
            var rig = rig()
            let id = rig.call("B")
            try answer(&rig, no)
            #expect(rig.refusal(of: id) == [code] && rig.sent.isEmpty, "\(no)")
            #expect(asked(rig).count == 1)
        }
    }

    @Test("an engine that is silent is a no when its time is over, and what it says later changes nothing")
    func consumerLate() throws {
        var rig = rig(ExternalPolicyRules(patience: .milliseconds(200)))
        let id = rig.call("B")
        rig.pass(199)
        #expect(rig.refusal(of: id) == nil)
        rig.pass(1)
        #expect(rig.refusal(of: id) == [.externalPolicyFailed])
        try answer(&rig, .allowed(decision: nil))
        #expect(rig.sent.isEmpty && rig.ledger.answered[id] == 1)
    }

    @Test("a call whose own time is over first is over")
    func consumerDeadline() {
        var rig = rig()
        let id = rig.call("B", deadline: .milliseconds(100))
        rig.pass(100)
        #expect(rig.refusal(of: id)?.contains(.deadlineExceeded) == true)
        #expect(rig.desk.load.calls == 0)
    }

    @Test("an application that goes away while the engine thinks leaves nothing behind")
    func consumerCancelled() throws {
        var rig = rig()
        let id = rig.call("B")
        rig.take(.cancelled(id))
        #expect(rig.desk.load.calls == 0)
        try answer(&rig, .allowed(decision: nil))
        #expect(rig.sent.isEmpty && rig.desk.nextDeadline == nil)
    }

    @Test("what is denied at one provider is asked of another, and each is asked about once")
    func otherCandidate() throws {
        var rig = rig()
        let id = rig.call("any")
        let first = try #require(asked(rig).first).question.callee
        try answer(&rig, .denied(decision: nil, reasons: []))
        let second = try #require(asked(rig).last).question.callee
        #expect(first != second && asked(rig).count == 2)
        try answer(&rig, .allowed(decision: nil))
        #expect(rig.sent.map(\.1) == [second])
        #expect(rig.refusal(of: id) == nil)
    }

    @Test("an agreement that ends while the engine thinks is ended: a yes brings nothing back")
    func endedMeanwhile() throws {
        var rig = rig()
        let id = rig.call("B")
        rig.agreements[node(1)] = []
        rig.publish()
        try answer(&rig, .allowed(decision: nil))
        #expect(rig.sent.isEmpty && rig.refusal(of: id)?.contains(.agreementMissing) == true)
    }

    @Test("a yes counts for one attempt: the next is asked about again")
    func oneAttempt() throws {
        var rig = rig()
        for _ in 0..<20 {
            rig.call("B")
            try answer(&rig, .allowed(decision: nil))
            rig.answerLast()
        }
        rig.call("B", "orders", "put")
        try answer(&rig, .allowed(decision: nil))
        let before = asked(rig).count
        rig.failLast(.streamReset, .possible)
        #expect(asked(rig).count == before + 1)
        try answer(&rig, .denied(decision: nil, reasons: []))
        #expect(rig.sent.last?.0.number == 1)
    }

    @Test("a call of this node at itself is nobody else's business")
    func local() {
        var rig = rig()
        rig.call("A", "stock")
        #expect(asked(rig).isEmpty)
        #expect(rig.effects.contains { if case .serve = $0 { true } else { false } })
    }

    // MARK: The provider

    @Test("a peer's call is served after a yes, with what is left of its time and of its body")
    func providerAllowed() throws {
        var rig = rig()
        rig.peers[1] = CallPeer(
            name: peerName("B"), trust: .trusted, link: .up, address: IPAddress("10.1.2.3"))
        rig.publish()
        let key = rig.arrive(
            "stock", "put", method: "PUT", path: "/item", remaining: 5_000, body: .streamed(length: nil))
        #expect(rig.ledger.attempts.isEmpty && rig.desk.load.services == 1)
        let question = try #require(asked(rig).first).question
        #expect(question.side == .provider && question.caller == node(1))
        #expect(question.callerAddress == IPAddress("10.1.2.3"))
        rig.take(.serviceBodyEnded(key, BodySummary(length: 9, digest: nil)))
        rig.now += 300
        try answer(&rig, .allowed(decision: "d1"))
        guard case .serve(_, _, let served) = try #require(rig.effects.last) else {
            Issue.record("not served")
            return
        }
        #expect(served.remainingMilliseconds == 4_700)
        rig.take(.resourceAnswered(.inbound(key), status: 200, headers: []))
        rig.take(.resourceEnded(.inbound(key), BodySummary(length: 1, digest: nil), kept: nil))
        #expect(rig.ledger.settlements.values.map(\.request?.length) == [9])
        #expect(rig.ledger.attempts.first?.metadata.contains(Fact("decision", "d1")) == true)
        #expect(rig.desk.load.services == 0 && rig.ledger.problems.isEmpty)
    }

    @Test("a no, and no answer at all, refuse a peer with their reason; the resource hears nothing")
    func providerDenied() throws {
        for (no, code) in noes {
            var rig = rig()
            let key = rig.arrive()
            try answer(&rig, no)
            #expect(rig.refusal(of: key) == [code], "\(no)")
            #expect(rig.ledger.attempts.isEmpty && rig.desk.load.services == 0)
            #expect(rig.ledger.events.last?.refusals.map(\.code) == [code])
        }
    }

    @Test("an engine that is silent is a no at the provider too")
    func providerLate() {
        var rig = rig(ExternalPolicyRules(patience: .milliseconds(200)))
        let key = rig.arrive()
        rig.pass(200)
        #expect(rig.refusal(of: key) == [.externalPolicyFailed] && rig.desk.load.services == 0)
    }

    @Test("a peer that goes away while the engine thinks is audited, not answered, and takes no place")
    func providerAbandoned() throws {
        var rig = rig()
        let key = rig.arrive()
        rig.take(.abandoned(key))
        #expect(rig.desk.load.services == 0 && rig.refusal(of: key) == nil)
        #expect(rig.ledger.events.last?.refusals.map(\.code) == [.cancelled])
        try answer(&rig, .allowed(decision: nil))
        #expect(rig.ledger.attempts.isEmpty)
    }

    @Test("trust that ends while the engine thinks is over, and a node that drains begins nothing")
    func providerMeanwhile() throws {
        var rig = rig()
        let key = rig.arrive()
        rig.peers[1] = CallPeer(name: peerName("B"), trust: .suspended, link: .up)
        rig.publish()
        try answer(&rig, .allowed(decision: nil))
        #expect(rig.refusal(of: key)?.contains(.peerSuspended) == true)

        var other = self.rig()
        let waiting = other.arrive()
        other.take(.draining)
        try answer(&other, .allowed(decision: nil))
        #expect(other.refusal(of: waiting)?.contains(.draining) == true)
    }

    @Test("what changes the question while the engine thinks is asked anew, and the body that came is kept")
    func providerAskedAnew() throws {
        var rig = rig()
        let key = rig.arrive(
            "stock", "put", method: "PUT", path: "/item", body: .streamed(length: nil))
        rig.take(.serviceBodyEnded(key, BodySummary(length: 9, digest: nil)))
        rig.peers[1] = CallPeer(
            name: peerName("B"), trust: .trusted, link: .up, address: IPAddress("10.1.2.3"))
        rig.publish()
        try answer(&rig, .allowed(decision: nil))
        #expect(asked(rig).count == 2 && rig.ledger.attempts.isEmpty)
        try answer(&rig, .allowed(decision: nil))
        rig.take(.resourceAnswered(.inbound(key), status: 200, headers: []))
        rig.take(.resourceEnded(.inbound(key), BodySummary(length: 1, digest: nil), kept: nil))
        #expect(rig.ledger.settlements.values.map(\.request?.length) == [9])
    }

    @Test("calls that wait for the engine count among those under way")
    func providerBound() {
        var rig = rig()
        rig.configuration.servicesPerPeer = 2
        rig.publish()
        let keys = (0..<3).map { _ in rig.arrive() } + [rig.arrive(from: 2)]
        #expect(keys.map { rig.refusal(of: $0) } == [nil, nil, [.overloaded], nil])
    }

    // MARK: Both

    @Test("an answer counts as long as the rules say and no longer; a failure never does")
    func cache() throws {
        var rig = rig(ExternalPolicyRules(cacheLife: .seconds(1)))
        rig.call("B")
        try answer(&rig, .failed(.unreachable))
        rig.call("B")
        try answer(&rig, .allowed(decision: "d1"))
        rig.call("B")
        #expect(asked(rig).count == 2 && rig.sent.count == 2)
        rig.call("B", "orders", "put")
        #expect(asked(rig).count == 3)
        rig.now += 1_000
        rig.call("B")
        #expect(asked(rig).count == 4)
        try answer(&rig, .denied(decision: nil, reasons: []))
        let denied = rig.call("B")
        #expect(asked(rig).count == 4 && rig.refusal(of: denied) == [.externalPolicyDenied])
    }

    @Test("what a call is for is told to the engine, and an answer for one purpose is none for another")
    func purpose() throws {
        var rig = rig(ExternalPolicyRules(cacheLife: .seconds(60)))
        rig.call("B", purpose: Purpose("billing"))
        try answer(&rig, .allowed(decision: nil))
        rig.call("B", purpose: Purpose("billing"))
        #expect(asked(rig).map(\.question.purpose) == [Purpose("billing")] && rig.sent.count == 2)
        rig.call("B", purpose: Purpose("marketing"))
        rig.call("B")
        #expect(asked(rig).map(\.question.purpose) == [Purpose("billing"), Purpose("marketing"), nil])
        #expect(rig.sent.count == 2)
    }

    @Test("no more answers are kept than fit; the oldest go first")
    func cacheBound() {
        var policy = ExternalPolicy()
        let rig = DeskRig()
        func question(_ number: Int) -> ExternalQuestion {
            ExternalQuestion(
                side: .provider, caller: node(1), callee: node(0), peerName: peerName("B"),
                principal: .local, purpose: nil, resource: resource("stock"), capability: resource("list"),
                safety: .safe,
                method: "GET", path: "/\(number)", agreement: .zero, callerRoles: [], callerAddress: nil)
        }
        let now = moment(rig.now).instant
        for number in 0...ExternalPolicy.cachedMax {
            policy.keep(.allowed(decision: nil), to: question(number), for: .seconds(60), at: now)
        }
        #expect(policy.answer(to: question(0), at: now) == nil)
        #expect(policy.answer(to: question(ExternalPolicy.cachedMax), at: now) != nil)
        #expect(policy.answer(to: question(ExternalPolicy.cachedMax / 4), at: now) != nil)
    }

    @Test("other rules are other rules: what was kept under the old ones counts no more")
    func changedRules() throws {
        var rig = rig(ExternalPolicyRules(cacheLife: .seconds(60)))
        rig.call("B")
        try answer(&rig, .allowed(decision: nil))
        rig.configuration.external?.cacheLife = .seconds(30)
        rig.publish()
        rig.call("B")
        #expect(asked(rig).count == 2)
    }

    @Test("each side is asked only where the rules say so")
    func sides() {
        var consumer = rig(ExternalPolicyRules(asksAsProvider: false))
        consumer.arrive()
        #expect(asked(consumer).isEmpty)
        var provider = rig(ExternalPolicyRules(asksAsConsumer: false))
        provider.call("B")
        #expect(asked(provider).isEmpty && provider.sent.count == 1)
    }
}
