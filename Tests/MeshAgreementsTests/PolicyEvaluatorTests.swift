import MeshBase
import Testing

@testable import MeshAgreements

@Suite("Policy evaluator")
struct PolicyEvaluatorTests {
    let provider = Party(1).node
    let consumer = Party(2).node

    @Test("refuses by default, and names what was asked")
    func deniesByDefault() {
        guard case .refused(let refusals) = PolicyEvaluator.decide(question(), over: []) else {
            Issue.record("permitted")
            return
        }
        #expect(refusals.map(\.code) == [.agreementMissing])
        #expect(refusals[0].facts.contains(Fact("resource", "orders")))
    }

    @Test(
        "honours the times with five seconds to spare on either side",
        arguments: [(4, false), (5, true), (95, true), (96, false)])
    func margins(second: Int, isPermitted: Bool) {
        let terms = self.terms(from: 0, until: 100)
        let verdict = PolicyEvaluator.decide(question(second: second), over: [terms])
        #expect((verdict == .permitted(terms.contentID)) == isPermitted)
    }

    @Test("an absent beginning means from activation")
    func absentBeginning() {
        let terms = self.terms(from: nil, until: 100)
        #expect(PolicyEvaluator.decide(question(second: 0), over: [terms]) == .permitted(terms.contentID))
    }

