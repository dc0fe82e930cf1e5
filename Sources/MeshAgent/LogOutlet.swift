import Logging
import MeshBase
import MeshControl
import Synchronization

/// How much the agent says and in which form: as configured, and for a while as somebody ordered.
///
///     configured ──ordered──> ordered ──its time is over──> configured
///                                │
///                                └──another level is configured──> configured
struct LogDial: Sendable, Equatable {
    /// What `log.level` says.
    private(set) var configured: LogLevel
    /// What `log.format` says.
    private(set) var format: AgentConfiguration.Format
    private var order: Order?

    /// A level that was ordered while running.
    struct Order: Sendable, Equatable {
        let level: LogLevel
        /// When it is over; nil: at the agent's end.
        let until: Instant?
    }

    init(_ log: AgentConfiguration.Log) {
        configured = log.level
        format = log.format
    }

    /// What was ordered and is not over.
    func order(at now: Instant) -> Order? {
        guard let order, order.until.map({ now < $0 }) ?? true else { return nil }
        return order
    }

    /// The least that is said now.
    func level(at now: Instant) -> LogLevel { order(at: now)?.level ?? configured }

    /// Says `level` for so long; nil: until the agent ends.
    mutating func turn(to level: LogLevel, for life: Duration?, at now: Instant) {
        order = Order(level: level, until: life.map { now + $0 })
    }

    /// Takes what is configured; another level than before ends what was ordered.
    mutating func configure(_ log: AgentConfiguration.Log) {
        if log.level != configured { order = nil }
        configured = log.level
        format = log.format
    }
}

/// Where all that the agent says goes through: its loggers count and obey together.
final class LogOutlet: Sendable {
    private let throttle = Mutex(LogThrottle())
    private let dial: Mutex<LogDial>

    init(_ configuration: AgentConfiguration.Log) { dial = Mutex(LogDial(configuration)) }

    /// A logger that says what this outlet lets through.
    var logger: Logger { Logger(label: "comity") { _ in AgentLog(outlet: self) } }

    /// How it stands.
    var setting: LogDial { dial.withLock { $0 } }

    /// Takes what is configured now.
    func configure(_ log: AgentConfiguration.Log) { dial.withLock { $0.configure(log) } }

    /// Says `level` for so long; nil: until the agent ends.
    func turn(to level: LogLevel, for life: Duration?) {
        let now = SystemClock.now().instant
        dial.withLock { $0.turn(to: level, for: life, at: now) }
    }

    func take(_ message: String, at now: Instant) -> LogThrottle.Verdict {
        throttle.withLock { $0.take(message, at: now) }
    }
}
