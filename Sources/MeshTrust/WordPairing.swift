import MeshBase

/// The operator's window for pairing by words, and the one try that runs in it (protocol section 3).
///
///     closed --open--> listening --claimed by a connection--> trying --trusted--> closed
///                          ^                                    |
///                          └───── no, late, wrong, lost ────────┴── the third such --> closed
///     listening, trying --ten minutes, nobody attends, the operator ends it--> closed
///
/// One try at a time, one for each address, three in all: a person who compares words for somebody else's
/// every attempt soon compares nothing. Of two nodes that dial each other at once and both commit, the
/// connection that the smaller node ID dialled stays. Nothing of it is stored. `Trust` keeps the alarms and
/// moves the handshakes.
public struct WordPairing: Equatable, Sendable {
    /// What is open; nil when nothing is.
    public internal(set) var window: Window?
    /// How the last try ended, or the window; nil since it was opened.
    public internal(set) var outcome: Outcome?
    /// How many outcomes there were: tells one from the next.
    public internal(set) var outcomes: Int64 = 0
    /// How many windows there were: a command sees when another has taken over.
    public internal(set) var windows: Int64 = 0

    /// One window.
    public struct Window: Equatable, Sendable {
        let seed: PairingSeed
        /// When it ends at the latest.
        let until: Instant
        /// The same by the wall clock, as it stood at the beginning.
        public let closes: WallTime
        /// When it ends unless somebody attends to it.
        var attendedUntil: Instant
        /// The hosts that had their try; at most `Limits.pairingTries`.
        public internal(set) var tried: [String] = []
        /// The try under way.
        public internal(set) var trial: Trial?
        /// Whom the operator picked.
        public internal(set) var dial: Dial?
    }

    /// One try.
    public struct Trial: Equatable, Sendable {
        let connection: ConnectionID
        let role: HandshakeRole
        /// Whose key it is that would be trusted.
        public let node: NodeID
        /// That key's pin.
        public let pin: Pin
        /// Where the other side is.
        public let remote: Endpoint
        /// What both screens must show; nil until both nonces are known.
        public internal(set) var words: WordSum?
        /// What this node's operator said; nil: nothing yet.
        public internal(set) var consent: Consent?
        /// The other side's clock less ours.
        public let skew: Duration
    }

    /// The side that the operator picked, dialled again and again until it answers.
    public struct Dial: Equatable, Sendable {
        let ticket: Ticket
        /// Where it may be.
        public let endpoints: [Endpoint]
        var next = 0
        var isDialling = false
        var connection: ConnectionID?
        /// Why it does not go on; nil before the first attempt has failed.
        public internal(set) var obstacle: Refusal?
    }

    /// How something ended.
    public enum Outcome: Equatable, Sendable {
        /// Trust is made with this peer; `dialled` is where, when this side dialled.
        case trusted(NodeID, dialled: Endpoint?)
        /// A try failed; the window may still be open.
        case failed(Refusal, remote: Endpoint?)
        /// The window ended.
        case closed(Refusal)
    }

    /// What becomes of a connection that wants its try.
    enum Claim: Equatable, Sendable {
        /// It may go on; `displaced` is a connection of the same two nodes that must not.
        case granted(PairingSeed, displaced: ConnectionID?)
        case refused(Refusal)
    }

    init() {}

    /// Whether anybody may pair by words now.
    public var isOpen: Bool { window != nil }

    /// When something is due.
    var deadline: Instant? { window.map { min($0.until, $0.attendedUntil) } }

    /// Why nobody may pair by words now; nil when a newcomer at `host` may have its try.
    func refusal(of node: NodeID, at host: String) -> Refusal? {
        guard let window else { return Self.closed }
        if let trial = window.trial, trial.node != node { return Self.busy(trial) }
        if window.trial == nil, window.tried.contains(host) { return Self.spent(window, host) }
        return nil
    }

    mutating func open(_ seed: PairingSeed, at now: Moment) {
        window = Window(
            seed: seed, until: now.instant + Limits.pairingWindow, closes: now.wall + Limits.pairingWindow,
            attendedUntil: now.instant + Limits.pairingAttendance)
        outcome = nil
        windows += 1
    }

    mutating func attend(at now: Instant) {
        window?.attendedUntil = now + Limits.pairingAttendance
    }

    mutating func close(_ refusal: Refusal) {
        guard window != nil else { return }
        window = nil
        conclude(.closed(refusal))
    }