    @Test(
        "names every shortcoming of what is in force, then of what may come into force, and of nothing else")
    func namesNearest() {
        let near = [
            terms(from: 0, until: 100, standing: .pending), terms(from: 0, until: 100, standing: .ended),
            terms(from: 80, until: 100, capabilities: ["write"]), terms(from: 0, until: 10),
            terms(from: 0, until: 100, reversed: true), terms(from: 0, until: 100, resource: "other"),
        ]
        guard
            case .refused(let refusals) = PolicyEvaluator.decide(
                question(second: 50), over: AgreementIndex(near))
        else {
            Issue.record("permitted")
            return
        }
        #expect(
            refusals.map(\.code) == [
                .agreementNotYetValid, .capabilityNotAgreed, .agreementPending,
            ])
    }

    @Test("where nothing is in force, names what is not signed, the latest of what is over, and the reverse")
    func namesOver() {
        let over = (1...7).map { number in
            terms(from: number, until: 10, standing: number == 5 ? .ended : .active, created: number)
        }
        let near =
            over + [
                terms(from: 0, until: 100, standing: .pending), terms(from: 0, until: 100, reversed: true),
            ]
        guard
            case .refused(let refusals) = PolicyEvaluator.decide(
                question(second: 50), over: AgreementIndex(near))
        else {
            Issue.record("permitted")
            return
        }
        #expect(refusals.map(\.code) == [.agreementPending, .agreementExpired, .partyMismatch])
        #expect(refusals[1].facts.contains(Fact("agreement", over[6].agreement.id)))
    }

    @Test(
        "says of the one agreement there is why it does not hold now",
        arguments: [
            (AgreementTerms.Standing.pending, 0, 100, RefusalCode.agreementPending),
            (.ended, 0, 100, .agreementEnded), (.active, 46, 100, .agreementNotYetValid),
            (.active, 0, 54, .agreementExpired),
        ])
    func onlyOne(standing: AgreementTerms.Standing, from: Int, until: Int, code: RefusalCode) {
        let terms = self.terms(from: from, until: until, standing: standing)
        guard case .refused(let refusals) = PolicyEvaluator.decide(question(second: 50), over: [terms]) else {
            Issue.record("permitted")
            return
        }
        #expect(refusals.map(\.code) == [code])
        #expect(refusals[0].facts.contains(Fact("agreement", terms.agreement.id)))
    }

    @Test("what was agreed the other way round is named last")
    func namesOwnDirectionFirst() {
        let near = [terms(from: 0, until: 100, reversed: true), terms(from: 0, until: 10)]
        guard
            case .refused(let refusals) = PolicyEvaluator.decide(
                question(second: 50), over: AgreementIndex(near))
        else {
            Issue.record("permitted")
            return
        }
        #expect(refusals.map(\.code) == [.agreementExpired, .partyMismatch])
    }

    @Test("what it says stays bounded")
    func bounded() {
        let many = (0..<500).map { _ in terms(from: 0, until: 100, standing: .pending) }
        guard
            case .refused(let refusals) = PolicyEvaluator.decide(
                question(second: 50), over: AgreementIndex(many))
        else {
            Issue.record("permitted")
            return
        }
        #expect(refusals.count == PolicyEvaluator.refusalsMax)
    }

    @Test("never permits outside times, parties or capabilities, and always gives a reason")
    func neverOutside() {
        var generator = SeededGenerator(seed: 7)
        var permitted = 0
        for _ in 0..<2_000 {
            let agreements = (0..<generator.number(below: 4)).map { _ in anyTerms(&generator) }
            let question = self.question(
                second: Int(generator.number(below: 60)),
                resource: generator.number(below: 4) == 0 ? "stock" : "orders",
                capability: generator.number(below: 3) == 0 ? "write" : "read",
                isReversed: generator.number(below: 5) == 0)
            switch PolicyEvaluator.decide(question, over: AgreementIndex(agreements)) {
            case .permitted(let id):
                permitted += 1
                let holds = agreements.contains { terms in
                    let agreement = terms.agreement
                    return terms.contentID == id && terms.standing == .active
                        && agreement.source == question.callee && agreement.target == question.caller
                        && (agreement.validFrom.map { question.now - .seconds(5) >= $0 } ?? true)
                        && question.now + .seconds(5) <= agreement.validUntil
                        && agreement.grants.contains {
                            $0.resource == question.resource
                                && ($0.capabilities?.contains(question.capability) ?? true)
                        }
                }
                #expect(holds)
            case .refused(let refusals): #expect(!refusals.isEmpty && refusals.count <= 8)
            }
        }
        #expect(permitted > 50)
    }

    private func anyTerms(_ generator: inout SeededGenerator) -> AgreementTerms {
        let from = Int(generator.number(below: 50))
        let chance = generator.number(below: 10)
        return terms(
            from: generator.number(below: 3) == 0 ? nil : from,
            until: from + 5 + Int(generator.number(below: 50)),
            capabilities: generator.number(below: 2) == 0 ? nil : ["read"],
            standing: chance < 7 ? .active : chance == 7 ? .ended : .pending,
            reversed: generator.number(below: 5) == 0,
            resource: generator.number(below: 4) == 0 ? "stock" : "orders")
    }

    private func question(
        second: Int = 50, resource: String = "orders", capability: String = "read", isReversed: Bool = false
    ) -> PolicyQuestion {
        PolicyQuestion(
            side: .consumer, caller: isReversed ? provider : consumer,
            callee: isReversed ? consumer : provider,
            resource: name(resource), capability: name(capability), safety: .safe, method: "GET",
            principal: .local,
            now: WallTime(milliseconds: base + Int64(second) * 1000))
    }

    private func terms(
        from: Int?, until: Int, capabilities: [String]? = nil, standing: AgreementTerms.Standing = .active,
        reversed: Bool = false, resource: String = "orders", created: Int = 0
    ) -> AgreementTerms {
        var generator = SeededGenerator(seed: UInt64(until + 1_000 * created))
        let agreement = Agreement(
            id: AgreementID(using: &generator), version: 1, source: reversed ? consumer : provider,
            target: reversed ? provider : consumer,
            grants: [Grant(resource: name(resource), capabilities: capabilities?.map { name($0) })],
            validFrom: from.map { WallTime(milliseconds: base + Int64($0) * 1000) },
            validUntil: WallTime(milliseconds: base + Int64(until) * 1000), createdBy: provider,
            created: WallTime(milliseconds: base + Int64(created)))
        return AgreementTerms(
            contentID: TestSuite().digest(Array("\(agreement)\(standing)".utf8)), agreement: agreement,
            standing: standing)
    }
}
