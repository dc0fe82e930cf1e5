import NIOCore

/// How long the turns of the event loop take: the longest of late, which the desk is told when it has changed
/// by as much as matters.
struct TurnPace {
    private var longest: Int64 = 0
    private var told: Int64 = 0

    /// Changes below this, in nanoseconds, are nothing to what is made of it.
    private static let step: Int64 = 1_000_000

    /// A turn took so long; what the desk is to be told now, if anything.
    mutating func note(_ taken: TimeAmount) -> Duration? {
        longest = max(taken.nanoseconds, longest - longest / 8)
        guard abs(longest - told) > max(Self.step, told / 4) else { return nil }
        told = longest < Self.step ? 0 : longest
        return .nanoseconds(told)
    }
}
