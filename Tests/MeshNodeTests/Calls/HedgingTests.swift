import MeshAgreements
import MeshAudit
import MeshBase
import MeshRouting
import Testing

@testable import MeshNode

@Suite("A second attempt beside one that takes long")
struct HedgingTests {
    private let b = node(1)
    private let c = node(2)

    /// How an attempt was settled.
    private func end(of number: UInt8, _ rig: DeskRig) -> AuditSettlement? {
        rig.ledger.attempts.first { $0.type == .attempt && $0.attempt == number }
            .flatMap { rig.ledger.settlements[$0.id] }
    }

    @Test("none is sent unless the operator said so, and then not before its time")
    func due() {
        var never = DeskRig.hedged(nil)
        never.call("any")
        never.pass(4_000)
        #expect(never.sent.map(\.1) == [b])
        var hedged = DeskRig.hedged()
        hedged.call("any")
        hedged.pass(99)
        #expect(hedged.sent.map(\.1) == [b])
        hedged.pass(1)
        #expect(hedged.sent.map(\.1) == [b, c])
        #expect(hedged.invocations.map(\.attempt) == [1, 2])
        hedged.pass(1_000)
        #expect(hedged.sent.count == 2)
        var quick = DeskRig.hedged()
        quick.call("any")
        quick.pass(99)
        quick.answerLast()
        quick.pass(1_000)
        #expect(quick.sent.count == 1 && quick.isSound)
    }

    @Test("the first that answers is the answer, the other is told, and both stand in the audit")
    func wins() throws {
        for winner in 0...1 {
            var rig = DeskRig.hedged()
            let id = rig.call("any")
            rig.pass(150)
            let (won, lost) = (rig.sent[winner].0, rig.sent[1 - winner].0)
            rig.take(.attemptAnswered(won, status: 203, headers: []))
            #expect(rig.abandoned == [lost])
            #expect(
                rig.effects.contains {
                    if case .answer(won, 203, _, _) = $0 { true } else { false }
                })
            // What the other still says is too late.
            rig.take(.attemptAnswered(lost, status: 500, headers: []))
            rig.take(.attemptEnded(lost, BodySummary(length: 9, digest: nil)))
            rig.take(.attemptEnded(won, BodySummary(length: 3, digest: nil)))
            #expect(rig.ledger.answered[id] == 1 && rig.ledger.finished[id] == 1)
            let (good, given) = (end(of: won.number, rig), end(of: lost.number, rig))
            let (first, second) = (try #require(good), try #require(given))
            #expect(first.success && first.status == 203)
            #expect(!second.success && second.refusals.map(\.code) == [.cancelled])
            #expect(second.refusals[0].facts.contains(Fact("attempt", Int(won.number))))
            let call = try #require(rig.ledger.events.first { $0.type == .call })
            #expect(call.success && call.target == rig.sent[winner].1)
            #expect(call.metadata.contains { $0.value.contains("outrun after") })
            #expect(rig.isSound, "\(rig.ledger.problems)")
        }
    }

    @Test("none is sent when the answer is in hand by the time it is looked")
    func lateLook() {
        var rig = DeskRig.hedged()
        rig.call("any")
        rig.now += 150
        rig.answerLast()
        #expect(rig.sent.count == 1 && rig.isSound)
        rig.call("any")
        rig.now += 150
        rig.take(.roomMeasured(bytes: 1 << 30))
        #expect(rig.sent.count == 3)
    }

    @Test("the second says in the audit beside which it was sent, and after how long")
    func told() throws {
        var rig = DeskRig.hedged()
        rig.call("any")
        rig.pass(100)
        let second = try #require(rig.ledger.attempts.first { $0.attempt == 2 })
        #expect(second.target == c)
        #expect(second.metadata.contains(Fact("hedge of attempt", 1)))
        #expect(second.metadata.contains(Fact("unanswered after ms", 100)))
    }