    /// A connection asks for its try.
    mutating func claim(_ trial: Trial, as me: NodeID) -> Claim {
        guard let window else { return .refused(Self.closed) }
        if let running = window.trial {
            // Both dialled at once, and both committed: the larger node lets go of its own connection. Who
            // has answered a commitment keeps to it, for the other end may know the words already.
            guard running.node == trial.node, running.role == .initiator, trial.role == .responder,
                running.words == nil, trial.node < me
            else { return .refused(Self.busy(running)) }
            self.window?.trial = trial
            return .granted(window.seed, displaced: running.connection)
        }
        let host = trial.remote.host
        guard !window.tried.contains(host) else { return .refused(Self.spent(window, host)) }
        self.window?.tried.append(host)
        self.window?.trial = trial
        return .granted(window.seed, displaced: nil)
    }

    /// Both nonces are known.
    mutating func compare(_ words: WordSum, on connection: ConnectionID) {
        guard window?.trial?.connection == connection else { return }
        window?.trial?.words = words
    }

    /// The operator's answer, held against what the screen shows.
    mutating func answer(_ words: WordSum, _ consent: Consent) -> Ruling<ConnectionID> {
        guard let trial = window?.trial, let shown = trial.words, trial.consent == nil else {
            return .refused(Refusal(.nothingFound, [Fact("words to answer", "none")]))
        }
        guard shown == words else {
            return .refused(
                Refusal(
                    .pairingWordsDiffer,
                    [Fact("answered", words.description), Fact("shown", shown.description)]))
        }
        window?.trial?.consent = consent
        return .allowed(trial.connection)
    }

    /// Trust is made over this connection.
    mutating func succeed(on connection: ConnectionID, with node: NodeID) {
        guard let trial = window?.trial, trial.connection == connection else { return }
        let dialled = trial.role == .initiator ? trial.remote : nil
        window = nil
        conclude(.trusted(node, dialled: dialled))
    }

    /// A connection is over without trust. It counts as a try when the words were being exchanged, unless the
    /// other side has another connection of the two in mind.
    mutating func fail(on connection: ConnectionID, _ refusal: Refusal) {
        let wasDialled = window?.dial?.connection == connection
        if let trial = window?.trial, trial.connection == connection {
            window?.trial = nil
            if refusal.code == .pairingBusy && trial.words == nil {
                window?.tried.removeAll { $0 == trial.remote.host }
            } else {
                if wasDialled { window?.dial = nil }
                conclude(.failed(refusal, remote: trial.remote))
                let tried = window?.tried ?? []
                if tried.count >= Limits.pairingTries {
                    window = nil
                    conclude(
                        .closed(
                            Refusal(
                                .pairingTriesSpent,
                                [Fact("tries", tried.count), Fact("limit", Limits.pairingTries)]
                                    + [Fact("last", refusal.code.rawValue)] + refusal.facts)))
                }
                return
            }
        }
        guard wasDialled else { return }
        window?.dial?.connection = nil
        window?.dial?.isDialling = false
        window?.dial?.obstacle = refusal
        guard !Self.mayPass(refusal.code) else { return }
        window?.dial = nil
        conclude(.failed(refusal, remote: nil))
    }

    /// The operator picks a side.
    mutating func pick(_ endpoints: [Endpoint], _ ticket: Ticket) -> Refusal? {
        guard let window else { return Self.closed }
        if let trial = window.trial { return Self.busy(trial) }
        let untried = endpoints.filter { !window.tried.contains($0.host) }
        guard !untried.isEmpty else { return Self.spent(window, endpoints.first?.host ?? "none") }
        self.window?.dial = Dial(ticket: ticket, endpoints: untried)
        return nil
    }

    /// The next place to dial; nil when none is due.
    mutating func nextDial() -> (Endpoint, Ticket)? {
        guard let window, window.trial == nil, let dial = window.dial, !dial.isDialling else { return nil }
        self.window?.dial?.next += 1
        self.window?.dial?.isDialling = true
        return (dial.endpoints[dial.next % dial.endpoints.count], dial.ticket)
    }

    mutating func dialStarted(_ connection: ConnectionID, _ ticket: Ticket) {
        guard window?.dial?.ticket == ticket else { return }
        window?.dial?.connection = connection
    }

    private mutating func conclude(_ outcome: Outcome) {
        self.outcome = outcome
        outcomes += 1
    }

    /// Whether the other side may take us a little later: it is not there yet, has no window yet, is busy.
    private static func mayPass(_ code: RefusalCode) -> Bool {
        switch code {
        case .peerUnreachable, .pairingClosed, .pairingBusy, .handshakeTimeout, .handshakeLimit, .overloaded:
            true
        default: false
        }
    }

    static let closed = Refusal(.pairingClosed, [Fact("windows open", 0)])

    private static func busy(_ trial: Trial) -> Refusal {
        Refusal(.pairingBusy, [Fact("pairing with", trial.node), Fact("address", trial.remote.host)])
    }

    private static func spent(_ window: Window, _ host: String) -> Refusal {
        Refusal(
            .pairingTriesSpent,
            [Fact("address", host), Fact("tries", window.tried.count), Fact("limit", Limits.pairingTries)])
    }
}
