import NIOCore

/// What waits, each caller's in its order, and the callers in turns: whoever has much waiting is waited for
/// by nobody else. Bounded by who fills it.
struct TurnQueue<Caller: Hashable & Sendable, Element> {
    private var lines: [Caller: CircularBuffer<Element>] = [:]
    /// Callers with something waiting, whose turn is next first.
    private var turns = CircularBuffer<Caller>()
    /// All that waits.
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// Puts it behind what waits of the same caller.
    mutating func append(_ element: Element, of caller: Caller) {
        if lines[caller] == nil { turns.append(caller) }
        lines[caller, default: CircularBuffer()].append(element)
        count += 1
    }

    /// The oldest of the caller whose turn it is.
    mutating func popFirst() -> Element? {
        guard let caller = turns.popFirst(), let element = lines[caller]?.popFirst() else { return nil }
        count -= 1
        if lines[caller]?.isEmpty == true { lines[caller] = nil } else { turns.append(caller) }
        return element
    }

    /// Takes out the first of a caller's that is sought.
    mutating func remove(of caller: Caller, where isSought: (Element) -> Bool) -> Element? {
        guard let place = lines[caller]?.firstIndex(where: isSought) else { return nil }
        let element = lines[caller]?.remove(at: place)
        count -= 1
        if lines[caller]?.isEmpty == true {
            lines[caller] = nil
            turns.removeAll { $0 == caller }
        }
        return element
    }
}
