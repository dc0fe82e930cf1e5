import Foundation
import MeshBase
import Testing

@testable import MeshAgreements

@Suite("What a house agreement permits")
struct HousePolicyTests {
    private let house = House()
    private let caller = Party(1).node
    private let callee = Party(2).node

    private func question(_ side: PolicyQuestion.Side = .provider, at second: Int64 = 0) -> PolicyQuestion {
        PolicyQuestion(
            side: side, caller: caller, callee: callee, resource: .echo, capability: .echo,
            safety: .safe, method: "POST", principal: .local, now: House.start + .seconds(second))
    }

    private func standing(
        _ document: HouseDocument?, caller: Membership?, callee: Membership?, isOffered: Bool = true
    ) -> HouseStanding {
        HouseStanding(
            terms: document?.terms(using: house.suite), caller: caller, callee: callee, isOffered: isOffered)
    }

    private func codes(_ verdict: Verdict) -> [RefusalCode] {
        if case .refused(let refusals) = verdict { return refusals.map(\.code) }
        return []
    }

    @Test("a member's call at what another offers to the domain, alike on both sides")
    func permits() {
        let document = house.document()
        let standing = standing(document, caller: house.member(), callee: house.member())
        for side in PolicyQuestion.Side.allCases {
            let verdict = PolicyEvaluator.decide(question(side), over: [], house: standing)
            #expect(verdict == .permitted(document.agreement.contentID(using: house.suite)))
        }
    }

    @Test("nothing that is not offered to the domain, and says so")
    func notOffered() {
        let standing = standing(
            house.document(), caller: house.member(), callee: house.member(), isOffered: false)
        #expect(
            codes(PolicyEvaluator.decide(question(), over: [], house: standing)) == [
                .agreementMissing, .notOfferedToDomain,
            ])
    }

    @Test("nothing between who are not both members of one domain")
    func membership() {
        let other = House(2).member()
        for (caller, callee) in [
            (nil, house.member()), (house.member(), nil), (nil, nil), (other, house.member()),
            (house.member(), other),
        ] {
            let verdict = PolicyEvaluator.decide(
                question(), over: [], house: standing(house.document(), caller: caller, callee: callee))
            #expect(codes(verdict) == [.membershipMissing, .agreementMissing])
        }
        // Two members of another domain than the house agreement's.
        let foreign = PolicyEvaluator.decide(
            question(), over: [], house: standing(house.document(), caller: other, callee: other))
        #expect(codes(foreign) == [.houseAgreementMissing, .agreementMissing])
    }

    @Test("nothing under a permission that this build does not know")
    func unknownPermission() throws {
        let word = try #require(ResourceName("what-later-builds-permit"))
        let later = house.document(permits: HouseAgreement.Permission(word))
        let verdict = PolicyEvaluator.decide(
            question(), over: [],
            house: standing(later, caller: house.member(), callee: house.member()))
        #expect(codes(verdict) == [.houseAgreementMissing, .agreementMissing])
        let written = try JSONEncoder().encode(later.body)
        #expect(try JSONDecoder().decode(HouseAgreement.self, from: written) == later.body)
    }

    @Test("nothing without a house agreement")
    func missing() {
        let verdict = PolicyEvaluator.decide(
            question(), over: [], house: standing(nil, caller: house.member(), callee: house.member()))
        #expect(codes(verdict) == [.houseAgreementMissing, .agreementMissing])
    }

    @Test(
        "up to five seconds before the first end: of either membership, or of the document",
        arguments: [(94, true), (95, true), (96, false)])
    func ends(second: Int64, isPermitted: Bool) {
        let (short, long) = (House.start + .seconds(100), House.start + .seconds(1_000))
        let cases = [
            (house.document(life: .seconds(1_000)), short, long, RefusalCode.membershipMissing),
            (house.document(life: .seconds(1_000)), long, short, .membershipMissing),
            (house.document(life: .seconds(100)), long, long, .agreementExpired),
        ]
        for (document, callersEnd, calleesEnd, code) in cases {
            let verdict = PolicyEvaluator.decide(
                question(at: second), over: [],
                house: standing(
                    document, caller: house.member(until: callersEnd),
                    callee: house.member(until: calleesEnd)))
            #expect(codes(verdict) == (isPermitted ? [] : [code, .agreementMissing]))
        }
    }

    @Test("what the two agreed with one another comes before it")
    func pairFirst() {
        var generator = SeededGenerator(seed: 1)
        let agreement = Agreement(
            id: AgreementID(using: &generator), version: 1, source: callee, target: caller,
            grants: [Grant(resource: .echo, capabilities: nil)], validFrom: nil,
            validUntil: House.start + .seconds(1_000), createdBy: callee, created: House.start)
        let terms = AgreementTerms(
            contentID: house.suite.digest([9]), agreement: agreement, standing: .active)
        let standing = standing(house.document(), caller: house.member(), callee: house.member())
        #expect(
            PolicyEvaluator.decide(question(), over: [terms], house: standing) == .permitted(terms.contentID))
    }

    @Test("nothing outside membership, domain, time or offer; each refusal has a reason", arguments: 1...9)
    func never(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        let houses = [House(1), House(2)]
        var permitted = 0
        func document() -> HouseDocument? {
            let life = Duration.seconds(Int64(chance.number(below: 200) + 1))
            guard chance.number(below: 6) > 0 else { return nil }
            return houses[Int(chance.number(below: 4)) / 3].document(life: life)
        }
        func membership() -> Membership? {
            guard chance.number(below: 5) > 0 else { return nil }
            let until = House.start + .seconds(Int64(chance.number(below: 200)))
            return houses[Int(chance.number(below: 4)) / 3].member(until: until)
        }
        for _ in 0..<500 {
            let document = document()
            let standing = standing(
                document, caller: membership(), callee: membership(), isOffered: chance.number(below: 4) > 0)
            let asked = question(at: Int64(chance.number(below: 100)))
            switch PolicyEvaluator.decide(asked, over: [], house: standing) {
            case .permitted(let id):
                permitted += 1
                let end = asked.now + .seconds(5)
                #expect(id == document?.agreement.contentID(using: house.suite) && standing.isOffered)
                #expect(standing.caller?.domain == document?.body.domain)
                #expect(standing.callee?.domain == document?.body.domain)
                for until in [standing.caller?.until, standing.callee?.until, document?.body.until] {
                    #expect(until.map { end <= $0 } == true)
                }
            case .refused(let refusals):
                #expect(!refusals.isEmpty && refusals.count <= PolicyEvaluator.refusalsMax)
                let isMember = standing.caller.map { $0.domain == standing.callee?.domain } ?? false
                if standing.isOffered || isMember { #expect(refusals.count > 1) }
            }
        }
        #expect(permitted > 5)
    }
}
