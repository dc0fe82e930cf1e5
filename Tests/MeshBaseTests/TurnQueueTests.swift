import MeshBase
import Testing

/// Who waits for whom.
@Suite struct TurnQueueTests {
    @Test func `one that waits often is waited for once`() {
        var queue = TurnQueue<String, Int>()
        for number in 1...3 { queue.append(number, of: "greedy") }
        queue.append(10, of: "modest")
        queue.append(20, of: "late")
        queue.append(11, of: "modest")
        #expect(queue.count == 6 && queue.count(of: "modest") == 2)
        #expect(queue.all() == [1, 10, 20, 2, 11, 3])
        #expect(queue.isEmpty && queue.popFirst() == nil && queue.count(of: "modest") == 0)
    }

    @Test func `who gives up leaves no turn behind`() {
        var queue = TurnQueue<String, Int>()
        queue.append(1, of: "one")
        queue.append(2, of: "other")
        queue.append(3, of: "other")
        #expect(queue.remove(of: "one") { $0 == 2 } == nil)
        #expect(queue.remove(of: "one") { $0 == 1 } == 1)
        #expect(queue.remove(of: "other") { $0 == 3 } == 3)
        #expect(queue.count == 1 && queue.popFirst() == 2 && queue.popFirst() == nil)
        queue.append(4, of: "one")
        #expect(queue.popFirst() == 4)
    }

    @Test func `what goes out of a line is waited and paid for no more`() {
        var queue = TurnQueue<String, Int>(quantum: 10)
        for number in 1...5 { queue.append(number, of: "one", costing: number) }
        for number in 11...12 { queue.append(number, of: "other") }
        #expect(queue.popFirst() == 1)
        queue.removeAll(of: "one") { $0.isMultiple(of: 2) }
        #expect(queue.count == 4 && queue.count(of: "one") == 2 && queue.cost(of: "one") == 8)
        queue.removeAll(of: "other") { _ in true }
        queue.removeAll(of: "nobody") { _ in true }
        #expect(queue.count == 2 && queue.all() == [3, 5] && queue.isEmpty)
        queue.append(13, of: "other")
        #expect(queue.all() == [13])
    }

    @Test func `a turn is as long as its quantum pays for`() {
        var queue = TurnQueue<String, Int>(quantum: 10)
        for number in 1...6 { queue.append(number, of: "cheap", costing: 4) }
        for number in 11...13 { queue.append(number, of: "dear", costing: 15) }
        #expect(queue.cost(of: "cheap") == 24 && queue.cost(of: "dear") == 45)
        // Of 10 are left 2, and with the next quantum it pays for three; what costs 15 is saved up for.
        #expect(queue.popFirst() == 1 && queue.cost(of: "cheap") == 20)
        #expect(queue.remove(of: "dear") { $0 == 12 } == 12 && queue.cost(of: "dear") == 30)
        #expect(queue.all() == [2, 3, 4, 5, 11, 6, 13])
        #expect(queue.cost(of: "cheap") == 0)
    }

    @Test func `a line that was empty has saved nothing`() {
        var queue = TurnQueue<String, Int>(quantum: 10)
        for round in 0..<5 {
            queue.append(round, of: "seldom", costing: 1)
            #expect(queue.popFirst() == round)
        }
        for number in 1...4 { queue.append(number, of: "seldom", costing: 10) }
        queue.append(10, of: "other", costing: 10)
        #expect(queue.all() == [1, 10, 2, 3, 4])
    }

    /// The bound of the paper: of two lines that wait all the time none is served more than a quantum and the
    /// dearest element before the other; and each element is served once, in its line's order.
    @Test(arguments: 1...50 as ClosedRange<UInt64>)
    func `lines that all wait are served alike`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let quantum = random.count(1...40)
        let dearest = random.count(1...100)
        let names = Array(0..<random.count(2...6))
        var queue = TurnQueue<Int, Int>(quantum: quantum)
        var costs: [[Int]] = names.map { _ in [] }
        func fill(_ line: Int) {
            let cost = random.count(1...dearest)
            queue.append(costs[line].count * names.count + line, of: line, costing: cost)
            costs[line].append(cost)
        }
        for line in names {
            for _ in 0..<random.count(2...50) { fill(line) }
        }
        var served = names.map { _ in 0 }
        var next = names.map { _ in 0 }
        for _ in 0..<2_000 {
            guard let (number, cost) = queue.popFirstWithCost() else { break }
            let line = number % names.count
            #expect(number / names.count == next[line] && cost == costs[line][next[line]])
            next[line] += 1
            served[line] += cost
            // None is ever empty.
            fill(line)
            let (least, most) = (served.min() ?? 0, served.max() ?? 0)
            #expect(most - least <= quantum + 2 * dearest, "\(served) of \(quantum), \(dearest)")
        }
    }
}

extension TurnQueue {
    /// All that waits, as it is served.
    fileprivate mutating func all() -> [Element] {
        var order: [Element] = []
        while let next = popFirst() { order.append(next) }
        return order
    }
}

extension SeededGenerator {
    fileprivate mutating func count(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(number(below: UInt64(range.count)))
    }
}
