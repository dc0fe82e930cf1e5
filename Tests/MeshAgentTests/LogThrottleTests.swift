import MeshBase
import Testing

@testable import MeshAgent

@Suite struct LogThrottleTests {
    private let start = Instant(nanoseconds: 5_000_000_000)

    @Test func `a message is said twenty times a minute, then counted, and the count is said with the next`()
    {
        var throttle = LogThrottle()
        for _ in 0..<LogThrottle.linesPerMinute {
            #expect(throttle.take("full", at: start) == .said(withheld: 0))
        }
        for _ in 0..<1_000 { #expect(throttle.take("full", at: start + .seconds(59)) == .withheld) }
        #expect(throttle.take("full", at: start + .seconds(60)) == .said(withheld: 1_000))
        #expect(throttle.take("full", at: start + .seconds(60)) == .said(withheld: 0))
    }

    @Test func `one message does not silence another`() {
        var throttle = LogThrottle()
        for _ in 0..<100 { _ = throttle.take("full", at: start) }
        #expect(throttle.take("locked", at: start) == .said(withheld: 0))
    }
}
