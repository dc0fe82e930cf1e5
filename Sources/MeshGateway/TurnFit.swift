import MeshBase
import NIOCore

/// How many exchanges may be under way at one resource while several callers share the event loop.
///
/// What a loop finds ready in one turn is done before anybody's next step: with 256 answers to read, every
/// call of everybody waits for them at each of its own steps. So while several call, no more are under way
/// than keep a turn near `long`; the others wait, those of each caller in their own line (`TurnQueue`), and
/// the loop works on as before, in smaller pieces. It is held against those resources alone that had a part
/// in a long turn: one that takes its time, or is asked seldom, is not held back, and a caller that is alone
/// never is.
///
///     several callers, a turn longer than `long` in which it took `least` steps or more
///                                                      ──> an eighth fewer, at least `least`
///     a turn shorter than `short`, or `patience` of them in which it had no part ──> one more
///     one caller ──> `most`
///
/// Additive increase, multiplicative decrease (Chiu and Jain, Analysis of the Increase and Decrease
/// Algorithms for Congestion Avoidance, 1989).
struct TurnFit {
    /// Beyond it fewer are let in.
    static let long: Duration = .microseconds(1_000)
    /// Below it more are.
    static let short: Duration = .microseconds(500)
    /// Fewer would leave the loop idle between the steps of those that are under way.
    static let least = 8

    /// One that had no part in so many turns, one after the other, gets room back however long they were.
    static let patience = 16

    /// How many may be under way.
    private(set) var limit: Int
    private let most: Int
    private var idleTurns = 0

    init(most: Int) {
        (self.most, limit) = (most, most)
    }

    /// A turn took so long.
    /// - Parameters:
    ///   - steps: how many exchanges of this resource began or ended in it.
    ///   - callers: how many share the loop.
    mutating func turnTook(_ time: Duration, steps: Int, among callers: Int) {
        idleTurns = steps < Self.least ? idleTurns + 1 : 0
        if callers < 2 {
            limit = most
        } else if time > Self.long, steps >= Self.least {
            limit = max(min(Self.least, most), limit - max(1, limit / 8))
        } else if time < Self.short || idleTurns >= Self.patience {
            limit = min(most, limit + 1)
            idleTurns = 0
        }
    }

    /// Whether nothing is held back.
    var isOpen: Bool { limit == most }
}

/// Who called of late.
struct RecentCallers {
    /// Who called within this time counts.
    static let memory: TimeAmount = .seconds(1)
    /// Callers that are told apart; more are several anyhow.
    private static let most = 64

    private var times: [NodeID?: NIODeadline] = [:]
    private var swept = NIODeadline.uptimeNanoseconds(0)

    /// Somebody calls; nil: an application of this node.
    mutating func note(_ caller: NodeID?, at now: NIODeadline) {
        if times[caller] != nil || times.count < Self.most { times[caller] = now }
    }

    /// How many.
    mutating func count(at now: NIODeadline) -> Int {
        if now - swept > .milliseconds(100) {
            swept = now
            times = times.filter { now - $0.value < Self.memory }
        }
        return times.count
    }
}
