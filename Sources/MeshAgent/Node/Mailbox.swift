import MeshBase
import MeshNode
import Synchronization

/// What waits for the control plane: bounded, filled from any thread, drained in batches by one reader.
///
///     the node's own (orders, answers, sightings) ────────────────> all of it ──┐
///     connection ──> line (at most 1 MiB ahead) ──┐                             ├──> a batch
///     connection ──> line ────────────────────────┴─ turns, one by one ─────────┘
///
/// What comes over connections is taken in turns, letter by letter, until the batch is over
/// (`DocumentTurns`): who sends without end is waited for by the others, and by the node's own, for one turn,
/// however much of it waits. What one connection brings stays in its order, so that its end comes last.
///
/// Who is ahead by a line's bound is told so, and read on once half of that is taken up (`onRoom`): its TCP
/// makes it wait, which costs this node nothing, where an end would be followed by another handshake. What
/// ended connections left counts together, or who dials again and again would have as many lines: above the
/// bound the dearest of them lose their documents, so that a last word stays beside whoever left much.
///
/// A witness or a ping that floods is dropped from, never waited for; what must not be lost (answers to the
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
        /// Connections that are ahead by all that they may be, until there is room.
        var ahead: Set<ConnectionID> = []
        /// Connections of which a sign of life waits.
        var heard: Set<ConnectionID> = []
        /// Connections that have ended, until that is taken up.
        var ended: Set<ConnectionID> = []
        /// What all that these left costs.
        var leftBehind = 0
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
            guard let letter = links.next(beside: hasOwn || !own.isEmpty ? .some : .none) else { return nil }
            if case .input(.heard(let connection)) = letter { heard.remove(connection) }
            if let connection = letter.connection, ended.contains(connection) {
                leftBehind -= letter.cost
                if case .input(.connectionClosed) = letter { ended.remove(connection) }
            }
            return letter
        }

        /// A connection has ended: what it left stays where there is room for it.
        mutating func end(_ connection: ConnectionID, _ letter: ControlLetter) {
            ahead.remove(connection)
            links.append(letter, of: connection, costing: letter.cost)
            guard ended.insert(connection).inserted else { return }
            leftBehind += links.cost(of: connection)
            while leftBehind > Mailbox.leftBehindMost,
                let dearest = ended.max(by: { links.cost(of: $0) < links.cost(of: $1) })
            {
                let before = links.cost(of: dearest)
                links.removeAll(of: dearest) { if case .document = $0 { true } else { false } }
                let freed = before - links.cost(of: dearest)
                guard freed > 0 else { return }
                leftBehind -= freed
            }
        }

        /// Whether a connection that was ahead may be read on, of which this was taken up.
        mutating func hasRoom(behind letter: ControlLetter) -> ConnectionID? {
            guard !ahead.isEmpty, let connection = letter.connection, ahead.contains(connection),
                links.cost(of: connection) <= DocumentShare.aheadMost / 2
            else { return nil }
            ahead.remove(connection)
            return connection
        }
    }

    /// What became of a document.
    enum Taking: Equatable, Sendable {
        case taken
        /// It is taken, and its connection is ahead by all that it may be: nothing more of it is read until
        /// there is room.
        case isAhead
        /// The box is closed.
        case refused
    }

    /// What all ended connections may have left: twice what one may be ahead, so that one that ends there
    /// loses nothing by itself.
    static let leftBehindMost = 2 * DocumentShare.aheadMost
    /// What may be dropped is, behind so much of the same connection; a sign of life only behind another.
    static let droppableAheadMost = 64

    private let capacity: Int
    private let state = Mutex(State())
    private let room = Mutex<(@Sendable (ConnectionID) -> Void)?>(nil)

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
            if case .heard = input {
                // Never behind others: who has much to say would be taken for silent.
                guard state.heard.insert(connection).inserted else { return false }
            } else if weight == .droppable, state.links.count(of: connection) >= Self.droppableAheadMost {
                return false
            }
            let letter = ControlLetter.input(input)
            if case .connectionClosed = input {
                state.end(connection, letter)
            } else {
                state.links.append(letter, of: connection, costing: letter.cost)
            }
            return true
        }
    }

    /// Puts a document in, and says whether its connection is to wait.
    func post(_ document: UnreadDocument, of connection: ConnectionID) -> Taking {
        var isAhead = false
        let isIn = post { state in
            let letter = ControlLetter.document(connection, document)
            state.links.append(letter, of: connection, costing: letter.cost)
            isAhead = state.links.cost(of: connection) >= DocumentShare.aheadMost
            if isAhead { state.ahead.insert(connection) }
            return true
        }
        return !isIn ? .refused : isAhead ? .isAhead : .taken
    }

    /// Whom to tell that a connection that was ahead may be read on; told by the reader's thread.
    func onRoom(_ tell: @escaping @Sendable (ConnectionID) -> Void) { room.withLock { $0 = tell } }

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
    func more() -> ControlLetter? {
        let (letter, connection) = state.withLock { state in
            let letter = state.next()
            return (letter, letter.flatMap { state.hasRoom(behind: $0) })
        }
        if let connection { tellRoom(of: connection) }
        return letter
    }

    /// Begins a batch with what is here, without waiting; empty where that is nothing.
    func takeNow() -> [ControlLetter] {
        let (letters, connection) = state.withLock { state in
            let letters = state.begin()
            return (letters, letters.last.flatMap { state.hasRoom(behind: $0) })
        }
        if let connection { tellRoom(of: connection) }
        return letters
    }

    private func tellRoom(of connection: ConnectionID) { room.withLock { $0 }?(connection) }

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
