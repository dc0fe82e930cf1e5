import NIOCore

/// How long the turns of the event loop take: the longest of late, which the desk is told when it has changed
/// by as much as matters, and again each second while it does.
struct TurnPace {
    private var longest: Int64 = 0
    private var told: Int64 = 0
    private var toldAt = NIODeadline.uptimeNanoseconds(0)

    /// What is below this, in nanoseconds, is nothing to what is made of it.
    private static let step: Int64 = 1_000_000

    /// A turn from `began` to `ended`; what the desk is to be told now, if anything.
    mutating func note(from began: NIODeadline, to ended: NIODeadline) -> Duration? {
        longest = max((ended - began).nanoseconds, longest - longest / 8)
        let now = longest < Self.step ? 0 : longest
        let isOld = now > 0 && ended - toldAt >= .seconds(1)
        guard isOld || (now == 0) != (told == 0) || abs(now - told) > told / 4 else { return nil }
        (told, toldAt) = (now, ended)
        return .nanoseconds(now)
    }
}
