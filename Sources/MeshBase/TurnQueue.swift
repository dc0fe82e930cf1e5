/// What waits for one server, each line's in its order, and the lines in turns, by what serving costs:
/// whoever has much waiting is waited for by nobody else for longer than one turn.
///
///     append ──> line ──┐
///     append ──> line ──┼── turns, first to last ──popFirst──> served
///     append ──> line ──┘      ^                       │
///                              └─ credit + quantum <───┘  when the next costs more than is left
///
/// Deficit round robin (Shreedhar and Varghese, SIGCOMM 1995): a line is served while its credit pays for its
/// next element, and then goes behind the others with a quantum more. So of lines that all wait, each is
/// served alike but for one quantum and the dearest element, however much the others have waiting. A line
/// that is empty keeps no credit: nobody saves up for a burst.
///
/// Invariants: a line is kept exactly while something waits in it, and has then one place in the turns; its
/// credit is what it may cost in its next turn. How much waits is bounded by who fills it (`cost(of:)`).
public struct TurnQueue<Line: Hashable & Sendable, Element> {
    fileprivate struct Waiting {
        var elements = WaitingLine<(element: Element, cost: Int)>()
        var credit: Int
        /// Of all that waits.
        var cost = 0
    }

    private let quantum: Int
    private var lines: [Line: Waiting] = [:]
    /// Lines with something waiting, whose turn is next first.
    private var turns = WaitingLine<Line>()
    /// All that waits.
    public private(set) var count = 0

    /// - Parameter quantum: what a line may cost in a turn, above zero, in the unit in which elements cost.
    ///   With 1, and elements that cost 1, lines are served one by one.
    public init(quantum: Int = 1) {
        precondition(quantum > 0, "a turn of \(quantum) serves nobody")
        self.quantum = quantum
    }

    /// Whether nothing waits.
    public var isEmpty: Bool { count == 0 }

    /// How much waits in one line.
    public func count(of line: Line) -> Int { lines[line]?.elements.count ?? 0 }

    /// What serving all that waits in one line costs.
    public func cost(of line: Line) -> Int { lines[line]?.cost ?? 0 }

    /// Puts it behind what waits in the same line.
    /// - Parameter cost: above zero.
    public mutating func append(_ element: Element, of line: Line, costing cost: Int = 1) {
        precondition(cost > 0, "what costs \(cost) is served before all others for ever")
        if lines[line] == nil { turns.append(line) }
        var waiting = lines.removeValue(forKey: line) ?? Waiting(credit: quantum)
        waiting.elements.append((element, cost))
        waiting.cost += cost
        lines[line] = waiting
        count += 1
    }

    /// The oldest of the line whose turn it is; nil when nothing waits.
    public mutating func popFirst() -> Element? {
        popFirstWithCost()?.element
    }

    /// The oldest of the line whose turn it is, and what serving it costs; nil when nothing waits.
    public mutating func popFirstWithCost() -> (element: Element, cost: Int)? {
        // In place, or each element that is taken copies the line.
        guard let line = firstLine(), var waiting = lines.removeValue(forKey: line),
            let next = waiting.elements.first
        else { return nil }
        waiting.elements.removeFirst()
        waiting.credit -= next.cost
        waiting.cost -= next.cost
        count -= 1
        if let after = waiting.elements.first {
            if after.cost <= waiting.credit { lines[line] = waiting } else { endTurn(of: line, waiting) }
        } else {
            turns.removeFirst()
        }
        return next
    }

    /// Whose turn it is: of which line the next is taken; nil when nothing waits.
    public mutating func firstLine() -> Line? {
        while let line = turns.first, let waiting = lines[line], let next = waiting.elements.first {
            guard next.cost > waiting.credit else { return line }
            endTurn(of: line, waiting)
        }
        return nil
    }

    /// Takes out the first in a line that is sought; nil when there is none.
    public mutating func remove(of line: Line, where isSought: (Element) -> Bool) -> Element? {
        guard let taken = lines[line]?.elements.remove(where: { isSought($0.element) }) else { return nil }
        count -= 1
        lines[line]?.cost -= taken.cost
        if lines[line]?.elements.isEmpty == true {
            lines[line] = nil
            turns.remove { $0 == line }
        }
        return taken.element
    }

    /// Lets go whatever in a line is unwanted; the rest keeps its order.
    public mutating func removeAll(of line: Line, where isUnwanted: (Element) -> Bool) {
        guard var waiting = lines.removeValue(forKey: line) else { return }
        let before = waiting.elements.count
        waiting.elements.removeAll { isUnwanted($0.element) }
        count -= before - waiting.elements.count
        waiting.cost = waiting.elements.reduce(0) { $0 + $1.cost }
        if waiting.elements.isEmpty { turns.remove { $0 == line } } else { lines[line] = waiting }
    }

    private mutating func endTurn(of line: Line, _ waiting: Waiting) {
        var waiting = waiting
        waiting.credit += quantum
        lines[line] = waiting
        turns.removeFirst()
        turns.append(line)
    }
}

extension TurnQueue: Sendable where Element: Sendable {}
extension TurnQueue.Waiting: Sendable where Element: Sendable {}

/// First in, first out.
private struct WaitingLine<Element> {
    private var stored: [Element?] = []
    /// Where the first stands in `stored`: what is before it was taken.
    private var start = 0

    var count: Int { stored.count - start }
    var isEmpty: Bool { start == stored.count }
    var first: Element? { isEmpty ? nil : stored[start] }

    mutating func append(_ element: Element) { stored.append(element) }

    /// - Precondition: it is not empty.
    mutating func removeFirst() {
        stored[start] = nil
        start += 1
        // Moved when half is taken, so that each element is moved once.
        guard start * 2 >= stored.count else { return }
        stored.removeFirst(start)
        start = 0
    }

    mutating func removeAll(where isUnwanted: (Element) -> Bool) {
        stored = stored[start...].filter { element in element.map { !isUnwanted($0) } ?? false }
        start = 0
    }

    func reduce(_ first: Int, _ add: (Int, Element) -> Int) -> Int {
        stored[start...].reduce(first) { sum, element in element.map { add(sum, $0) } ?? sum }
    }

    @discardableResult mutating func remove(where isSought: (Element) -> Bool) -> Element? {
        guard let place = stored[start...].firstIndex(where: { $0.map(isSought) == true }) else { return nil }
        return stored.remove(at: place)
    }
}

extension WaitingLine: Sendable where Element: Sendable {}
