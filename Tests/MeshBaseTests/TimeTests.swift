import MeshBase
import Testing

@Suite("Time")
struct TimeTests {
    @Test(
        "a date prints as RFC 3339 in UTC with milliseconds",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"), (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] as [(Int64, String)])
    func prints(milliseconds: Int64, text: String) {
        #expect(RFC3339.text(WallTime(milliseconds: milliseconds)) == text)
    }

    @Test("a date beyond the calendar prints as its nearest end")
    func clamps() {
        #expect(RFC3339.text(WallTime(milliseconds: .max)) == "9999-12-31T23:59:59.999Z")
        #expect(RFC3339.text(WallTime(milliseconds: .min)) == "0000-01-01T00:00:00.000Z")
    }

    @Test("an instant saturates where a hostile duration would overflow")
    func instantsSaturate() {
        #expect(Instant.never + .seconds(1) == .never)
        #expect(Instant.zero + .seconds(Int64.max) == .never)
        #expect(Instant(nanoseconds: .min) + .seconds(-1) == .zero)
        #expect(Instant(nanoseconds: 5) + .nanoseconds(2) == Instant(nanoseconds: 7))
        #expect(Instant(nanoseconds: 5) - Instant(nanoseconds: 7) == .nanoseconds(-2))
    }

    @Test("a date saturates where a hostile duration would overflow")
    func datesSaturate() {
        #expect(WallTime(milliseconds: .max) + .seconds(1) == WallTime(milliseconds: .max))
        #expect(WallTime(milliseconds: .min) - .seconds(1) == WallTime(milliseconds: .min))
        #expect(WallTime(milliseconds: 1_000) - .milliseconds(1) == WallTime(milliseconds: 999))
    }

    @Test("a duration counts whole units toward zero")
    func durations() {
        #expect(Duration.microseconds(1_999).wholeMilliseconds == 1)
        #expect(Duration.microseconds(-1_999).wholeMilliseconds == -1)
        #expect(Duration.seconds(Int64.max).wholeNanoseconds == .max)
        #expect(Duration.seconds(Int64.min).wholeNanoseconds == .min)
    }
}

@Suite("Limits")
struct LimitTests {
    @Test("hold together: what is carried fits into what carries it")
    func relate() {
        #expect(Limits.handshakeMessage <= Limits.framePayload)
        #expect(Limits.invocationHead <= Limits.framePayload)
        // A signed document carries its payload in base64url beside header and signatures.
        #expect(Limits.documentPayload * 4 / 3 + 3_072 <= Limits.framePayload)
        #expect(Limits.framePayload <= Limits.streamWindow)
        #expect(Limits.streamWindow <= Limits.linkWindow)
        #expect(Limits.handshakesKeptForKnown < Limits.unfinishedHandshakes)
        #expect(Limits.handshakesPerUnknownAddress < Limits.handshakesPerKnownAddress)
        #expect(Limits.handshakeMessageTime < Limits.handshakeTime)
        #expect(Limits.clockSkewWarned < Limits.clockSkewRefused)
        #expect(Limits.callDeadline < Limits.callDeadlineMax)
        #expect(Limits.automaticAgreementsPerPeer <= Limits.agreementsPerPeer)
        #expect(Limits.auditRecord < Limits.journalSegment)
    }
}
