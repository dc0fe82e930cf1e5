import MeshBase
import Testing

@testable import MeshAgreements

@Suite("Replay of a policy")
struct PolicyReplayTests {
    private let provider = Party(1).node
    private let consumer = Party(2).node

    private func question(
        _ principal: String = "local", capability: String = "list", method: String = "GET",
        safety: Safety = .safe, second: Int64 = 0
    ) -> PolicyQuestion {
        PolicyQuestion(
            side: .provider, caller: consumer, callee: provider, resource: ResourceName("orders")!,
            capability: ResourceName(capability)!, safety: safety, method: method,
            principal: Principal(principal)!, now: WallTime(milliseconds: 1_000_000 + second * 1_000))
    }

    private func terms(
        _ conditions: AgreementConditions = .none, from: Int64? = nil, until: Int64 = 100,
        standing: AgreementTerms.Standing = .active
    ) -> AgreementTerms {
        var generator = SeededGenerator(seed: 1)
        let agreement = Agreement(
            id: AgreementID(using: &generator), version: 1, source: provider, target: consumer,
            grants: [Grant(resource: ResourceName("orders")!, capabilities: nil)], conditions: conditions,
            validFrom: from.map { WallTime(milliseconds: 1_000_000 + $0 * 1_000) },
            validUntil: WallTime(milliseconds: 1_000_000 + until * 1_000), createdBy: provider,
            created: WallTime(milliseconds: 0))
        return AgreementTerms(contentID: .zero, agreement: agreement, standing: standing)
    }

    private func id(_ number: UInt64) -> CorrelationID { CorrelationID(high: 1, low: number) }

    @Test("counts what stays and what changes, and says who, what and why")
    func counts() {
        var replay = PolicyReplay()
        replay.add(question(), correlation: id(1), first: .permitted, second: .permitted)
        replay.add(
            question(), correlation: id(2), first: .refused(.agreementExpired),
            second: .refused(.agreementEnded))
        replay.add(
            question("billing"), correlation: id(3), first: .permitted, second: .refused(.principalNotAgreed))
        replay.add(
            question(capability: "buy"), correlation: id(4), first: .refused(.capabilityNotAgreed),
            second: .permitted)
        #expect(replay.calls == 4 && replay.permitted == 1 && replay.refused == 1)
        #expect(replay.lost == 1 && replay.gained == 1 && replay.ungrouped == 0)
        let changes = replay.changes
        #expect(changes.map(\.change.direction) == [.lost, .gained])
        #expect(changes.map(\.change.principal.description) == ["billing", "local"])
        #expect(changes.map(\.change.code) == [.principalNotAgreed, .capabilityNotAgreed])
        #expect(changes.map(\.share.examples) == [[id(3)], [id(4)]])
    }

    @Test("one history has one answer, in whatever order it is told")
    func order() {
        var generator = SeededGenerator(seed: 7)
        let calls = (0..<200).map { number in
            (number, ["ann", "bob", "eve"][number % 3], number % 5 == 0)
        }
        func replayed(_ order: [(Int, String, Bool)]) -> PolicyReplay {
            var replay = PolicyReplay()
            for (number, principal, isLost) in order {
                replay.add(
                    question(principal), correlation: id(UInt64(number)),
                    first: isLost ? .permitted : .refused(.agreementPending),
                    second: isLost ? .refused(.agreementEnded) : .permitted)
            }
            return replay
        }
        let told = replayed(calls)
        #expect(told.changes.count == 6 && told.lost == 40 && told.gained == 160)
        for _ in 0..<20 {
            var order = calls
            for place in order.indices.dropFirst() {
                order.swapAt(place, Int(generator.next() % UInt64(place + 1)))
            }
            #expect(replayed(order) == told)
        }
        for (change, share) in told.changes {
            let own = calls.filter {
                $0.1 == change.principal.description && $0.2 == (change.direction == .lost)
            }
            #expect(share.count == own.count)
            #expect(share.examples == own.map { id(UInt64($0.0)) }.sorted().reversed().prefix(3).map { $0 })
        }
    }

    @Test("attempts at one call are counted each, and are one example")
    func attempts() {
        var replay = PolicyReplay()
        for _ in 0..<3 {
            replay.add(
                question(), correlation: id(9), first: .permitted, second: .refused(.agreementEnded))
        }
        #expect(replay.changes.map(\.share.count) == [3])
        #expect(replay.changes.map(\.share.examples) == [[id(9)]])
    }

    @Test("no more kinds of change are told apart than fit; the rest is counted")
    func bound() {
        var replay = PolicyReplay()
        for number in 0..<PolicyReplay.groupsMax + 10 {
            replay.add(
                question("p\(number)"), correlation: id(UInt64(number)), first: .permitted,
                second: .refused(.agreementEnded))
        }
        #expect(replay.changes.count == PolicyReplay.groupsMax)
        #expect(replay.ungrouped == 10 && replay.lost == PolicyReplay.groupsMax + 10)
    }

    @Test(
        "what is weighed before signing counts as signed and in time, and holds all else",
        arguments: [
            AgreementTerms.Standing.pending, .active, .ended,
        ])
    func bySigned(standing: AgreementTerms.Standing) {
        let offers = [terms(from: 50, standing: standing), terms(until: -50, standing: standing)]
        for offer in offers {
            #expect(PolicyEvaluator.decide(question(), bySigned: offer) == .permitted(offer.contentID))
        }
        let strict = terms(
            AgreementConditions(access: .readOnly, principals: [Principal("billing")!]), standing: standing)
        guard
            case .refused(let reasons) = PolicyEvaluator.decide(
                question(capability: "buy", method: "POST", safety: .unsafe), bySigned: strict)
        else {
            Issue.record("permitted")
            return
        }
        #expect(reasons.map(\.code) == [.accessLevelExceeded, .principalNotAgreed])
    }
}
