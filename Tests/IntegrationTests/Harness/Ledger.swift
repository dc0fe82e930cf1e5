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
        /// Idempotent, and answered without a body.
        case empty
        /// Unsafe, under a key: repeated by the application until it is answered.
        case keyed
    }

    private let state = Mutex((acknowledged: [Entry](), others: [RefusalCode?: Int](), errors: [String]()))

    func acknowledge(_ entry: Entry) { state.withLock { $0.acknowledged.append(entry) } }

    /// - Parameter error: where there was no answer at all, what there was instead.
    func note(_ code: RefusalCode?, _ error: String? = nil) {
        state.withLock { state in
            state.others[code, default: 0] += 1
            if let error { state.errors.append(error) }
        }
    }

    var acknowledged: [Entry] { state.withLock { $0.acknowledged } }
    var count: Int { state.withLock { $0.acknowledged.count } }
    var errors: [String] { state.withLock { $0.errors } }
    /// Everything else that came back; nil: no answer at all.
    var others: [RefusalCode?: Int] { state.withLock { $0.others } }
}
