import MeshBase

/// Keeps refusals within a tenth of the store, so that nobody can push out what happened by being refused.
///
/// A bucket of a twentieth of the store that drains by as much in the time for which events are kept: in any
/// such time at most twice that, a tenth, flows through.
struct RefusalShare: Equatable, Sendable {
    private let capacity: Int64
    private let bytesPerSecond: Int64
    private let secondsMax: Int64
    private var level: Int64 = 0
    private var drainedAt: Instant?

    init(storeBytes: Int64, retention: Duration) {
        capacity = storeBytes / 20
        secondsMax = max(1, retention.wholeMilliseconds / 1_000)
        bytesPerSecond = capacity / secondsMax
    }

    /// Takes `bytes` from the share; false, and nothing taken, when it has not as many.
    mutating func take(_ bytes: Int64, at now: Instant) -> Bool {
        drain(at: now)
        guard level + bytes <= capacity else { return false }
        level += bytes
        return true
    }

    /// Whole seconds only; the rest counts the next time.
    private mutating func drain(at now: Instant) {
        guard let last = drainedAt, level > 0 else {
            drainedAt = now
            return
        }
        let seconds = (now - last).wholeMilliseconds / 1_000
        guard seconds > 0 else { return }
        level = max(0, level - min(seconds, secondsMax) * bytesPerSecond)
        drainedAt = last + .seconds(seconds)
    }
}
