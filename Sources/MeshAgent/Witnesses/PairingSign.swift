import MeshBase
import Synchronization

/// Whether the network is told that this node's operator waits for somebody to pair with, and under which
/// name.
final class PairingSign: Sendable {
    private let shown = Mutex<NodeName?>(nil)
    /// One element for each change that nobody has taken up yet; one witness follows it.
    let changes: AsyncStream<Void>
    private let changed: AsyncStream<Void>.Continuation

    init() { (changes, changed) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    /// The name; nil while no window is open.
    var name: NodeName? { shown.withLock { $0 } }

    /// Shows `name` from now on; nil: nothing.
    func show(_ name: NodeName?) {
        let isNews = shown.withLock { shown in
            defer { shown = name }
            return shown != name
        }
        if isNews { changed.yield() }
    }
}
