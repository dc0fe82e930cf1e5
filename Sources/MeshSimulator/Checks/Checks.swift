import MeshBase
import MeshNode
import MeshRouting

/// What the world has seen, held against what must hold. The checkers believe no node: they see what nodes order and what arrives.
struct Checks: Sendable {
    private(set) var violations: [Violation] = []
    var trust = TrustCheck()
    var gossip = GossipCheck()
    var calls = CallCheck()
    var audit = AuditCheck()
    private var requestsMade: UInt64 = 0

    var isFull: Bool { violations.count >= Violation.countMax }

    /// Keeps the first breaches.
    mutating func add(_ violation: Violation) {
        if !isFull { violations.append(violation) }
    }

    mutating func newRequest() -> RequestID {
        requestsMade += 1
        return RequestID(requestsMade)
    }

    mutating func begin(_ run: RunID) { calls.begin(run) }

    /// A run is over; answers how many requests it leaves unanswered.
    mutating func end(_ run: RunID) -> Int { calls.end(run) }
}

/// How this world lies on purpose, to see the checkers find it.
enum Tampering: String, Sendable, CaseIterable {
    /// The store forgets at start what was revoked.
    case revocationsForgotten
    /// A kill takes synced records of the journal with it.
    case syncedForgotten
    /// The store keeps no idempotency keys.
    case keysForgotten
    /// The store keeps no heads.
    case headsForgotten
    /// The store keeps no boot numbers, and clocks go back at each start.
    case bootsForgotten
    /// Every answer reaches the application twice.
    case answersDoubled
    /// Services are told to work for who has no agreement.
    case agreementsForgotten
    /// The network brings a head to somebody else.
    case headsMisdelivered
    /// After heal, one way stays cut.
    case neverHealed
    /// An impostor is taken for the node that it names.
    case impostorAdmitted
    /// An invite's use is forgotten.
    case invitesForgotten
}
