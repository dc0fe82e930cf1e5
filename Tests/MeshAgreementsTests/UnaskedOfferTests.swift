import MeshBase
import Testing

@testable import MeshAgreements

/// What a trusted peer may offer, and what comes of it without anybody being asked.
@Suite("Offers that nobody asked for")
struct UnaskedOfferTests {
    @Test(
        "a version far above the highest that is known is refused, so that none is the last that can be written"
    )
    func step() throws {
        let echoing = AgreementConfiguration()
        var (a, b) = pair(echoing, echoing)
        deliver(&a, &b, at: day(0))
        deliver(&b, &a, at: day(0))
        let echo = try #require(a.book.records.first { $0.origin == .builtIn })
        let (id, highest) = (echo.agreement.id, echo.agreement.version)
        for version in [AgreementLimits.versionMax, highest + AgreementLimits.versionStep + 1, highest] {
            let before = a.book.records.count
            offer(id, version: version, resource: "echo", from: b, to: &a, at: day(1))
            #expect(a.book.records.count == before, "\(version)")
            guard case .rejected(_, let refusals)? = a.outgoing.last?.1 else {
                Issue.record("not refused: \(version)")
                continue
            }
            #expect(refusals.contains { $0.code == .documentInvalid })
        }
        // A word without a reason is a no, and what this node renews by itself can be written.
        a.take(.timeReached, at: day(40))
        #expect(a.book.records.allSatisfy { $0.agreement.isWellFormed })
    }

    @Test("what a person accepted is not replaced unless a person accepts; what nobody was asked about is")
    func replaced() throws {
        for isAsked in [true, false] {
            let careful = AgreementConfiguration(
                automaticAcceptance: isAsked ? .none : .short, echoOffer: .none)
            var (a, b) = pair(AgreementConfiguration(echoOffer: .none), careful)
            a.take(.offerRequested(Ticket(1), request(b.node)), at: day(0))
            deliver(&a, &b, at: day(0))
            let first = try #require(b.book.records.first)
            if isAsked { b.take(.acceptanceRequested(Ticket(2), first.contentID), at: day(0)) }
            deliver(&b, &a, at: day(0))
            b.take(.configured(AgreementConfiguration(echoOffer: .none)), at: day(0))
            let replaces = first.agreement.id
            a.take(.offerRequested(Ticket(3), request(b.node, life: days(1), replaces: replaces)), at: day(1))
            deliver(&a, &b, at: day(1))
            let second = try #require(b.book.records.first { $0.agreement.version == 2 })
            let stands = try #require(b.book.records.first { $0.agreement.version == 1 })
            #expect(second.isSignedByBoth == !isAsked)
            #expect(stands.isOpen == isAsked)
        }
    }
}