    @Test("a percentile is one of the provider's own answers, once twenty are known")
    func percentile() {
        var rig = DeskRig.hedged("p90")
        func answer(after milliseconds: Int64) {
            rig.call("any")
            rig.pass(milliseconds)
            rig.answerLast()
        }
        for _ in 0..<19 { answer(after: 20) }
        rig.call("any")
        rig.pass(3_000)
        #expect(rig.sent.count == 20)
        rig.answerLast()
        let known = rig.desk.routes(at: moment(rig.now)).first { $0.node == b }?.hedgeDelay ?? .zero
        // Within an eighth above.
        #expect(known >= .milliseconds(20) && known <= .microseconds(22_600), "\(known)")
        rig.call("any")
        rig.pass(19)
        #expect(rig.sent.count == 21)
        rig.pass(5)
        #expect(rig.sent.count == 22 && rig.sent[21].1 == c)
        rig.answerLast()
        // A provider that has become slow is hedged later: its long times count, though others answered.
        for _ in 0..<40 {
            rig.call("any")
            rig.pass(400)
            rig.take(.attemptAnswered(rig.sent.last!.0, status: 200, headers: []))
            rig.take(.attemptEnded(rig.sent.last!.0, BodySummary(length: 3, digest: nil)))
        }
        let later = rig.desk.routes(at: moment(rig.now)).first { $0.node == b }?.hedgeDelay
        #expect(later.map { $0 > .milliseconds(100) } == true, "\(later as Any)")
        // What nobody asks for is not kept.
        rig.said = [.preferNode(b)]
        rig.publish()
        #expect(rig.desk.routes.ways.values.allSatisfy { $0.pace == nil })
    }

    @Test("only a safe call that the router places, with no key and a body that is here, is sent twice")
    func only() {
        func count(_ edit: (inout DeskRig) -> Void = { _ in }, _ call: (inout DeskRig) -> Void) -> Int {
            var rig = DeskRig.hedged("100ms", edit)
            call(&rig)
            rig.pass(400)
            return rig.sent.count
        }
        #expect(count { $0.call("any") } == 2)
        #expect(count { $0.call("any", "orders", "put") } == 1)
        #expect(count { $0.call("any", "orders", "buy") } == 1)
        #expect(count { $0.call("B") } == 1)
        #expect(count { $0.call("any", key: "k") } == 1)
        let form = CallForm.mesh(method: "GET", path: "/list", query: nil)
        #expect(count { $0.call("any", form: form, body: .none) } == 2)
        #expect(count { $0.call("any", form: form, body: .streamed(length: nil)) } == 1)
        let talk = CallForm.mesh(method: "WEBSOCKET", path: "/talk", query: nil)
        #expect(count { $0.call("any", form: talk, body: .none) } == 1)
        // What C calls safe is asked at C.
        let unsafe = ResourceDescription(
            name: resource("orders"), protocol: .http,
            capabilities: [
                Capability(name: resource("list"), methods: ["GET"], path: "/list", safety: .idempotent)
            ], labels: [])
        #expect(count({ $0.descriptions[c] = [unsafe] }, { $0.call("any") }) == 1)
        #expect(count({ $0.descriptions[b] = [unsafe] }, { $0.call("any") }) == 1)
    }

