import MeshBase
import MeshDiscovery

/// Decides when Consul is asked again, and with which index: a blocking query
/// (its documentation, "Blocking Queries") under all rules of its contract.
///
///                 answered, index above 0
///      ┌────────────────────────────────────────────┐
///      │                                            ▼
///   at once (index 0) ◀── index fell, no index, ── waiting (index N): the server answers when something
///      ▲                  or no answer              │  ▲             changed, or after `wait` and some more
///      │                                            │  │
///      └── failed: after a jittered wait ───────────┘  └── answered: the index rose, or stayed
///
/// - A return is no proof of change, so whoever reads the answer compares (`SightingCache`).
/// - An index that *falls* means another server, or one that was wiped: the next question asks at once, for a
///   server that counts anew would let who kept the old number sleep through changes.
/// - Index 0 is never waited upon: a server that answers it (a known fault) would answer at once for ever; 1
///   is below any change. No index at all is no Consul of ours to wait at: it is asked now and then.
/// - The server adds up to `wait`/16 on its own, so patience is longer than that.
/// - Changes that come fast are asked for once a second after a burst of three; failures wait longer and
///   longer.
///
/// Callers owe: one question at `due`, one answer to it.
public struct BlockingQuery: Sendable, Equatable {
    /// What to ask.
    public struct Question: Sendable, Equatable {
        /// The server answers at once for 0, else when its own index is above this.
        public let index: UInt64
        /// How long the server may wait; nothing for a question that is answered at once.
        public let wait: Duration
        /// How long to wait for the whole answer.
        public let patience: Duration
    }

    /// How long an answer may take that the server need not wait with: a server without a leader holds
    /// questions for seven seconds before it says so.
    static let patience: Duration = .seconds(10)
    /// How often a server is asked that names no index.
    static let poll: Duration = .seconds(10)

    /// When the next question is due.
    public private(set) var due: Instant
    private let wait: Duration
    private var index: UInt64 = 0
    private var budget: TokenBucket
    private var backoff = Backoff(first: .seconds(1), most: .seconds(60))
    private var generator: SeededGenerator

    /// - Parameter wait: how long a question may wait at the server, 1 s ... 10 min.
    public init(wait: Duration, generator: SeededGenerator, at now: Instant) {
        precondition(wait >= .seconds(1) && wait <= .seconds(600), "no server waits for \(wait)")
        self.wait = wait
        self.generator = generator
        budget = TokenBucket(burst: 3, interval: .seconds(1), at: now)
        due = now
    }

    /// What to ask when it is due.
    public var question: Question {
        guard index > 0 else { return Question(index: 0, wait: .zero, patience: Self.patience) }
        return Question(index: index, wait: wait, patience: wait + wait / 16 + Self.patience)
    }

    /// An answer came that made sense.
    /// - Parameter index: its `X-Consul-Index`; nil when it had none that is a number.
    public mutating func answer(index answered: UInt64?, at now: Instant) {
        backoff.reset()
        _ = budget.take(at: now)
        due = now + budget.wait(at: now)
        guard let answered else {
            index = 0
            due = now + Self.poll
            return
        }
        index = answered < index ? 0 : max(1, answered)
    }

    /// No answer came, or none that made sense.
    /// - Returns: how long until the next question.
    @discardableResult
    public mutating func fail(at now: Instant) -> Duration {
        // Whatever was missed meanwhile, and whichever server answers next, is seen at once.
        index = 0
        let wait = max(.milliseconds(200), backoff.fail(using: &generator))
        due = now + wait
        return wait
    }
}
