import Synchronization

/// What waits for the control plane: bounded, filled from any thread, drained in batches by one reader.
///
/// A witness or a peer that floods is dropped from, never waited for; what must not be lost (answers to the
/// node's own orders) is let in above the bound, since there are no more of it than orders.
final class Mailbox<Letter: Sendable>: Sendable {
    /// Whether a letter may be dropped when the box is full.
    enum Weight: Sendable {
        case droppable
        case owed
    }

    private struct State {
        var letters: [Letter] = []
        var dropped = 0
        var isClosed = false
        var reader: CheckedContinuation<Void, Never>?
    }

    private let capacity: Int
    private let state = Mutex(State())

    init(capacity: Int) { self.capacity = capacity }

    /// Puts a letter in; false when the box was full or closed.
    @discardableResult
    func post(_ letter: Letter, _ weight: Weight = .owed) -> Bool {
        let (isIn, reader) = state.withLock { state -> (Bool, CheckedContinuation<Void, Never>?) in
            guard !state.isClosed else { return (false, nil) }
            guard weight == .owed || state.letters.count < capacity else {
                state.dropped += 1
                return (false, nil)
            }
            state.letters.append(letter)
            defer { state.reader = nil }
            return (true, state.reader)
        }
        reader?.resume()
        return isIn
    }

    /// Waits until there are letters and takes them all; nil once the box is closed and empty.
    func take() async -> [Letter]? {
        while true {
            let taken = state.withLock { state -> [Letter]? in
                defer { state.letters.removeAll(keepingCapacity: true) }
                return state.letters.isEmpty ? nil : state.letters
            }
            if let taken { return taken }
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let resumesNow = state.withLock { state -> Bool in
                    guard state.letters.isEmpty, !state.isClosed else { return true }
                    state.reader = continuation
                    return false
                }
                if resumesNow { continuation.resume() }
            }
            if state.withLock({ $0.isClosed && $0.letters.isEmpty }) { return nil }
        }
    }

    /// Takes no more letters; the reader gets what is left and then nil.
    func close() {
        let reader = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.isClosed = true
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume()
    }
}
