import MeshBase
import NIOCore

/// What one event loop has of one resource. Connections know theirs, so that a request is not looked up at
/// each of its steps.
final class ResourcePlace {
    /// A request for which no connection is free.
    struct Waiting {
        let exchange: ResourceExchange
        let url: ResourceURL
        let alarm: Scheduled<Void>
    }

    let address: ResourceAddress
    /// Unused connections. The most recently used is last, and is used next: the others grow old and go.
    var idle: [ResourceConnection] = []
    /// Connections, and attempts at one.
    var count = 0
    /// Who waits, by who calls; nil: this node's own applications. Nil where nobody does.
    var waiting: TurnQueue<NodeID?, Waiting>?
    /// How many may be under way where not all may; nil: it is free.
    var fit: TurnFit?
    /// Exchanges that began or ended in this turn.
    var steps = 0

    init(_ address: ResourceAddress) { self.address = address }

    /// Exchanges under way, and attempts at a connection for one.
    var active: Int { count - idle.count }

    /// Whether nothing is known of it that a new one would not know.
    var isUnused: Bool { count == 0 && steps == 0 && idle.isEmpty && waiting == nil && fit == nil }

    /// One that waits is over: its body need not be kept, and its place is free.
    func leave(_ exchange: ResourceExchange) {
        waiting?.remove(of: exchange.caller) { $0.exchange === exchange }?.alarm.cancel()
        if waiting?.isEmpty == true { waiting = nil }
    }

    /// The next that still waits, and has time left: the oldest of the caller whose turn it is.
    func nextWaiting() -> Waiting? {
        while let next = waiting?.popFirst() {
            if waiting?.isEmpty == true { waiting = nil }
            next.alarm.cancel()
            next.exchange.whenOver = nil
            guard next.exchange.deadline <= .now() else { return next }
            next.exchange.conclude { $0.answerFailed(.timedOut(.none)) }
        }
        return nil
    }
}
