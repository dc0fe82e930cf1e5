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

    @Test(
        "a date of RFC 3339 is read, to the millisecond, with its offset",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("1969-12-31t23:59:59.9999z", -1),
            ("2000-02-29T00:00:00.000+00:00", 951_782_400_000),
            ("2000-02-29 01:30:00+01:30", 951_782_400_000),
            ("2000-02-28T23:00:00.0-01:00", 951_782_400_000), ("2016-12-31T23:59:60Z", 1_483_228_799_000),
            ("9999-12-31T23:59:59.999999999Z", 253_402_300_799_999),
            ("2000-01-01T00:00:00.5Z", 946_684_800_500),
        ] as [(String, Int64)])
    func reads(text: String, milliseconds: Int64) {
        #expect(RFC3339.time(text) == WallTime(milliseconds: milliseconds))
    }

    @Test(
        "what is no such date is none",
        arguments: [
            "", "2000-01-01", "2000-02-30T00:00:00Z", "1900-02-29T00:00:00Z", "2000-13-01T00:00:00Z",
            "2000-00-01T00:00:00Z", "2000-01-00T00:00:00Z", "2000-01-01T24:00:00Z", "2000-01-01T00:60:00Z",
            "2000-01-01T00:00:61Z", "2000-01-01T00:00:00", "2000-01-01T00:00:00.Z",
            "2000-01-01T00:00:00+0100",
            "2000-01-01T00:00:00+24:00", "2000-01-01T00:00:00ZZ", "2000-01-01X00:00:00Z",
            "+200-01-01T00:00:00Z",
            "2000-01-01T00:00:00.12345678901234567890Z1", "２000-01-01T00:00:00Z",
        ])
    func readsNothing(text: String) { #expect(RFC3339.time(text) == nil) }

    @Test("what is printed is read as the same")
    func readsWhatIsPrinted() {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<10_000 {
            let time = WallTime(
                milliseconds: Int64(generator.number(below: 315_537_897_600_000)) - 62_167_219_200_000)
            #expect(RFC3339.time(RFC3339.text(time)) == time)
        }
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
