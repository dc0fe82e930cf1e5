import MeshBase
import MeshDiscovery

/// Decides when this node registers with Consul, and when it says that it still lives: a check that turns
/// critical unless it is passed within its TTL.
///
///                   registered                     passed: again after a third of the TTL
///      (to register) ─────────────▶ held ◀─────────────────────────────────────┐
///        ▲   ▲                       │  └──── a pass is due ───────────────────┘
///        │   └── failed ─────────────┤  failed: the pass is tried again, sooner at first
///        │       (jittered wait)     │
///        └── the server does not know the check, or what is announced has changed
///
/// Callers owe: one request at `due`, one answer to it.
public struct Lease: Sendable, Equatable {
    /// What to ask of the server.
    public enum Request: Sendable, Equatable { case register, pass }

    /// Without a pass for so long the server takes this node for dead: three passes, one of which may be lost
    /// and one late.
    public static let life: Duration = .seconds(30)
    /// When the server forgets a node that has been dead: a minute is the least that it takes.
    public static let oblivion: Duration = .seconds(60)
    /// A request is answered at once.
    static let patience: Duration = .seconds(8)

    /// What is due.
    public private(set) var request: Request = .register
    /// When it is due.
    public private(set) var due: Instant
    /// Since when the server has held this node to be alive; nil while it does not know it.
    public private(set) var heldSince: Instant?
    private var backoff = Backoff(first: .seconds(1), most: Lease.life / 3)
    private var generator: SeededGenerator

    public init(generator: SeededGenerator, at now: Instant) {
        self.generator = generator
        due = now
    }

    /// The server did what was asked.
    public mutating func succeed(at now: Instant) {
        heldSince = heldSince ?? now
        backoff.reset()
        request = .pass
        due = now + Self.life / 3
    }

    /// The server does not know the check that was passed: it was wiped, or forgot this node.
    public mutating func lose(at now: Instant) {
        heldSince = nil
        request = .register
        due = now + backoff.fail(using: &generator)
    }

    /// The server did not answer, or refused.
    /// - Returns: how long until the next request.
    @discardableResult
    public mutating func fail(at now: Instant) -> Duration {
        if request == .register { heldSince = nil }
        let wait = max(.milliseconds(200), backoff.fail(using: &generator))
        due = now + wait
        return wait
    }

    /// What is announced has changed: it is registered anew at once, or when the wait after a failure is
    /// over.
    public mutating func change(at now: Instant) {
        if case .pass = request, backoff.failureCount == 0 { due = now }
        request = .register
    }
}
