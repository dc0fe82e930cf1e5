import MeshBase

/// Decides with which trusted peers this node keeps links (protocol section 5).
///
/// With all of them while these are few. Above `linksToAll`, with the chosen ones: the nearest by node ID on
/// either side, which makes of all who know one another a ring that hangs together, and some that are drawn
/// anew every so often, which make it a short way from anybody to anybody and carry it over gaps in the ring.
/// With everybody else a link is there while something uses it: a call or a document that waits opens it.
///
/// Who has not met everybody has a ring of its own, and two such rings may touch in one pair only. Gossip
/// says where: a *bridge*, over whose link others are heard of, is chosen as long as it is one; members of
/// whom nothing comes are sought one after another, each once between two draws, for `absence` or until the
/// link is up, over which gossip then learns whether it is a bridge. So when what one part tells no longer
/// reaches another part, each of their pairs that have met links them again.
///
///     one peer, without a link      left alone ──wanted, chosen──> sought ──`absence` without a link──> away
///                                        ▲                          │  ▲  (another is chosen besides)    │
///                                        └── chosen no more, ───────┘  └──────────── linkUp ─────────────┘
///                                            no call waits any more
///     one link, here   linkUp ──> needed ──not chosen, unused for `idle`──> given up (told; calls stop)
///                                 ▲  ▲                                       │             │
///                                 │  └─the peer says needed── asked (told) <─┘ wanted      │ the peer gave
///                                 │                            │                           │ it up too, or
///                                 │                            └─it is going away, or gave─┤ is going away
///                            another linkUp                      it up; no answer in time  ▼
///                                                                                      drained, gone
///
/// Both ends have their own view of who is near. So a link is closed only when *both* have said that they
/// give it up, and who has said so sends no call over it until the other end has said anew that it stands:
/// no call is under way at the end that may be closed. Whoever is asked (told *needed* by who had given up)
/// answers *needed*; it cannot have closed the link without having said so before.
///
/// Invariants: a chosen peer's link is never given up; a peer is sought while it is chosen or wanted, and
/// only then; one `.drain` a link; nobody but the peer itself makes it count as away or as there.
///
/// Callers owe: `.timeReached` at `nextDeadline`; `.linkUp` and `.linkDown` in turn; every effect performed
/// in order, `.drain` without another `.linkDown` needed. Randomness is its own generator's.
public struct Overlay: Sendable, Equatable {
    /// A link, as this end sees it.
    struct Line: Sendable, Equatable {
        enum Standing: Sendable, Equatable {
            case needed, givenUp
            case asked(Instant)
        }

        var standing = Standing.needed
        var theirs = LinkNeed.needed
        let since: Instant
        var lastUse: Instant
        /// Whether the time is over in which its calls wait for what the peer offers.
        var isSettled = false
    }

    /// A trusted peer.
    struct Peer: Sendable, Equatable {
        var share = DomainShare.apart
        var isChosen = false
        var line: Line?
        /// Until when something seeks it; nil: nothing does, or it is there.
        var wantedUntil: Instant?
        /// Since when it is sought in vain; nil while it is not.
        var soughtSince: Instant?
        /// Sought for `absence`, and no link came.
        var isAway = false
        /// What was ordered last; nil: nothing yet.
        var isSought: Bool?
        /// How often it may say whether it needs the link; nil before the first time.
        var notices: TokenBucket?
        /// When it was last sought because nothing comes of it; nil: never.
        var soundedAt: Instant?
        /// How often in vain since its link was last up.
        var soundings = 0
    }

    enum Alarm: Comparable, Hashable, Sendable {
        case choice
        case redraw
        case peer(NodeID)
    }

    /// Ends change their minds when a call comes, or minutes without one have passed: more often none honest
    /// says so.
    private static var noticesAtOnce: Int { 10 }
    private static var noticeInterval: Duration { .seconds(1) }

    let node: NodeID
    let configuration: OverlayConfiguration
    var peers = OrderedTable<NodeID, Peer>()
    /// Chosen by lot, until the next draw.
    var drawn: [NodeID] = []
    var drawnAt = Instant.zero
    /// Of whom nothing comes, and whose link others are heard of by.
    var unheard: [NodeID] = []
    var bridges: [NodeID] = []
    /// Which of the unheard is sought now.
    var sounded: NodeID?
    /// A link that was sounded is up, over which gossip learns of many: who is unheard still, it says anew.
    var isReachAwaited = false
    var alarms = Deadlines<Alarm>()
    var generator: SeededGenerator

