import Dispatch
import Synchronization

/// Writes what it is given on a queue of its own, in order: what comes while a write is under way is the
/// next one, together. So however many wait, each waits for two writes at most.
final class GatheredWrites<Item: Sendable>: Sendable {
    private let gathered = Mutex<[Item]>([])
    private let queue: DispatchQueue
    private let write: @Sendable ([Item]) -> Void

    /// - Parameter write: runs on the queue, never twice at once; never with nothing.
    init(label: String, write: @escaping @Sendable ([Item]) -> Void) {
        queue = DispatchQueue(label: label)
        self.write = write
    }

    /// Callers add from one thread where the order matters.
    func add(_ item: Item) {
        let isFirst = gathered.withLock { items in
            items.append(item)
            return items.count == 1
        }
        guard isFirst else { return }
        queue.async { [self] in
            let items = gathered.withLock { items in
                defer { items = [] }
                return items
            }
            write(items)
        }
    }
}
