import MeshBase

/// Which connection is the link with each peer, and whether it lives (protocol section 5).
///
///     none --admitted--> up --2 intervals without a frame--> degraded --3--> (closed) none
///                        up <------- any frame ------------- degraded
///     up --another admitted--> the one to keep stays, the other is closed
///
/// Our own lateness stretches our patience, never our claims (Lifeguard, Dadgar et al. 2018, section IV): a timer that comes more
/// than 100 ms late moves what the peer is allowed by as much. Link loss is this node's own knowledge and is told to nobody.
struct LinkBook: Equatable, Sendable {
    /// One link.
    struct Link: Equatable, Sendable {
        let connection: ConnectionID
        let terms: LinkTerms
        let since: Instant
        var lastHeard: Instant
        var condition: LinkCondition = .up
        /// Pings since the last frame.
        var unanswered = 0
        var roundTrip: Duration?
    }

    /// What a look at the clock asks for.
    enum Step: Equatable, Sendable {
        case ping(ConnectionID)
        case close(ConnectionID, RefusalCode?)
        case up(NodeID, ConnectionID)
        case down(NodeID, LinkLoss)
        case condition(NodeID, LinkCondition)
    }

    private let me: NodeID
    private(set) var links = OrderedTable<NodeID, Link>()
    private var owners = OrderedTable<ConnectionID, NodeID>()
    private var deadlines = Deadlines<NodeID>()

    /// Two connections that both ends dialled within this time count as dialled at once.
    private static let simultaneity: Duration = .seconds(5)
    private static let latenessTolerated: Duration = .milliseconds(100)
    private static let missesUntilDegraded = 2
    private static let missesUntilDown = 3

    init(me: NodeID) { self.me = me }

    var nextDeadline: Instant? { deadlines.next }

    /// The peer at the other end of `connection`, when that is its link.
    func node(on connection: ConnectionID) -> NodeID? { owners[connection] }

    /// A connection finished its handshake: it becomes the link, or gives way to the one there is.
    mutating func admit(_ connection: ConnectionID, _ terms: LinkTerms, at now: Instant) -> [Step] {
        var steps: [Step] = []
        if let old = links[terms.node] {
            guard replaces(terms, old, at: now) else { return [.close(connection, nil)] }
            owners[old.connection] = nil
            steps.append(.close(old.connection, nil))
        }
        links[terms.node] = Link(connection: connection, terms: terms, since: now, lastHeard: now)
        owners[connection] = terms.node
        deadlines.set(terms.node, at: now + terms.distance.pingInterval)
        return steps + [.up(terms.node, connection)]
    }

    /// A higher boot wins; of two that were dialled at once the smaller node ID's; else the newer, whose dialler had no link.
    private func replaces(_ terms: LinkTerms, _ old: Link, at now: Instant) -> Bool {
        if terms.boot != old.terms.boot { return terms.boot > old.terms.boot }
        guard terms.dialler != old.terms.dialler, now - old.since < Self.simultaneity else { return true }
        return terms.dialler == min(me, terms.node)
    }

    /// Any frame is a sign of life.
    mutating func hear(_ connection: ConnectionID, at now: Instant) -> [Step] {
        guard let node = owners[connection] else { return [] }
        var steps: [Step] = []
        links.update(node) { link in
            link.lastHeard = now
            link.unanswered = 0
            if link.condition == .degraded {
                link.condition = .up
                steps.append(.condition(node, .up))
            }
            deadlines.set(node, at: now + link.terms.distance.pingInterval)
        }
        return steps
    }

    mutating func measure(_ connection: ConnectionID, _ roundTrip: Duration) {
        guard let node = owners[connection] else { return }
        links.update(node) { $0.roundTrip = roundTrip }
    }

    /// The connection is gone.
    mutating func close(_ connection: ConnectionID) -> [Step] {
        guard let node = owners.remove(connection) else { return [] }
        links[node] = nil
        deadlines.cancel(node)
        return [.down(node, .closed)]
    }

    /// The peer must go.
    mutating func drop(_ node: NodeID) -> [Step] {
        guard let link = links.remove(node) else { return [] }
        owners[link.connection] = nil
        deadlines.cancel(node)
        return [.close(link.connection, nil), .down(node, .dropped)]
    }

    /// Pings who is silent, gives up on who stays so.
    mutating func reach(_ now: Instant) -> [Step] {
        var steps: [Step] = []
        while let due = deadlines.next, due <= now, let node = deadlines.takeDue(at: now),
            let link = links[node]
        {
            let lateness = now - due
            let interval = link.terms.distance.pingInterval
            if link.unanswered >= Self.missesUntilDown && lateness <= Self.latenessTolerated {
                links[node] = nil
                owners[link.connection] = nil
                steps += [.close(link.connection, .peerUnreachable), .down(node, .silent)]
                continue
            }
            deadlines.set(node, at: now + interval)
            // Late ourselves: the answer may wait unread, so this round is not held against the peer.
            let isHeldAgainstPeer = lateness <= Self.latenessTolerated || link.unanswered == 0
            links.update(node) { link in
                if isHeldAgainstPeer { link.unanswered += 1 }
                if link.unanswered > Self.missesUntilDegraded && link.condition == .up {
                    link.condition = .degraded
                    steps.append(.condition(node, .degraded))
                }
            }
            steps.append(.ping(link.connection))
        }
        return steps
    }
}
