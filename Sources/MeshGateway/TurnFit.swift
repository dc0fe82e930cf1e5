import MeshBase
import NIOCore

/// How many exchanges may be under way at one resource while several callers share the event loop.
///
/// What a loop finds ready in one turn is done before anybody's next step: with 256 answers to read, every call
/// of everybody waits for them at each of its own steps. So while several call, no more are under way than keep
/// a turn near `target`; the others wait, those of each caller in their own line (`TurnQueue`), and the loop
/// works on as before, in smaller pieces. Where turns are short, because resources take their time and not this
/// loop, nothing is held back, and a caller that is alone never is.
///
///     several callers, a turn longer than `long` ──> an eighth fewer, at least `least`
///     a turn shorter than `short` ──> one more       one caller ──> `most`
///
/// Additive increase, multiplicative decrease (Chiu and Jain, Analysis of the Increase and Decrease Algorithms
/// for Congestion Avoidance, 1989).
struct TurnFit {
    /// Beyond it fewer are let in.
    static let long: Duration = .microseconds(1_000)
    /// Below it more are.
    static let short: Duration = .microseconds(500)
    /// Fewer would leave the loop idle between the steps of those that are under way.
    static let least = 8
    /// Who called within this time counts.
    static let memory: TimeAmount = .seconds(1)
    /// Callers that are told apart; more are several anyhow.
    private static let callersMost = 64

    /// How many may be under way.
    private(set) var limit: Int
    private let most: Int
    private var callers: [NodeID?: NIODeadline] = [:]
    private var swept = NIODeadline.uptimeNanoseconds(0)

    init(most: Int) {
        (self.most, limit) = (most, most)
    }

    /// Somebody calls; nil: an application of this node.
    mutating func note(_ caller: NodeID?, at now: NIODeadline) {
        if callers[caller] != nil || callers.count < Self.callersMost { callers[caller] = now }
    }

    /// A turn took so long; true when more may be under way now.
    mutating func turnTook(_ time: Duration, at now: NIODeadline) -> Bool {
        sweep(at: now)
        let before = limit
        if callers.count < 2 {
            limit = most
        } else if time > Self.long {
            limit = max(min(Self.least, most), limit - max(1, limit / 8))
        } else if time < Self.short {
            limit = min(most, limit + 1)
        }
        return limit > before
    }

    /// How many callers are told apart now.
    var told: Int { callers.count }

    private mutating func sweep(at now: NIODeadline) {
        guard now - swept > .milliseconds(100) else { return }
        swept = now
        callers = callers.filter { now - $0.value < Self.memory }
    }
}
