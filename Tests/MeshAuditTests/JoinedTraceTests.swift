import MeshBase
import Testing

@testable import MeshAudit

@Suite struct JoinedTraceTests {
    private func own(_ number: UInt8 = 1, to: NodeID = partner, change: (inout AuditEvent) -> Void = { _ in })
        -> AuditEvent
    {
        var event = attempt(number: number, to: to)
        event.success = true
        event.requestDigest = digest(7)
        change(&event)
        return event
    }

    private func theirs(
        _ number: UInt8 = 1, by: NodeID = partner, change: (inout AuditEvent) -> Void = { _ in }
    )
        -> AuditEvent
    {
        var event = own(number, to: by)
        event.type = .service
        change(&event)
        return event
    }

    private func trace(_ own: [AuditEvent], _ halves: [TraceHalf]) -> JoinedTrace {
        JoinedTrace(correlation: call(1), node: here, own: own, halves: halves)
    }

    @Test func `joins the two halves of an attempt`() {
        let joined = trace([own()], [TraceHalf(node: partner, answer: .told([theirs()]))])
        #expect(joined.parts.map(\.verdict) == [.agreed])
        #expect(joined.isComplete)
    }

    @Test func `joins each attempt with the node that it went to, and shows what closed the call`() {
        var closing = own(0)
        closing.type = .call
        let joined = trace(
            [own(1), own(2, to: third), closing],
            [
                TraceHalf(node: third, answer: .told([theirs(2, by: third)])),
                TraceHalf(node: partner, answer: .told([theirs(1)])),
            ])
        #expect(joined.parts.map(\.target) == [partner, third])
        #expect(joined.isComplete)
        #expect(joined.closing == closing)
    }

    @Test func `names the side that is missing`() {
        let reason = Refusal(.peerUnknown)
        let joined = trace(
            [own(1)],
            [
                TraceHalf(node: partner, answer: .absent(reason)),
                TraceHalf(node: third, answer: .told([theirs(2, by: third)])),
            ])
        #expect(
            joined.parts.map(\.verdict) == [
                .missing(.provider, node: partner), .missing(.consumer, node: here),
            ])
        #expect(joined.absentees == [TraceAbsentee(node: partner, reason: reason)])
        #expect(!joined.isComplete)
    }

    @Test func `names what the two sides tell differently`() {
        let other = theirs { event in
            event.success = false
            event.capability = name("write")
            event.requestDigest = digest(8)
        }
        let joined = trace([own()], [TraceHalf(node: partner, answer: .told([other]))])
        guard case .disagreed(let found) = joined.parts.first?.verdict else { return #expect(Bool(false)) }
        #expect(found.map(\.field) == ["success", "capability", "request digest"])
        #expect(found.first == TraceDisagreement(field: "success", consumer: "true", provider: "false"))
    }

    @Test func `names an answer, a status and an agreement that the two sides tell differently`() {
        let mine = own { event in
            event.agreement = digest(1)
            event.answerDigest = digest(2)
            event.status = 200
        }
        let other = theirs { event in
            event.agreement = digest(3)
            event.answerDigest = digest(4)
            event.status = 201
        }
        let joined = trace([mine], [TraceHalf(node: partner, answer: .told([other]))])
        guard case .disagreed(let found) = joined.parts.first?.verdict else { return #expect(Bool(false)) }
        #expect(found.map(\.field) == ["agreement", "answer digest", "status"])
    }

    @Test func `compares nothing that only one side knows`() {
        let other = theirs { $0.requestDigest = nil }
        #expect(trace([own()], [TraceHalf(node: partner, answer: .told([other]))]).isComplete)
    }

    @Test func `what a provider keeps to itself of a refusal is no disagreement`() {
        let refusal = Refusal(.overloaded, [Fact("partners", 3), Fact("share of each", 1)])
        let theirs = theirs { event in
            event.success = false
            event.refusals = [refusal]
        }
        #expect(theirs.half.refusals == [Refusal(.overloaded, [Fact("share of each", 1)])])
        let mine = own { event in
            event.success = false
            event.refusals = [refusal.forPartner]
        }
        #expect(trace([mine], [TraceHalf(node: partner, answer: .told([theirs]))]).isComplete)
        #expect(trace([mine], [TraceHalf(node: partner, answer: .told([theirs.half]))]).isComplete)
    }

    @Test func `who waits no more does not know how it ended, and who waited does`() {
        for (code, isComplete) in [(RefusalCode.cancelled, true), (.deadlineExceeded, false)] {
            let mine = own { event in
                event.success = false
                event.refusals = [Refusal(code)]
            }
            let joined = trace([mine], [TraceHalf(node: partner, answer: .told([theirs()]))])
            #expect(joined.isComplete == isComplete)
        }
    }

    @Test func `believes a peer only what it holds itself`() {
        let forged = [
            theirs(1, by: third), own(3), theirs(1) { $0.correlation = call(2) },
            theirs(1) { $0.type = .administration },
        ]
        let joined = trace([own()], [TraceHalf(node: partner, answer: .told(forged))])
        #expect(joined.disregarded == 4)
        #expect(joined.parts.map(\.verdict) == [.missing(.provider, node: partner)])
    }

    @Test func `reads the same call from the provider's side`() {
        let joined = JoinedTrace(
            correlation: call(1), node: partner, own: [theirs()],
            halves: [TraceHalf(node: here, answer: .told([own()]))])
        #expect(joined.isComplete)
    }

    @Test("what a consumer compared in its agreement with one provider is told that one; of several, codes")
    func kept() {
        func half(candidates: Int, _ refusals: [Refusal]) -> [Refusal] {
            let weighed = (0..<candidates).map { Fact("candidate C\($0)", "score 1") }
            let call = own(0) { event in
                (event.type, event.success) = (.call, false)
                event.refusals = refusals
                event.metadata = weighed + [Fact("method", "GET")]
            }
            return call.half.refusals
        }
        let agreed = Refusal(.capabilityNotAgreed, [Fact("agreed capabilities", "list")])
        let limited = Refusal(.quotaExhausted, [Fact("used", 3)])
        let inner = Refusal(.tooManyCalls, [Fact("calls a second", 3)])
        #expect(half(candidates: 1, [agreed, limited, inner]) == [agreed, limited, Refusal(.tooManyCalls)])
        for several in [0, 2] {
            #expect(half(candidates: several, [agreed]) == [Refusal(.capabilityNotAgreed)])
        }
    }
}
