import MeshBase

/// Through which relays the trusted peers are reached that nobody reaches directly (decision 0043).
///
///                 sought                due, and a relay is there
///     (nothing) ────────▶ waiting ───────────────────────────────────▶ trying
///        ▲                │  ▲  ▲ the next relay of the round, at once;  │  │
///        │ left alone     │  │  └── after the last a jittered wait ──────┘  │
///        │ (from any)     │  └──────── linkDown ─────── up ◀───────────────┘ linkUp
///                         └───────────── linkUp ────────▲
///
/// `Discovery` goes on dialling the peer itself meanwhile, and while a relay carries the link: a link that
/// nobody carries takes its place as soon as there is one. A round is each relay once, as the caller orders
/// them. Callers owe: one answer to each dial, by `fail` or `linkUp`; `due` when `nextDeadline` has come.
public struct CircuitPlan: Sendable, Equatable {
    /// A dial through a relay.
    public struct Dial: Hashable, Sendable {
        /// Whom it is to reach; the only node to be accepted.
        public let peer: NodeID
        /// Who carries it.
        public let relay: NodeID

        public init(peer: NodeID, through relay: NodeID) {
            self.peer = peer
            self.relay = relay
        }
    }

    private enum Phase: Sendable, Equatable {
        /// With what is left of the round; empty: the next one is begun anew.
        case waiting([NodeID])
        case trying(relay: NodeID, rest: [NodeID])
        case up
    }

    private struct Search: Sendable, Equatable {
        var phase: Phase
        var backoff = Backoff(first: CircuitPlan.pauseFirst, most: CircuitPlan.pauseMost)
    }

    /// How long a peer is sought directly before anybody is asked to carry its link: several endpoints can
    /// have been dialled by then (`DiscoveryConfiguration.raceDelay`).
    static let patience: Duration = .seconds(3)
    /// No wait after a round is shorter.
    static let pauseLeast: Duration = .seconds(1)
    /// What is drawn besides is at most this at first, and doubles.
    static let pauseFirst: Duration = .seconds(4)
    /// It never exceeds this: who comes back behind a relay is there within a minute.
    static let pauseMost: Duration = .seconds(60)
    /// A dial that was not answered by then counts as failed: the relay's answer and the handshake have their
    /// own limits, which are shorter together.
    static let lapse: Duration = .seconds(30)

    private var searches = OrderedTable<NodeID, Search>()
    private var alarms = Deadlines<NodeID>()
    private var generator: SeededGenerator

    public init(generator: SeededGenerator) { self.generator = generator }

    /// When `due` is owed; nil for never.
    public var nextDeadline: Instant? { alarms.next }

    /// This trusted peer is sought from now on.
    public mutating func seek(_ peer: NodeID, at now: Instant) {
        guard searches[peer] == nil else { return }
        searches[peer] = Search(phase: .waiting([]))
        alarms.set(peer, at: now + Self.patience)
    }

    /// It is sought no more. A dial under way ends by itself.
    public mutating func leave(_ peer: NodeID) {
        searches[peer] = nil
        alarms.cancel(peer)
    }

    /// There is a link with it, whoever carries that.
    /// - Returns: whether a dial through a relay was under way.
    @discardableResult
    public mutating func linkUp(_ peer: NodeID) -> Bool {
        let wasTrying = if case .trying? = searches[peer]?.phase { true } else { false }
        searches.update(peer) { search in
            search.phase = .up
            search.backoff.reset()
        }
        alarms.cancel(peer)
        return wasTrying
    }

    /// The link is gone.
    public mutating func linkDown(_ peer: NodeID, at now: Instant) {
        guard case .up? = searches[peer]?.phase else { return }
        searches.update(peer) { $0.phase = .waiting([]) }
        alarms.set(peer, at: now + Self.patience)
    }

    /// This dial came to nothing: the next relay of the round is due at once. Ignored unless it is under way.
    public mutating func fail(_ dial: Dial, at now: Instant) {
        guard case .trying(dial.relay, let rest)? = searches[dial.peer]?.phase else { return }
        guard !rest.isEmpty else { return pause(dial.peer, at: now) }
        searches.update(dial.peer) { $0.phase = .waiting(rest) }
        alarms.set(dial.peer, at: now)
    }

    /// What to dial now.
    /// - Parameter relays: who might carry a link with a peer, in the order in which they are asked.
    public mutating func due(at now: Instant, relays: (NodeID) -> [NodeID]) -> [Dial] {
        var dials: [Dial] = []
        while let peer = alarms.takeDue(at: now) {
            switch searches[peer]?.phase {
            case .up?, nil: break
            // Its time is over.
            case .trying(let relay, _)?: fail(Dial(peer: peer, through: relay), at: now)
            case .waiting(let rest)?:
                let there = relays(peer)
                var round = rest.isEmpty ? there : rest.filter(there.contains)
                guard !round.isEmpty else {
                    pause(peer, at: now)
                    continue
                }
                let relay = round.removeFirst()
                searches.update(peer) { $0.phase = .trying(relay: relay, rest: round) }
                alarms.set(peer, at: now + Self.lapse)
                dials.append(Dial(peer: peer, through: relay))
            }
        }
        return dials
    }

    private mutating func pause(_ peer: NodeID, at now: Instant) {
        var pause = Self.pauseLeast
        searches.update(peer) { search in
            search.phase = .waiting([])
            pause += search.backoff.fail(using: &generator)
        }
        alarms.set(peer, at: now + pause)
    }
}
