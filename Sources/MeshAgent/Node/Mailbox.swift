import MeshBase
import MeshNode
import Synchronization

/// What waits for the control plane: bounded, filled from any thread, drained in batches by one reader.
///
///     the node's own (orders, answers, sightings) ────────────────> all of it ──┐
///     connection ──> line (at most 4 MiB ahead) ──┐                             ├──> a batch
///     connection ──> line ────────────────────────┴─ turns, one by one ─────────┘
///
/// What comes over connections is taken in turns, letter by letter, until the batch is over
/// (`DocumentTurns`): who sends without end is waited for by the others, and by the node's own, for one turn,
/// however much of it waits. What one connection brings stays in its order, so that its end comes last.
///
/// A witness or a peer that floods is dropped from, never waited for; what must not be lost (answers to the
/// node's own orders) is let in above the bound, since there are no more of it than orders.
final class Mailbox: Sendable {
    /// Whether a letter may be dropped when the box is full.
    enum Weight: Sendable {
        case droppable
        case owed
    }

    private struct State {
        /// The node's own.
        var own: [ControlLetter] = []
        /// Connections that were too far ahead, until they have ended: nothing of theirs is taken.
        var overrun: Set<ConnectionID> = []
        /// What comes over connections.
        var links = DocumentTurns<ConnectionID, ControlLetter>()
        /// Whether this batch has any of the node's own.
        var hasOwn = false
        var isClosed = false
        var reader: CheckedContinuation<Void, Never>?

        var isEmpty: Bool { own.isEmpty && links.isEmpty }

        /// A batch begins: with all of the node's own, and the first of the connections' turns.
        mutating func begin() -> [ControlLetter] {
            var letters = own
            own.removeAll(keepingCapacity: true)
            hasOwn = !letters.isEmpty
            links.beginBatch()
            if let first = next() { letters.append(first) }
            return letters
        }

        mutating func next() -> ControlLetter? {
            links.next(beside: hasOwn || !own.isEmpty ? .some : .none)
        }
    }

    /// What may be dropped is, behind so much of the same connection.
    static let droppableAheadMost = 64

    private let capacity: Int
    private let state = Mutex(State())

    /// - Parameter capacity: the node's own letters, beyond which those that may be dropped are.
    init(capacity: Int) { self.capacity = capacity }

    /// Puts an input in; false when the box was full or closed.
    @discardableResult
    func post(_ input: NodeInput, _ weight: Weight = .owed) -> Bool {
        post { state in
            guard let connection = input.connection else {
                guard weight == .owed || state.own.count < self.capacity else { return false }
                state.own.append(.input(input))
                return true
            }
            guard weight == .owed || state.links.count(of: connection) < Self.droppableAheadMost else {
                return false
            }
            let letter = ControlLetter.input(input)
            if case .connectionClosed = input { state.overrun.remove(connection) }
            state.links.append(letter, of: connection, costing: letter.cost)
            return true
        }
    }

    /// Puts a document in; false when its connection is too far ahead, or the box closed. Who was too far
    /// ahead is heard no more, and what waits of its documents goes: a peer that is closed for that and dials
    /// again would have as many lines, each with its turns and its megabytes.
    func post(_ document: UnreadDocument, of connection: ConnectionID) -> Bool {
        post { state in
            let letter = ControlLetter.document(connection, document)
            guard !state.overrun.contains(connection) else { return false }
            guard state.links.cost(of: connection) + letter.cost <= DocumentShare.aheadMost else {
                state.overrun.insert(connection)
                state.links.removeAll(of: connection) { if case .document = $0 { true } else { false } }
                return false
            }
            state.links.append(letter, of: connection, costing: letter.cost)
            return true
        }
    }

    private func post(_ put: (inout State) -> Bool) -> Bool {
        let (isIn, reader) = state.withLock { state -> (Bool, CheckedContinuation<Void, Never>?) in
            guard !state.isClosed, put(&state) else { return (false, nil) }
            defer { state.reader = nil }
            return (true, state.reader)
        }
        reader?.resume()
        return isIn
    }

    /// The next letter of the batch that `take` began, also one that came since; nil when it is over.
    func more() -> ControlLetter? { state.withLock { $0.next() } }

    /// Begins a batch with what is here, without waiting; empty where that is nothing.
    func takeNow() -> [ControlLetter] { state.withLock { $0.begin() } }

    /// The node's own letters alone, without waiting.
    func takeOwn() -> [ControlLetter] {
        state.withLock { state in
            defer { state.own.removeAll() }
            return state.own
        }
    }

    /// Whether it takes no more letters.
    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Waits until there are letters, begins a batch and takes the first of it; nil once the box is closed
    /// and empty.
    func take() async -> [ControlLetter]? {
        while true {
            let taken = takeNow()
            guard taken.isEmpty else { return taken }
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let resumesNow = state.withLock { state -> Bool in
                    guard state.isEmpty, !state.isClosed else { return true }
                    state.reader = continuation
                    return false
                }
                if resumesNow { continuation.resume() }
            }
            if state.withLock({ $0.isClosed && $0.isEmpty }) { return nil }
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
