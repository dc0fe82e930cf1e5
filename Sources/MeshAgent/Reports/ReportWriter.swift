import MeshAgreements
import MeshBase
import MeshControl
import MeshCredentials
import MeshNode
import MeshTrust

/// Says in the control API's words what a node holds. It reads only; each kind of report is an extension of
/// its own.
struct ReportWriter<Suite: SignatureSuite>: Sendable {
    let node: Node<Suite>
    let suite: Suite
    let now: Moment
    /// What calls used of agreements' limits.
    let meters: MeterBook

    init(_ node: Node<Suite>, _ meters: MeterBook = MeterBook(), using suite: Suite, at now: Moment) {
        self.node = node
        self.meters = meters
        self.suite = suite
        self.now = now
    }

    /// This node.
    var me: NodeID { node.me.node }

    /// A node as people here speak of it.
    func reference(_ id: NodeID) -> NodeReference {
        NodeReference(name: id == me ? node.me.name : node.trust.pins[id]?.name, id: id)
    }

    /// What people here call it: its name, else the beginning of its ID.
    func title(_ id: NodeID) -> String { reference(id).title }

    /// A key as people compare it by voice.
    func words(of pin: Pin) -> [String] { WordList.fingerprint(of: pin.digest) }

    /// This node's own key in words.
    var ownWords: [String] { words(of: suite.pin(of: node.me.key)) }

    /// The date of a point on the monotonic clock, as the wall clock stands now.
    func date(of instant: Instant) -> Timestamp { Timestamp(now.wall + (instant - now.instant)) }
}

extension ControlPlane {
    /// Looks at the node as it is between two of its turns.
    func report<Value: Sendable>(_ write: @Sendable (ReportWriter<SystemSuite>) -> Value) -> Value {
        write(ReportWriter(node, meters, using: SystemSuite(), at: SystemClock.now()))
    }
}
