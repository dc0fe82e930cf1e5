import MeshLink
import Synchronization

/// Owns an end of a stream, and remembers whether anything but its end came.
final class StreamEnd: LinkStreamObserver {
    private let state = Mutex((heads: 0, isOver: false))

    /// Whether it ended without an answer.
    var isOver: Bool { state.withLock { $0.isOver && $0.heads == 0 } }

    func stream(did event: LinkStreamEvent) {
        state.withLock { state in
            switch event {
            case .head: state.heads += 1
            case .reset, .lost: state.isOver = true
            case .data, .end, .writable: break
            }
        }
    }
}
