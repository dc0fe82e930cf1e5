import MeshBase
import MeshRouting

/// What is known about each way a call can go: a resource at a node, and the link to the node.
///
/// A call passes when both breakers let it; each hears how it ended. Ways are made when first used and
/// forgotten when the view no longer knows their node.
struct RouteBook: Sendable, Equatable {
    /// A resource at a node.
    struct Way: Hashable, Comparable, Sendable {
        let resource: ResourceName
        let node: NodeID

        static func < (left: Self, right: Self) -> Bool {
            left.resource == right.resource ? left.node < right.node : left.resource < right.resource
        }
    }

    /// What an attempt owes back to the breakers.
    struct Pass: Sendable, Equatable {
        let resource: Breaker.Admission
        /// Nil for this node.
        let link: Breaker.Admission?

        /// What is left of it once the way has answered: the probes' places are free again.
        var spent: Pass { Pass(resource: resource.spent, link: link?.spent) }
    }

    /// The state of one way.
    struct Standing: Sendable, Equatable {
        var breaker = Breaker()
        var latency = LatencyEstimate()
        var inFlight = 0
        /// How its answers' times are spread; nil where nobody asks.
        var pace: LatencyQuantiles?
        /// When it last refused a call.
        fileprivate var turnedAway: Instant?
        fileprivate var told = Told()

        fileprivate mutating func change(at now: Instant) -> Told.Change? {
            told.change(to: breaker.standing(at: now))
        }

        /// Whether it refused a call less than a moment ago. That is no failure, but a reason to ask others.
        func hasTurnedAway(at now: Instant) -> Bool {
            turnedAway.map { now < $0 + RouteBook.turnedAwayFor } ?? false
        }
    }

    /// The state of one link.
    struct Line: Sendable, Equatable {
        var link: CallLink
        /// Who carries it while there is one; nil: nobody does.
        var relay: NodeID?
        var breaker = Breaker()
        fileprivate var told = Told()
        /// When it was last asked for, or told to be in use.
        fileprivate var wanted: Instant?
        fileprivate var used: Instant?

        fileprivate mutating func change(at now: Instant) -> Told.Change? {
            told.change(to: breaker.standing(at: now))
        }
    }

    /// What was last told of a breaker.
    fileprivate struct Told: Sendable, Equatable {
        private var word = Breaker.Standing.closed.word

        /// The words of what has changed since; then that is told.
        mutating func change(to standing: Breaker.Standing) -> Change? {
            let (from, to) = (word, standing.word)
            guard to != from else { return nil }
            word = to
            return (from, to)
        }

        typealias Change = (from: String, to: String)
    }

    /// Who refused a call is asked after others for this long: the retry budget pays for one try a second.
    private static let turnedAwayFor: Duration = .seconds(1)
    /// Who waits for a link says so again after this long.
    private static let wishPause: Duration = .seconds(60)

    private(set) var ways = OrderedTable<Way, Standing>()
    private(set) var lines = OrderedTable<NodeID, Line>()
    private var generator: SeededGenerator
    /// Changes since they were last taken.
    private var changes: [BreakerChange] = []
    /// Whether a link's readiness may have changed since this was last taken.
    private var haveLinksMoved = false

    init(generator: SeededGenerator) { self.generator = generator }

    /// Whether a call can be sent over the link to `node` now.
    func readiness(of node: NodeID, at now: Instant) -> Readiness {
        let known = lines.read(node) { line in (line.link, line.breaker.standing(at: now)) }
        guard let (link, standing) = known else { return .down }
        switch link {
        case .down: return .down
        case .dialling, .atRest: return .awaited
        case .up:
            switch standing {
            case .closed, .halfOpen: return .ready
            case .probing: return .awaited
            case .open(let until): return .refused(until: until)
            }
        }
    }

    /// Whether a call can be sent over a link.
    enum Readiness: Equatable, Sendable {
        /// Now.
        case ready
        /// Not now, but something is under way: the link is dialled, or the probe of its return is out.
        case awaited
        /// Its breaker is open.
        case refused(until: Instant)
        /// Nobody dials it.
        case down
    }

    /// Whether the link to `node` is to be asked for now; then it counts as asked for, by all who wait.
    mutating func wants(_ node: NodeID, at now: Instant) -> Bool {
        guard let line = lines[node], line.link == .atRest,
            line.wanted.map({ now >= $0 + Self.wishPause }) ?? true
        else { return false }
        lines.update(node) { $0.wanted = now }
        return true
    }

    /// Whether it is to be told that calls use the link to `node`; then it counts as told for `pause`.
    mutating func uses(_ node: NodeID, at now: Instant, every pause: Duration) -> Bool {
        lines.update(node) { line in
            guard line.used.map({ now >= $0 + pause }) ?? true else { return false }
            line.used = now
            return true
        } ?? false
    }

