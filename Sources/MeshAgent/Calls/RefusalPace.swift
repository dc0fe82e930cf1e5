import MeshBase
import NIOCore

/// When each peer's refusals leave. A refusal costs a peer nothing and this node a decision: who keeps as
/// many calls under way as a link has streams, and asks again for each that is refused, would have it do
/// nothing else, and the others' calls would wait behind that. So `burst` refusals of a peer leave at once,
/// and one each `interval` after that, none later than `longest`; until then the call's place on the link is
/// taken.
///
/// By the generic cell rate algorithm (ITU-T I.371, virtual scheduling): one time for each peer.
struct RefusalPace {
    static let interval: TimeAmount = .milliseconds(1)
    static let burst: Int64 = 100
    /// None waits longer: a caller that means well has a deadline, and must hear why.
    static let longest: TimeAmount = .milliseconds(500)

    /// When the bucket of each peer is empty of what it was given.
    private var due: [NodeID: NIODeadline] = [:]

    /// Of more peers than these, those that have nothing waiting are forgotten.
    private static let most = 1_024

    /// How long the next refusal of `peer` waits; nil: it leaves at once.
    mutating func wait(_ peer: NodeID, at now: NIODeadline) -> TimeAmount? {
        if due.count >= Self.most, due[peer] == nil { due = due.filter { $0.value > now } }
        let next = min(
            max(due[peer] ?? now, now) + Self.interval, now + Self.interval * Self.burst + Self.longest)
        due[peer] = next
        let wait = next - now - Self.interval * Self.burst
        return wait > .zero ? wait : nil
    }

    /// Its link is gone, and all that waited for it.
    mutating func forget(_ peer: NodeID) { due[peer] = nil }

    /// Peers that are remembered.
    var remembered: Int { due.count }
}
