import MeshBase
import Synchronization

/// What applications were told: the calls that were answered 200, and so must never be lost.
final class Ledger: Sendable {
    /// One such call.
    struct Entry: Sendable {
        let correlation: CorrelationID
        /// What the application called its request.
        let request: String
        let kind: Kind
    }

    /// What kinds of request there are.
    enum Kind: String, CaseIterable, Sendable {
        /// Safe: may be repeated by the mesh.
        case read
        /// Unsafe, and without a key: never repeated.
        case write
        /// Unsafe, under a key: repeated by the application until it is answered.
        case keyed
    }

    private let state = Mutex((acknowledged: [Entry](), others: [RefusalCode?: Int]()))

    func acknowledge(_ entry: Entry) { state.withLock { $0.acknowledged.append(entry) } }
    func note(_ code: RefusalCode?) { state.withLock { $0.others[code, default: 0] += 1 } }

    var acknowledged: [Entry] { state.withLock { $0.acknowledged } }
    var count: Int { state.withLock { $0.acknowledged.count } }
    /// Everything else that came back; nil: no answer at all.
    var others: [RefusalCode?: Int] { state.withLock { $0.others } }
}