    /// - Parameter node: this node, which stands somewhere among the others.
    public init(node: NodeID, configuration: OverlayConfiguration, generator: SeededGenerator) {
        self.node = node
        self.configuration = configuration
        self.generator = generator
    }

    /// When `.timeReached` is owed; nil for never.
    public var nextDeadline: Instant? { alarms.next }

    /// Whether so many are trusted that not everybody has a link.
    public var isSparse: Bool { peers.count > configuration.linksToAll }

    /// Whether a link with this trusted peer is kept; otherwise one is opened when something needs it.
    public func isKept(_ peer: NodeID) -> Bool { !isSparse || peers[peer]?.isChosen == true }

    /// Whether it was sought for some time, and no link came.
    public func isAway(_ peer: NodeID) -> Bool { peers[peer]?.isAway == true }

    /// Whether this peer's link may carry calls.
    public func isInUse(_ peer: NodeID) -> Bool { peers[peer]?.line?.standing == .needed }

    /// Whether what a peer offers may be unknown only because it had no link: there is none, or a new one.
    public func isCatalogAwaited(of peer: NodeID, at now: Instant) -> Bool {
        guard isSparse, let peer = peers[peer] else { return false }
        guard let line = peer.line else { return !(peer.isChosen && peer.isAway) }
        return line.standing != .needed || now < line.since + configuration.catalogPatience
    }

    /// Takes one input; what follows is posted to `effects`.
    public mutating func handle(
        _ input: OverlayInput, at now: Instant, into effects: inout Outbox<OverlayEffect>
    ) {
        switch input {
        case .peerTrusted(let peer):
            guard peer != node else { return }
            if peers[peer] == nil {
                peers[peer] = Peer()
                alarms.set(.choice, at: now)
            }
        case .peerDropped(let peer):
            guard peers.remove(peer) != nil else { return }
            alarms.cancel(.peer(peer))
            alarms.set(.choice, at: now)
        case .membership(let peer, let share):
            guard let known = peers[peer], known.share != share else { return }
            peers.update(peer) { $0.share = share }
            alarms.set(.choice, at: now)
        case .reach(let unheard, let bridges):
            (self.unheard, self.bridges) = (unheard, bridges)
            isReachAwaited = false
            alarms.set(.choice, at: now)
        case .linkUp(let peer): linkUp(peer, at: now)
        case .linkDown(let peer): peers.update(peer) { $0.line = nil }
        case .wanted(let peer, let wish): want(peer, wish, at: now)
        case .used(let peer): peers.update(peer) { $0.line?.lastUse = now }
        case .told(let peer, let need): hear(need, from: peer, at: now, into: &effects)
        case .goingAway(let peer):
            guard let standing = peers[peer]?.line?.standing, standing != .needed else { return }
            drain(peer, into: &effects)
        case .timeReached: ring(at: now, into: &effects)
        }
        if let peer = input.peer { review(peer, at: now, into: &effects) }
    }

    // MARK: Links

    private mutating func linkUp(_ peer: NodeID, at now: Instant) {
        peers.update(peer) { known in
            if known.isAway || sounded == peer { alarms.set(.choice, at: now) }
            if sounded == peer {
                sounded = nil
                isReachAwaited = true
            }
            known.soundings = 0
            known.isAway = false
            known.wantedUntil = nil
            known.line = Line(since: now, lastUse: now)
        }
    }

    /// A call's wish lasts as long as a link would without use; a document's until a link is up.
    private mutating func want(_ peer: NodeID, _ wish: LinkWish, at now: Instant) {
        peers.update(peer) { known in
            guard known.line == nil else {
                known.line?.lastUse = now
                return
            }
            let until = wish == .call ? now + configuration.idle : .never
            known.wantedUntil = max(known.wantedUntil ?? until, until)
        }
    }

    private mutating func hear(
        _ need: LinkNeed, from peer: NodeID, at now: Instant, into effects: inout Outbox<OverlayEffect>
    ) {
        let isTaken = peers.update(peer) {
            $0.notices.take(of: Self.noticesAtOnce, every: Self.noticeInterval, at: now)
        }
        guard isTaken == true, let line = peers[peer]?.line else { return }
        peers.update(peer) { $0.line?.theirs = need }
        guard need == .needed else { return }
        // It had given the link up, and asks; otherwise it answers, if it was asked.
        if line.theirs == .idle { effects.post(.tell(peer, .needed)) }
        guard case .asked = line.standing else { return }
        peers.update(peer) { $0.line?.standing = .needed }
        effects.post(.resume(peer))
    }