    /// Lets one attempt through; nil when a breaker does not.
    mutating func begin(_ way: Way, isLocal: Bool, at now: Instant) -> Pass? {
        let lets = ways.read(way) { $0.breaker.standing(at: now).lets }
        if lets == nil { ways[way] = Standing() }
        guard lets ?? true else { return nil }
        var linkAdmission: Breaker.Admission?
        if !isLocal {
            let admitted = lines.update(way.node) { $0.link == .up ? $0.breaker.admit(at: now) : nil }
            guard let admission = admitted ?? nil else { return nil }
            linkAdmission = admission
        }
        let begun = ways.update(way) { standing in
            standing.inFlight += 1
            return (admission: standing.breaker.admit(at: now), change: standing.change(at: now))
        }
        note(begun?.change, of: way.node, way.resource)
        notice(way.node, at: now)
        guard let resource = begun?.admission else {
            preconditionFailure("the breaker of \(way) let nothing through after it said so")
        }
        return Pass(resource: resource, link: linkAdmission)
    }

    /// Takes how an attempt fared.
    /// - Parameter taken: how long it took, or its time-out when it failed; nil when that says nothing.
    mutating func report(
        _ way: Way, _ pass: Pass, resource: Breaker.Outcome, link: Breaker.Outcome, taken: Duration?,
        at now: Instant
    ) {
        var generator = self.generator
        let change = ways.update(way) { standing in
            let wasClosed = standing.breaker.standing(at: now) == .closed
            standing.breaker.settle(pass.resource, as: resource, at: now, using: &generator)
            // What it took while it failed says nothing about what it takes now that it is well again.
            if !wasClosed, standing.breaker.standing(at: now) == .closed {
                standing.latency = LatencyEstimate()
            }
            if let taken { standing.latency.observe(taken, at: now) }
            return standing.change(at: now)
        }
        if let admission = pass.link {
            lines.update(way.node) { $0.breaker.settle(admission, as: link, at: now, using: &generator) }
            haveLinksMoved = true
        }
        self.generator = generator
        note(change ?? nil, of: way.node, way.resource)
        notice(way.node, at: now)
    }

    /// A call was refused at the end of `way`.
    mutating func turnAway(_ way: Way, at now: Instant) { ways.update(way) { $0.turnedAway = now } }

    /// Counts the time of an answer, of a way whose slow calls are hedged.
    mutating func pace(_ way: Way, _ taken: Duration) {
        ways.update(way) { standing in
            if standing.pace == nil { standing.pace = LatencyQuantiles() }
            standing.pace?.observe(taken)
        }
    }

    /// Forgets how answers' times are spread where nobody asks any more.
    mutating func forgetPaces(unless isHedged: (ResourceName) -> Bool) {
        for (way, standing) in ways where standing.pace != nil && !isHedged(way.resource) {
            ways.update(way) { $0.pace = nil }
        }
    }

    /// Whether an attempt along `way` was to be over within `taken`.
    func expects(_ way: Way, within taken: Duration, at now: Instant) -> Bool {
        guard let known = ways.read(way, { $0.latency.value(at: now) }) else { return false }
        return taken.wholeNanoseconds / 1000 > known
    }

    /// An attempt no longer occupies its way.
    mutating func leave(_ way: Way) { ways.update(way) { $0.inFlight -= 1 } }

    /// A link changed. One that goes down opens its breaker; its return is half-open. One that is put to rest
    /// says nothing about its peer.
    mutating func link(
        _ node: NodeID, is link: CallLink, through relay: NodeID? = nil, at now: Instant
    ) {
        guard let line = lines[node] else {
            lines[node] = Line(link: link, relay: relay)
            haveLinksMoved = true
            return
        }
        if line.relay != relay { lines.update(node) { $0.relay = relay } }
        guard line.link != link else { return }
        lines.update(node) { line in
            if line.link == .up, link != .atRest { line.breaker.trip() }
            // Without a link that is sought it is no longer the link that fails: the next call opens one.
            if link == .up || link == .atRest { line.breaker.release() }
            line.link = link
            line.wanted = nil
        }
        if link == .up {
            for way in ways.keys where way.node == node {
                ways.update(way) { $0.latency = LatencyEstimate() }
            }
        }
        haveLinksMoved = true
        notice(node, at: now)
    }

    /// Forgets the ways and links of nodes that `isKnown` denies. Whoever waits is weighed again.
    mutating func forget(unless isKnown: (NodeID) -> Bool) {
        ways.removeAll { way, standing in !isKnown(way.node) && standing.inFlight == 0 }
        lines.removeAll { node, _ in !isKnown(node) }
        haveLinksMoved = true
    }

    /// Takes the changes of breakers since the last time.
    mutating func takeChanges() -> [BreakerChange] {
        guard !changes.isEmpty else { return [] }
        defer { changes = [] }
        return changes
    }

    /// Whether calls that wait for links should be looked at again; asked once.
    mutating func takeLinksMoved() -> Bool {
        defer { haveLinksMoved = false }
        return haveLinksMoved
    }

    private mutating func notice(_ node: NodeID, at now: Instant) {
        note(lines.update(node) { $0.change(at: now) } ?? nil, of: node, nil)
    }

    private mutating func note(_ change: Told.Change?, of node: NodeID, _ resource: ResourceName?) {
        guard let (from, to) = change else { return }
        changes.append(BreakerChange(node: node, resource: resource, from: from, to: to))
    }
}
