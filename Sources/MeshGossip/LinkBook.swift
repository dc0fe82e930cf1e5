import MeshBase

/// Which connection is the link with each peer, and whether it lives (protocol section 5).
///
///     none --admitted--> up --3 pings, 2 of them missed--> degraded --the third missed--> none (silent)
///                        up <------------ any frame ------ degraded
///     up, degraded --admitted again (the handshake was repeated)--> the same
///     up, degraded --another admitted--> up: the one to keep stays; the other is closed, or, when both ends
///                                        dialled at once, or a relay carried it and carries the new one no
///                                        more, drains, for calls may be under way on it
///     up, degraded --connection closed, peer dropped--> none
///     up, degraded --at rest--> none; its connection drains, and ends at the latest when the peer is dropped
///
/// A ping leaves after each interval without a frame, and every `comparisonInterval` even while frames flow,
/// for it carries what is compared. A ping is missed when the next one is due.
///
/// Our own lateness stretches our patience, never our claims (Lifeguard, Dadgar et al. 2018, section IV): a
/// timer that comes more than 100 ms late holds that round against nobody, up to `roundsSparedMax` in a row.
/// Link loss is this node's own knowledge and is told to nobody.
struct LinkBook: Equatable, Sendable {
    /// One link.
    struct Link: Equatable, Sendable {
        let connection: ConnectionID
        /// As of the last handshake over this connection.
        var terms: LinkTerms
        let since: Instant
        var lastHeard: Instant
        /// When a summary went either way last.
        var lastCompared: Instant
        var condition: LinkCondition = .up
        /// Pings since the last frame.
        var unanswered = 0
        /// Rounds since the last frame that our own lateness spared the peer.
        var spared = 0
        /// Nil until the first ping was answered.
        var roundTrip: Duration?
    }

    /// What the book orders, in this order.
    enum Step: Equatable, Sendable {
        case ping(ConnectionID)
        case close(ConnectionID, RefusalCode?)
        case drain(ConnectionID)
        case up(NodeID, ConnectionID)
        case down(NodeID, LinkLoss)
        case condition(NodeID, LinkCondition)
    }

    private let me: NodeID
    private(set) var links = OrderedTable<NodeID, Link>()
    private var owners = OrderedTable<ConnectionID, NodeID>()
    /// Connections of links that were put to rest or gave way, until they have ended; of one peer at most
    /// `Limits.drainingPerPeer`, the newest.
    private var draining = OrderedTable<ConnectionID, NodeID>()
    private var deadlines = Deadlines<NodeID>()

    /// Two connections that both ends dialled within this time count as dialled at once.
    private static var simultaneity: Duration { .seconds(5) }
    private static var comparisonInterval: Duration { .seconds(10) }
    private static var latenessTolerated: Duration { .milliseconds(100) }
    private static var roundsSparedMax: Int { 8 }
    private static var pingsUntilDegraded: Int { 3 }

    init(me: NodeID) { self.me = me }

    /// When `reach` is due; nil without a link.
    var nextDeadline: Instant? { deadlines.next }

    /// The peer at the other end of `connection`, when that is its link.
    func node(on connection: ConnectionID) -> NodeID? { owners[connection] }

    /// Whether it gave way, and ends once what is under way on it has.
    func isDraining(_ connection: ConnectionID) -> Bool { draining[connection] != nil }

    /// A connection finished its handshake: it becomes the link, or gives way to the one there is.
    mutating func admit(_ connection: ConnectionID, _ terms: LinkTerms, at now: Instant) -> [Step] {
        // What gave way stays that, though its handshake be repeated while a long call keeps it open.
        guard draining[connection] == nil else { return [] }
        var steps: [Step] = []
        if let old = links[terms.node] {
            guard old.connection != connection else {
                links.update(terms.node) { $0.terms = terms }
                return []
            }
            let isTie = isTie(terms, old, at: now)
            // One that a relay carries gives way to one that nobody carries, and may have calls on it.
            let isUsed = isTie || (terms.distance.relay == nil) != (old.terms.distance.relay == nil)
            guard replaces(terms, old, isTie) else { return end(connection, of: terms.node, isUsed) }
            owners[old.connection] = nil
            steps += end(old.connection, of: terms.node, isUsed)
        }
        links[terms.node] = Link(
            connection: connection, terms: terms, since: now, lastHeard: now, lastCompared: now)
        owners[connection] = terms.node
        deadlines.set(terms.node, at: now + terms.distance.pingInterval)
        return steps + [.up(terms.node, connection)]
    }

    /// Whether two connections were dialled at once, one by either end.
    private func isTie(_ terms: LinkTerms, _ old: Link, at now: Instant) -> Bool {
        terms.boot == old.terms.boot && terms.dialler != old.terms.dialler
            && now - old.since < Self.simultaneity
    }

