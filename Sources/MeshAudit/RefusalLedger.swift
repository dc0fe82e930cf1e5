import MeshBase

/// Counts refusals by peer and code, and what else a peer can bring about at will by peer and action, and
/// sums up those beyond the limit: one event with a count for each minute.
///
///     none --first of a kind--> counting --minute over--> none (with a summary when some were held back)
///
/// So a peer that is refused a thousand times a second costs the store one record a second, and no reader is
/// buried.
struct RefusalLedger: Equatable, Sendable {
    private struct Key: Comparable, Hashable, Sendable {
        let peer: NodeID
        /// A refusal's code, or an action.
        let kind: String
        static func < (left: Self, right: Self) -> Bool { (left.peer, left.kind) < (right.peer, right.kind) }
    }

    private struct Window: Equatable, Sendable {
        var count = 0
        /// How many were held back, since when, and the last of them.
        var heldBack = 0
        var since: WallTime?
        var last: AuditEvent?
    }

    private let limit: Int
    private let capacity: Int
    private var windows = OrderedTable<Key, Window>()
    private var ends = Deadlines<Key>()

    /// - Parameters:
    ///   - limit: events of one peer and kind, a minute, that are events of their own.
    ///   - capacity: pairs of peer and kind that are counted at once.
    init(limit: Int, capacity: Int) {
        self.limit = limit
        self.capacity = capacity
    }

    /// When the next minute is over; nil when nothing is counted.
    var nextDeadline: Instant? { ends.next }

    /// Takes what `peer` brought about. Answers what is to be written: the event itself, or nothing as yet;
    /// and the summary of another pair that had to make room.
    mutating func take(_ event: AuditEvent, of peer: NodeID, kind: String, at now: Moment) -> [AuditEvent] {
        let key = Key(peer: peer, kind: kind)
        var events: [AuditEvent] = []
        if windows[key] == nil {
            if windows.count >= capacity, let oldest = ends.takeDue(at: .never) {
                events += summary(of: oldest, at: now)
            }
            windows[key] = Window()
            ends.set(key, at: now.instant + .seconds(60))
        }
        let isKept = windows.update(key) { window in
            window.count += 1
            guard window.count > limit else { return true }
            window.heldBack += 1
            window.since = window.since ?? now.wall
            window.last = event
            return false
        }
        if isKept == true { events.append(event) }
        return events
    }

    /// The summaries of all minutes that are over.
    mutating func takeDue(at now: Moment) -> [AuditEvent] {
        var events: [AuditEvent] = []
        while let key = ends.takeDue(at: now.instant) { events += summary(of: key, at: now) }
        return events
    }

    private mutating func summary(of key: Key, at now: Moment) -> [AuditEvent] {
        guard let window = windows.remove(key), var event = window.last, let since = window.since else {
            return []
        }
        event.metadata = [Fact(event.success ? "events" : "refusals", window.heldBack)]
        if let correlation = event.correlation {
            event.metadata.append(Fact("last correlation id", correlation))
        }
        event.durationInMilliseconds = max(0, (now.wall - since).wholeMilliseconds)
        event.correlation = nil
        event.attempt = 0
        return [event]
    }
}
