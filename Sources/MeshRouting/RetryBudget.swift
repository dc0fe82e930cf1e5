import MeshBase

/// How many attempts may be repeated: a tenth of the calls and one each second (protocol section 8; Finagle's
/// `RetryBudget` is the model). In thousandths of a retry, so that no fraction is lost and none is invented.
///
/// What is not used is kept up to `kept` retries, so that a node lost with many calls in flight does not
/// use up the budget of a quiet minute.
public struct RetryBudget: Sendable, Equatable {
    /// Retries that may be saved up.
    public static let kept: Int64 = 100
    /// Retries there are before the first call.
    public static let atStart: Int64 = 10

    private var thousandths = RetryBudget.atStart * 1000
    private var countedUntil = Instant.zero

    public init() {}

    /// Retries that are left, whole ones.
    public var left: Int64 { thousandths / 1000 }

    /// A call began: its tenth of a retry is added.
    public mutating func deposit(at now: Instant) {
        earn(until: now)
        thousandths = min(thousandths + 100, Self.kept * 1000)
    }

    /// Takes one retry; false, and nothing taken, when none is left.
    public mutating func withdraw(at now: Instant) -> Bool {
        earn(until: now)
        guard thousandths >= 1000 else { return false }
        thousandths -= 1000
        return true
    }

    private mutating func earn(until now: Instant) {
        let milliseconds = (now.nanoseconds - countedUntil.nanoseconds) / 1_000_000
        guard milliseconds > 0 else { return }
        thousandths = min(thousandths + min(milliseconds, Self.kept * 1000), Self.kept * 1000)
        countedUntil = countedUntil + .milliseconds(milliseconds)
    }
}