    @Test("none goes where a breaker is not closed, where no agreement permits it, or while stopping")
    func nobody() {
        func count(_ edit: (inout DeskRig) -> Void) -> Int {
            var rig = DeskRig.hedged()
            edit(&rig)
            let before = rig.sent.count
            rig.call("any")
            rig.pass(400)
            return rig.sent.count - before
        }
        #expect(count { $0.openBreaker("C") } == 1)
        // Half-open after its second: the next that goes there by itself is the probe.
        #expect(
            count { rig in
                rig.openBreaker("C")
                rig.pass(1_500)
            } == 1)
        #expect(
            count { rig in
                rig.take(.linkWentDown(c))
                rig.take(.linkCameUp(c))
            } == 1)
        #expect(
            count { rig in
                rig.agreements[c] = nil
                rig.publish()
            } == 1)
        var stopping = DeskRig.hedged()
        stopping.call("any")
        stopping.take(.draining)
        stopping.pass(400)
        #expect(stopping.sent.count == 1)
    }

    @Test("the retry budget pays for each, and where it is empty none is sent")
    func budget() {
        var rig = DeskRig.hedged()
        rig.call("any")
        let before = rig.desk.budget.left
        rig.pass(100)
        #expect(rig.desk.budget.left == before - 1 && rig.sent.count == 2)
        rig.answerLast()
        var (calls, hedges) = (0, 0)
        for _ in 0..<40 {
            let sent = rig.sent.count
            rig.call("any")
            rig.pass(100)
            hedges += rig.sent.count - sent - 1
            calls += 1
            rig.take(.attemptAnswered(rig.sent.last!.0, status: 200, headers: []))
            rig.take(.attemptEnded(rig.sent.last!.0, BodySummary(length: 3, digest: nil)))
        }
        // Ten at the start, a tenth of the calls, and one each second of four.
        #expect(hedges >= 12 && hedges <= 18, "\(hedges) of \(calls)")
    }

    @Test("who was outrun has neither failed nor succeeded, and looks as slow as it was")
    func breakers() {
        var rig = DeskRig.hedged()
        for _ in 0..<8 {
            rig.call("any")
            rig.pass(300)
            rig.answerLast()
            rig.pass(1_000)
        }
        let way = rig.desk.routes(at: moment(rig.now)).first { $0.node == b }
        #expect(way?.breaker == .closed)
        #expect((way?.microseconds ?? 0) > 50_000)
        #expect(rig.sent.count == 16 && rig.isSound)
        // A probe that is outrun gives its place back, and proves nothing.
        rig.openBreaker("B")
        rig.pass(60_000)
        let sent = rig.sent.count
        for number in 1...4 {
            rig.call("any")
            rig.pass(100)
            #expect(rig.sent.count == sent + number * 2 && rig.sent[sent + number * 2 - 2].1 == b)
            rig.answerLast()
            #expect(rig.desk.routes(at: moment(rig.now)).first { $0.node == b }?.breaker == .halfOpen)
        }
    }

    @Test("when one of the two fails the call is the other's, and a third is sent once both have")
    func fails() throws {
        for failing in 0...1 {
            var rig = DeskRig.hedged()
            let id = rig.call("any")
            rig.pass(100)
            let (gone, left) = (rig.sent[failing].0, rig.sent[1 - failing].0)
            rig.take(.attemptFailed(gone, .streamReset, .possible))
            #expect(rig.sent.count == 2 && rig.ledger.answered[id] == nil)
            rig.pass(50)
            rig.take(.attemptAnswered(left, status: 200, headers: []))
            rig.take(.attemptEnded(left, BodySummary(length: 3, digest: nil)))
            let call = try #require(rig.ledger.events.first { $0.type == .call })
            #expect(call.success && call.target == rig.sent[1 - failing].1)
            #expect(call.agreement == rig.ledger.attempts.first { $0.attempt == left.number }?.agreement)
            #expect(rig.isSound)
        }
        var both = DeskRig.hedged()
        let id = both.call("any")
        both.pass(100)
        for (attempt, _) in both.sent { both.take(.attemptFailed(attempt, .streamReset, .possible)) }
        #expect(both.sent.count == 3)
        both.failLast()
        #expect(both.sent.count == 3 && both.refusal(of: id) == [.peerUnreachable])
        #expect(both.isSound)
    }

    @Test("each has a time of its own, and the call ends at its deadline at the latest")
    func late() {
        var rig = DeskRig.hedged()
        let id = rig.call("any", deadline: .seconds(2))
        rig.pass(1_000)
        // Half of the time was the first one's; the second has what was left when it went.
        #expect(rig.abandoned.map(\.number) == [1] && rig.ledger.answered[id] == nil)
        rig.pass(999)
        #expect(rig.ledger.answered[id] == nil)
        rig.pass(1)
        #expect(rig.refusal(of: id)?.first == .deadlineExceeded)
        #expect(rig.sent.count <= 3 && rig.isSound)
    }
}