    /// A higher boot wins; else one that nobody carries, whose own pings say when it is dead; of two that
    /// were dialled at once the smaller node ID's; else the newer, whose dialler had no link.
    private func replaces(_ terms: LinkTerms, _ old: Link, _ isTie: Bool) -> Bool {
        if terms.boot != old.terms.boot { return terms.boot > old.terms.boot }
        if (terms.distance.relay == nil) != (old.terms.distance.relay == nil) {
            return terms.distance.relay == nil
        }
        return !isTie || terms.dialler == min(me, terms.node)
    }

    /// The end of what is not the link.
    /// - Parameter isUsed: whether it may carry calls already.
    private mutating func end(_ connection: ConnectionID, of node: NodeID, _ isUsed: Bool) -> [Step] {
        isUsed ? drain(connection, of: node) : [.close(connection, nil)]
    }

    /// A peer that dials again and again while a long call holds what gave way has a bound.
    private mutating func drain(_ connection: ConnectionID, of node: NodeID) -> [Step] {
        var steps: [Step] = []
        let others = draining.filter { $0.1 == node }.map(\.0)
        for oldest in others.dropLast(Limits.drainingPerPeer - 1) {
            draining[oldest] = nil
            steps.append(.close(oldest, nil))
        }
        draining[connection] = node
        return steps + [.drain(connection)]
    }

    /// Any frame is a sign of life.
    mutating func hear(_ connection: ConnectionID, at now: Instant) -> [Step] {
        guard let node = owners[connection] else { return [] }
        var steps: [Step] = []
        links.update(node) { link in
            link.lastHeard = now
            link.unanswered = 0
            link.spared = 0
            if link.condition == .degraded {
                link.condition = .up
                steps.append(.condition(node, .up))
            }
            let comparison = max(now, link.lastCompared + Self.comparisonInterval)
            deadlines.set(node, at: min(now + link.terms.distance.pingInterval, comparison))
        }
        return steps
    }

    /// A ping came, and with it what is compared.
    mutating func hearPing(_ connection: ConnectionID, at now: Instant) -> [Step] {
        guard let node = owners[connection] else { return [] }
        links.update(node) { $0.lastCompared = now }
        return hear(connection, at: now)
    }

    /// A ping was answered.
    mutating func hearPong(_ connection: ConnectionID, after roundTrip: Duration, at now: Instant) -> [Step] {
        guard let node = owners[connection] else { return [] }
        links.update(node) { $0.roundTrip = roundTrip }
        return hear(connection, at: now)
    }

    /// The connection is gone.
    mutating func close(_ connection: ConnectionID) -> [Step] {
        draining[connection] = nil
        guard let node = owners[connection] else { return [] }
        remove(node)
        return [.down(node, .closed)]
    }

    /// The peer must go.
    mutating func drop(_ node: NodeID) -> [Step] {
        var steps: [Step] = []
        for (connection, owner) in draining where owner == node {
            draining[connection] = nil
            steps.append(.close(connection, nil))
        }
        guard let link = links[node] else { return steps }
        remove(node)
        return steps + [.close(link.connection, nil), .down(node, .dropped)]
    }

    /// Neither end needs the link: it ends once what is under way on it is over.
    mutating func rest(_ node: NodeID) -> [Step] {
        guard let link = links[node] else { return [] }
        remove(node)
        return drain(link.connection, of: node) + [.down(node, .idle)]
    }

    /// Pings who is silent, gives up on who stays so.
    mutating func reach(_ now: Instant) -> [Step] {
        var steps: [Step] = []
        while let due = deadlines.next, due <= now, let node = deadlines.takeDue(at: now) {
            guard let link = links[node] else { continue }
            let interval = link.terms.distance.pingInterval
            guard now - link.lastHeard >= interval else {
                links.update(node) { $0.lastCompared = now }
                deadlines.set(node, at: link.lastHeard + interval)
                steps.append(.ping(link.connection))
                continue
            }
            // Late ourselves: the answer may wait unread.
            let isLate = now - due > Self.latenessTolerated
            let isSpared = isLate && link.unanswered > 0 && link.spared < Self.roundsSparedMax
            steps += isSpared ? spare(node) : miss(node, link)
            guard links[node] != nil else { continue }
            links.update(node) { $0.lastCompared = now }
            deadlines.set(node, at: now + interval)
            steps.append(.ping(link.connection))
        }
        return steps
    }

    private mutating func spare(_ node: NodeID) -> [Step] {
        links.update(node) { $0.spared += 1 }
        return []
    }

    private mutating func miss(_ node: NodeID, _ link: Link) -> [Step] {
        guard link.unanswered < Self.pingsUntilDegraded else {
            remove(node)
            return [.close(link.connection, .peerUnreachable), .down(node, .silent)]
        }
        links.update(node) { $0.unanswered += 1 }
        guard link.unanswered + 1 == Self.pingsUntilDegraded else { return [] }
        links.update(node) { $0.condition = .degraded }
        return [.condition(node, .degraded)]
    }

    private mutating func remove(_ node: NodeID) {
        guard let link = links.remove(node) else { return }
        owners[link.connection] = nil
        deadlines.cancel(node)
    }
}
