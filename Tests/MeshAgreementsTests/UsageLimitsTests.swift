import Foundation
import MeshBase
import Testing

@testable import MeshAgreements

@Suite("Limits of an agreement")
struct UsageLimitsTests {
    private func agreement(
        _ limits: UsageLimits, _ callsAtEnd: CallsAtEnd = .finish
    ) -> Agreement {
        var generator = SeededGenerator(seed: 1)
        return Agreement(
            id: AgreementID(using: &generator), version: 1, source: Party(1).node, target: Party(2).node,
            grants: [Grant(resource: .echo, capabilities: nil)], limits: limits, callsAtEnd: callsAtEnd,
            validFrom: nil, validUntil: day(30).wall, createdBy: Party(1).node, created: day(0).wall)
    }

    private func rate(_ calls: Int64, _ seconds: Int64 = 1, _ burst: Int64 = 1) -> UsageLimits {
        UsageLimits(rate: RateLimit(calls: calls, seconds: seconds, burst: burst))
    }

    @Test("every number has its bounds, and one beyond is no agreement")
    func bounds() {
        for limits in [
            rate(1), rate(1_000_000, 86_400, 1_000_000), UsageLimits(callsPerDay: 1),
            UsageLimits(callsPerMonth: 1_000_000_000_000), UsageLimits(hops: 0), UsageLimits(hops: 8),
        ] { #expect(agreement(limits).isWellFormed, "\(limits)") }
        for limits in [
            rate(0), rate(1_000_001), rate(1, 0), rate(1, 86_401), rate(1, 1, 0), rate(1, 1, 1_000_001),
            UsageLimits(callsPerDay: 0), UsageLimits(callsPerDay: 1_000_000_000_001),
            UsageLimits(callsPerMonth: -1), UsageLimits(hops: -1), UsageLimits(hops: 9),
        ] { #expect(!agreement(limits).isWellFormed, "\(limits)") }
    }

    @Test("no limit and calls that finish are not written at all, and a document that writes them is none")
    func form() throws {
        let plain = agreement(.none)
        #expect(plain.limits == nil && plain.callsAtEnd == nil && plain.isWellFormed)
        let written = String(decoding: try JSONEncoder().encode(plain), as: UTF8.self)
        #expect(!written.contains("limits") && !written.contains("callsAtEnd"))
        for members in [#""limits":{},"#, #""callsAtEnd":"finish","#] {
            let text = "{" + members + written.dropFirst()
            #expect(!(try JSONDecoder().decode(Agreement.self, from: Data(text.utf8))).isWellFormed)
        }
        let full = agreement(
            UsageLimits(
                rate: RateLimit(calls: 100, seconds: 1, burst: 200), callsPerDay: 10, callsPerMonth: 20,
                hops: 1), .cut)
        let again = try JSONDecoder().decode(Agreement.self, from: JSONEncoder().encode(full))
        #expect(again == full && full.isWellFormed)
    }

    @Test("two agreements differ in each limit by its own name")
    func differences() {
        let mine = agreement(
            UsageLimits(
                rate: RateLimit(calls: 100, seconds: 1, burst: 200), callsPerDay: 10, callsPerMonth: 20,
                hops: 1), .cut)
        let found = mine.differences(from: agreement(.none)) { "\($0)" }
        #expect(
            found == [
                .init(subject: "rate", first: "100 calls in 1 s, 200 at once", second: "no limit"),
                .init(subject: "calls a day", first: "10", second: "no limit"),
                .init(subject: "calls a month", first: "20", second: "no limit"),
                .init(subject: "hops", first: "1", second: "no limit"),
                .init(subject: "calls under way at a revocation", first: "cut", second: "finish"),
            ])
    }

    @Test("an offer carries its limits, and one that breaks a bound is refused with all of them")
    func offered() throws {
        var (a, b) = pair()
        let limits = UsageLimits(callsPerDay: 5)
        func ask(_ limits: UsageLimits) -> AgreementInput {
            .offerRequested(
                Ticket(1),
                OfferRequest(
                    peer: b.node, grants: [Grant(resource: name("orders"), capabilities: nil)],
                    limits: limits, callsAtEnd: .cut, life: days(3)))
        }
        a.take(ask(limits), at: day(1))
        deliver(&a, &b, at: day(1))
        let record = try #require(b.book.records.first)
        #expect(record.agreement.limits == limits && record.agreement.callsAtEnd == .cut)
        a.take(ask(UsageLimits(callsPerDay: 0)), at: day(1))
        guard case .refused(let refusals) = try #require(a.answers.last) else {
            Issue.record("offered")
            return
        }
        #expect(refusals.map(\.code) == [.documentInvalid])
        #expect(refusals[0].facts.contains(Fact("calls of a quota at most", AgreementLimits.quotaMax)))
    }
}
