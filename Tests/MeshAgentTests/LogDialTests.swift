import MeshBase
import Testing

@testable import MeshAgent

@Suite("How much is said") struct LogDialTests {
    private let start = Instant(nanoseconds: 5_000_000_000)
    private var minute: Duration { .seconds(60) }

    @Test func `the configured level holds until another is ordered, and again when that is over`() {
        var dial = LogDial(.init(level: .warning))
        #expect(dial.level(at: start) == .warning && dial.order(at: start) == nil)
        dial.turn(to: .trace, for: minute, at: start)
        #expect(dial.level(at: start + .seconds(59)) == .trace)
        #expect(dial.order(at: start)?.until == start + minute)
        #expect(dial.level(at: start + minute) == .warning && dial.order(at: start + minute) == nil)
    }

    @Test func `an order without end holds for ever, the last one counts`() {
        var dial = LogDial(.init())
        dial.turn(to: .trace, for: minute, at: start)
        dial.turn(to: .error, for: nil, at: start)
        #expect(dial.level(at: start + .seconds(1_000_000)) == .error)
    }

    @Test func `another configured level ends an order, the same one does not`() {
        var dial = LogDial(.init())
        dial.turn(to: .trace, for: nil, at: start)
        dial.configure(.init(level: .info, format: .json))
        #expect(dial.level(at: start) == .trace && dial.format == .json)
        dial.configure(.init(level: .notice, format: .json))
        #expect(dial.level(at: start) == .notice && dial.order(at: start) == nil)
    }

    @Test func `all loggers of an outlet obey at once`() {
        let outlet = LogOutlet(.init(level: .error))
        let logger = outlet.logger
        #expect(logger.logLevel == .error)
        outlet.turn(to: .debug, for: nil)
        #expect(logger.logLevel == .debug)
    }
}