    private mutating func drain(_ peer: NodeID, into effects: inout Outbox<OverlayEffect>) {
        peers.update(peer) { known in
            // What asked for it still waits: a link is opened anew.
            if case .asked? = known.line?.standing { known.wantedUntil = .never }
            known.line = nil
        }
        effects.post(.drain(peer))
    }

    // MARK: One peer

    /// The one place where a peer moves: what it is by now is made to be so, and its alarm is set.
    private mutating func review(
        _ peer: NodeID, at now: Instant, into effects: inout Outbox<OverlayEffect>
    ) {
        guard peers[peer] != nil else { return }
        reviewLine(of: peer, at: now, into: &effects)
        reviewSearch(for: peer, at: now, into: &effects)
        guard let known = peers[peer] else { return }
        let due = deadline(of: known, at: now)
        if due == .never { alarms.cancel(.peer(peer)) } else { alarms.set(.peer(peer), at: due) }
    }

    private mutating func reviewLine(
        of peer: NodeID, at now: Instant, into effects: inout Outbox<OverlayEffect>
    ) {
        guard let known = peers[peer], let line = known.line else { return }
        let isNeeded = known.isChosen || now < line.lastUse + configuration.idle
        switch line.standing {
        case .needed where !isNeeded:
            peers.update(peer) { $0.line?.standing = .givenUp }
            effects.post(.stop(peer))
            if line.theirs == .idle { drain(peer, into: &effects) } else { effects.post(.tell(peer, .idle)) }
        case .givenUp where isNeeded && line.theirs == .needed:
            peers.update(peer) { $0.line?.standing = .asked(now) }
            effects.post(.tell(peer, .needed))
        case .givenUp where line.theirs == .idle: drain(peer, into: &effects)
        case .asked(let since) where now >= since + configuration.answerPatience || line.theirs == .idle:
            drain(peer, into: &effects)
        case .needed, .givenUp, .asked: break
        }
    }

    private mutating func reviewSearch(
        for peer: NodeID, at now: Instant, into effects: inout Outbox<OverlayEffect>
    ) {
        guard var known = peers[peer] else { return }
        if let until = known.wantedUntil, until <= now { known.wantedUntil = nil }
        let isSought = known.isChosen || known.wantedUntil != nil
        if isSought, known.line == nil {
            let since = known.soughtSince ?? now
            known.soughtSince = since
            if !known.isAway, now >= since + configuration.absence {
                known.isAway = true
                if known.isChosen, isSparse { alarms.set(.choice, at: now) }
            }
        } else {
            known.soughtSince = nil
        }
        if known.isSought != isSought { effects.post(isSought ? .seek(peer) : .leave(peer)) }
        known.isSought = isSought
        peers[peer] = known
    }

    private func deadline(of known: Peer, at now: Instant) -> Instant {
        var due = known.wantedUntil ?? .never
        if let line = known.line {
            if isSparse, !line.isSettled { due = min(due, line.since + configuration.catalogPatience) }
            switch line.standing {
            case .needed where !known.isChosen: due = min(due, line.lastUse + configuration.idle)
            case .asked(let since): due = min(due, since + configuration.answerPatience)
            case .needed, .givenUp: break
            }
        } else if let since = known.soughtSince, !known.isAway {
            due = min(due, since + configuration.absence)
        }
        return due
    }

    private mutating func ring(at now: Instant, into effects: inout Outbox<OverlayEffect>) {
        while let alarm = alarms.takeDue(at: now) {
            switch alarm {
            // Behind what else happened at that time: all that is told at once is one reason to choose anew.
            case .choice: for peer in choose(at: now) { review(peer, at: now, into: &effects) }
            case .redraw: redraw(at: now)
            case .peer(let peer):
                if let line = peers[peer]?.line, !line.isSettled,
                    now >= line.since + configuration.catalogPatience
                {
                    peers.update(peer) { $0.line?.isSettled = true }
                    effects.post(.settled(peer))
                }
                review(peer, at: now, into: &effects)
            }
        }
    }
}

extension OverlayInput {
    /// Whom it is about.
    fileprivate var peer: NodeID? {
        switch self {
        case .peerTrusted(let peer), .membership(let peer, _), .linkUp(let peer), .linkDown(let peer),
            .wanted(let peer, _), .used(let peer), .told(let peer, _), .goingAway(let peer):
            peer
        case .peerDropped, .reach, .timeReached: nil
        }
    }
}
