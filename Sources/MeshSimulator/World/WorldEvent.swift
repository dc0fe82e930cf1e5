import MeshBase
import MeshDiscovery
import MeshNode
import MeshRouting

/// One run of one host's agent. What was meant for an earlier run reaches nobody.
struct RunID: Equatable, Sendable {
    let host: Int
    let number: Int
}

/// What the queue holds.
enum WorldEvent: Sendable {
    /// A host's agent starts, unless it runs.
    case boot(host: Int)
    /// An alarm of node or desk.
    case wake(RunID)
    /// For the node.
    case tell(RunID, NodeInput)
    /// For the desk.
    case call(RunID, CallInput)
    /// The disk has synced so many records; what waits for that goes on.
    case synced(RunID, journal: Int, OrderLine.Gate)
    /// The store has kept a key or a meter; what waits for that goes on.
    case kept(RunID, Keepsake, OrderLine.Gate)
    /// The audit's room is measured.
    case measure(RunID)
    /// TCP and TLS are through, or not.
    case connect(Dial)
    /// A relay was asked to carry a link.
    case connectThrough(RunID, ConnectionID, CircuitPlan.Dial)
    /// The next message of a pipe arrives at the end that is not the one named.
    case arrive(pipe: Int, from: PipeEnd)
    /// A thread of a host has done what it was at: only where work takes time.
    case work(host: Int, WorkPlane)
    /// The other end is gone, and the system says so.
    case lost(pipe: Int, end: PipeEnd)
    /// An agent looks whether its certificate is to be made anew.
    case freshen(RunID)
    /// A service behind a node goes on.
    case service(RunID, ServiceID, ServiceStage)
    /// An application asks.
    case ask(host: Int)
    /// An application's body moves on, and ends.
    case upload(RunID, RequestID, step: Int)
    /// A peer's body moves on, and ends.
    case receive(RunID, InboundKey, step: Int)
    /// An application goes away.
    case leave(RunID, RequestID)
    /// A host announces itself.
    case announce(RunID)
    /// Operators do something.
    case operate(Errand)
    /// The next fault of a kind.
    case strike(Fault)
    /// A fault ends.
    case mend(Mending)
    /// The intruder's next try.
    case intrude
    /// Faults are over: clocks and services are right, nothing is cut.
    case calm
    /// Long after, one link is reset.
    case disturb
    /// What must have come right by now.
    case inspect(Inspection)
}

/// A dial on its way.
struct Dial: Sendable {
    let run: RunID
    let connection: ConnectionID
    let endpoint: Endpoint
    let isPairing: Bool
}

/// What an inspection looks at.
enum Inspection: Sendable {
    case routine
    /// Whether what a revocation cuts has ended.
    case underWay
    case links
    case heads
    case end
    /// Whether a host has cut off whom it stopped trusting a second ago.
    case cut(RunID, NodeID)
    /// Whether a host has convicted who told it two things under one number a second ago.
    case conviction(RunID, NodeID)
    /// Whether who was trusted as a member showed that it is one.
    case membership(RunID, NodeID)
}

/// How a fault ends.
enum Mending: Sendable {
    case network(number: Int)
    case services(host: Int)
    case disk(host: Int)
    /// A host's own run goes on again, after one that had returned.
    case ownRun(host: Int)
    case clock(host: Int)
}
